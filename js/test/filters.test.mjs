import assert from "node:assert/strict";
import { test } from "node:test";
import { choicesOf, foundIn, hintOf, labelsOf, labelsText, shownText, wordsFor } from "../src/filters.mjs";

const words = { missing: "missing", any: "there", chosen: "{count} chosen", all: "All", hintText: "contains", hintNumber: "10..20", hintDate: "2024" };

test("labels of any characters come back from their text", () => {
  const labels = ["배송", '"] ["', "<b>\n\t\\", "", "null", null, true, 3, 1.5, "😀"];
  assert.deepEqual(labelsOf(labelsText(labels)), labels);
  assert.equal(labelsText([]), "");
  for (const text of ["", "late", "[late] order", '[{"a": 1}]', '["a"', '{"a": 1}']) assert.equal(labelsOf(text), null, text);
});

test("what was chosen is said in words, what was typed stays", () => {
  assert.deepEqual(shownText("10..20", words), { text: "10..20", typed: true });
  assert.deepEqual(shownText('["배송", null]', words), { text: "배송, missing", typed: false });
  assert.deepEqual(shownText("[1, 2, 3, 4]", words), { text: "4 chosen", typed: false });
  assert.deepEqual(shownText('{"$gte": 10, "$lt": 20}', words), { text: "≥ 10 < 20", typed: false });
  assert.deepEqual(shownText('{"$exists": false}', words), { text: "missing", typed: false });
  assert.deepEqual(shownText('{"$gte": {"$date": "2024-05-01T00:00:00+09:00"}}', words), { text: "≥ 2024-05-01", typed: false });
  assert.deepEqual(shownText('{"$in": ["a", "b"]}', words), { text: "a, b", typed: false });
  assert.deepEqual(shownText("{smile}", words), { text: "{smile}", typed: true });
  assert.deepEqual(shownText('{"a": 1}', words), { text: '{"a": 1}', typed: true });
});

test("choices are searched in any case, composed or not, and those without a value come last", () => {
  const choices = choicesOf({ labels: [["배송", 9], ["Refund", 3], [true, 1]], missing: 2 }, words);
  assert.deepEqual(choices.map(({ text, count }) => [text, count]), [["배송", 9], ["Refund", 3], ["true", 1], ["missing", 2]]);
  assert.deepEqual(foundIn(choices, " REF ").map(({ value }) => value), ["Refund"]);
  assert.deepEqual(foundIn(choices, "배".normalize("NFD")).map(({ value }) => value), ["배송"]);
  assert.equal(foundIn(choices, "").length, 4);
  assert.equal(choicesOf({ labels: [], missing: 0 }, words).length, 0);
});

test("a field hints at what its column takes", () => {
  assert.equal(hintOf({ kind: "number" }, words), "10..20");
  assert.equal(hintOf({ kind: "datetime" }, words), "2024");
  assert.equal(hintOf({ kind: "text", role: "label" }, words), "All");
  assert.equal(hintOf({ kind: "json" }, words), "contains");
});

test("where values are lists, one that is empty is called so", () => {
  const told = { ...words, empty: "missing or empty" };
  assert.deepEqual(choicesOf({ labels: [], missing: 3 }, wordsFor("list", told)), [{ value: null, text: "missing or empty", count: 3 }]);
  assert.deepEqual(shownText("[null]", wordsFor("list", told)), { text: "missing or empty", typed: false });
  assert.deepEqual(shownText("[null]", wordsFor("text", told)), { text: "missing", typed: false });
  assert.deepEqual(wordsFor("list", words), words);
});
