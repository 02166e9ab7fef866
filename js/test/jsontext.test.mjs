import assert from "node:assert/strict";
import { test } from "node:test";
import { lineBreak, lint, pretty } from "../src/jsontext.mjs";

test("JSON is looked at while it is typed", () => {
  for (const text of ["", "그냥 글", "12", '{"a": [1, null]}', '"글"']) assert.deepEqual(lint(text), { ok: true });
  assert.deepEqual(lint('{"a": 1,\n "b" 2}'), { ok: false, line: 2, column: 6 });
  assert.equal(lint('{"a": ').ok, false);
});

test("long JSON is set out over lines, numbers keep their digits", () => {
  assert.equal(pretty('{"a":1}'), '{"a":1}');
  assert.equal(pretty(`{"a":"${"x".repeat(70)}","b":2}`).split("\n").length, 4);
  const exact = `{"id":12345678901234567890,"a":"${"x".repeat(70)}"}`;
  assert.equal(pretty(exact), exact);
});

test("a line goes on where the one before began", () => {
  assert.equal(lineBreak('{\n  "a": [', 10), "\n    ");
  assert.equal(lineBreak('  "a": 1,', 9), "\n  ");
});
