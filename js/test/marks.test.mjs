import assert from "node:assert/strict";
import { test } from "node:test";
import { countPoints, segments, unitsOf, visible } from "../src/marks.mjs";

const shown = (text, spans) => segments(text, spans.map(([start, end]) => ({ start, end }))).map(({ text, spans }) => [text, spans]);

test("offsets count code points", () => {
  assert.deepEqual([...unitsOf("😀서울", [0, 1, 3, 99])], [[0, 0], [1, 2], [3, 4], [99, 4]]);
  assert.deepEqual(shown("😀 서울", [[2, 4]]), [["😀 ", []], ["서울", [0]]]);
});

test("decomposed Hangul is marked by its own code points", () => {
  const text = "서울 날씨".normalize("NFD");
  const end = [..."서울".normalize("NFD")].length;
  assert.deepEqual(shown(text, [[0, end]])[0], ["서울".normalize("NFD"), [0]]);
});

test("spans overlap, lie in each other, are empty or too long", () => {
  assert.deepEqual(shown("abcdef", [[0, 4], [2, 6], [3, 4]]), [["ab", [0]], ["c", [0, 1]], ["d", [0, 1, 2]], ["ef", [1]]]);
  assert.deepEqual(shown("abc", [[1, 1], [2, 9]]), [["a", []], ["b", []], ["c", [1]]]);
  assert.deepEqual(shown("abc", []), [["abc", []]]);
  assert.deepEqual(shown("", [[0, 1]]), []);
});

test("what can't be seen is named", () => {
  const names = (text) => visible(text).map(({ text, name }) => name ?? text);
  assert.deepEqual(names("a\u200bb\u202ec\u0000"), ["a", "ZWSP", "b", "RLO", "c", "NUL"]);
  assert.deepEqual(names("한글 one\ttwo\r\nthree"), ["한글 one\ttwo\r\nthree"]);
  assert.deepEqual(names("👩‍💻 ok"), ["👩‍💻 ok"]);
  assert.deepEqual(names("👍🏽‍x"), ["👍🏽‍x"]);
  assert.deepEqual(names("a‍b"), ["a", "ZWJ", "b"]);
  assert.deepEqual(names("\u{e0041}"), ["U+E0041"]);
  assert.equal(visible("a\u200bb").map(({ text }) => text).join(""), "a\u200bb");
  assert.deepEqual(visible(""), []);
});

test("characters are counted as Python counts them", () => {
  assert.deepEqual(["", "abc", "😀", "가😀나"].map(countPoints), [0, 3, 1, 3]);
});
