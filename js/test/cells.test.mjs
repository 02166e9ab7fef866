import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, formatNumber } from "../src/cells.mjs";

test("a missing key, a null and an empty text look different", () => {
  assert.deepEqual(drawn(null), { text: "", style: "missing" });
  assert.deepEqual(drawn(undefined), { text: "", style: "missing" });
  assert.deepEqual(drawn({ kind: "null" }), { text: "null", style: "null" });
  assert.deepEqual(drawn(""), { text: "", style: "text" });
});

test("values are drawn as they are", () => {
  assert.deepEqual(drawn(1234567), { text: "1234567", style: "number" });
  assert.deepEqual(drawn(false), { text: "false", style: "boolean" });
  assert.deepEqual(drawn("<b>"), { text: "<b>", style: "text" });
  assert.deepEqual(drawn({ kind: "number", text: "1152921504606846976" }), { text: "1152921504606846976", style: "number" });
  assert.deepEqual(drawn({ kind: "json", text: '{"a": 1}' }), { text: '{"a": 1}', style: "json" });
  assert.equal(formatNumber(-0), "-0");
});

test("a cut text says how long it is", () => {
  const cut = { kind: "cut", text: "가…", size: 5000 };
  assert.deepEqual(drawn(cut, { cut: "{size}자" }), { text: "가…", style: "text", hint: "5000자" });
});
