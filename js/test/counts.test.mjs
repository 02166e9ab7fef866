import assert from "node:assert/strict";
import { test } from "node:test";
import { barText, differs, ends, findLines, heights, nextOrder, percent, sortLines, visible } from "../src/counts.mjs";

const side = (bars, more = {}) => ({ bars, count: 0, missing: 0, zeros: 0, distinct: 0, ...more });
const line = (key, more, distance) => ({ key, distance, sides: [side([], more)] });

test("keys are found by all words, in NFC and NFD, in any case", () => {
  const lines = [line("상담 라벨"), line("Price")];
  assert.deepEqual(findLines(lines, "라벨 상담".normalize("NFD")), [lines[0]]);
  assert.deepEqual(findLines(lines, "PRI"), [lines[1]]);
  assert.equal(findLines(lines, " ").length, 2);
});

test("keys are sorted by a figure, those without one last", () => {
  const lines = [line("b", { missing: 3 }, null), line("a", { missing: 9 }, 0.5), line("c", { missing: 1 }, 0.7)];
  const keys = (column, sign) => sortLines(lines, column, sign).map(({ key }) => key).join("");
  assert.equal(keys("", 1), "bac");
  assert.equal(keys("key", 1), "abc");
  assert.equal(keys("missing", -1), "abc");
  assert.equal(keys("distance", -1), "cab");
  assert.equal(keys("distance", 1), "acb");
  assert.deepEqual(nextOrder("missing", ["", 1]), ["missing", -1]);
  assert.deepEqual(nextOrder("missing", ["missing", -1]), ["missing", 1]);
  assert.deepEqual(nextOrder("missing", ["missing", 1]), ["", 1]);
  assert.deepEqual(nextOrder("key", ["", 1]), ["key", 1]);
});

test("one side is drawn by counts, two by shares", () => {
  assert.deepEqual(heights([side([["x", 5], ["y", 10]])]), [[0.5, 1]]);
  const two = heights([side([["x", 100], ["y", 300]]), side([["x", 3], ["y", 1]])]);
  assert.deepEqual(two, [[1 / 3, 1], [1, 1 / 3]]);
  assert.deepEqual(heights([side([["x", 0]]), side([["x", 0]])]), [[0], [0]]);
});

test("a bar says what it counts", () => {
  const labels = { documents: "{count} documents" };
  assert.deepEqual(barText([side([["0 – 9", 1234]])], 0, [2468], labels, "en"), ["0 – 9", "1,234 documents (50 %)"]);
  const both = [side([["x", 1]]), side([["x", 0]])];
  assert.equal(barText(both, 0, [10, 20], labels, "en")[1], "A: 1 documents (10 %) · B: 0 documents (0 %)");
  assert.equal(percent(1, 1_000_000, "en"), "< 0.1 %");
  assert.equal(percent(0, 0, "en"), "0 %");
  assert.deepEqual(ends([["0 – 9", 1], ["10 – 19", 2]]), ["0", "19"]);
  assert.deepEqual(ends([]), ["", ""]);
});

test("spaces at the ends are seen", () => {
  assert.equal(visible("배송 "), "배송␣");
  assert.equal(visible("  a b\n"), "␣␣a b↵");
  assert.equal(visible(""), "");
});

test("what differs is seen: a value of sides of one size, a share of others", () => {
  const pair = (a, b) => [side([], { missing: a, distinct: a }), side([], { missing: b, distinct: b })];
  assert.equal(differs("missing", pair(3, 4), [100, 100]), true);
  assert.equal(differs("missing", pair(4, 4), [100, 100]), false);
  assert.equal(differs("missing", pair(10, 1), [1000, 100]), false);
  assert.equal(differs("missing", pair(10, 5), [1000, 100]), true);
  assert.equal(differs("distinct", pair(10, 5), [1000, 100]), false);
});
