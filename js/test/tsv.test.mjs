import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode, pasted } from "../src/tsv.mjs";

test("what is copied is what is pasted", () => {
  const rows = [["가", 'say "hi"', '"quoted"'], ["two\nlines", "tab\there", ""], ["", "", "끝"]];
  assert.deepEqual(decode(encode(rows)), rows);
});

test("Excel's line ends and its last line break", () => {
  assert.deepEqual(decode("a\tb\r\nc\td\r\n"), [["a", "b"], ["c", "d"]]);
  assert.deepEqual(decode("a"), [["a"]]);
  assert.deepEqual(decode("a\t\n"), [["a", ""]]);
  assert.deepEqual(decode("a\n\nb"), [["a"], [""], ["b"]]);
  assert.deepEqual(decode('5" pipe\t"open'), [['5" pipe', '"open']]);
});

const one = { top: 1, bottom: 1, left: 0, right: 0 };

test("one cell fills a selection, a block is repeated where it fits", () => {
  const room = { rows: 9, cols: 9 };
  assert.deepEqual(pasted([["x"]], { top: 1, bottom: 2, left: 0, right: 1 }, room).texts, [["x", "x"], ["x", "x"]]);
  assert.deepEqual(pasted([["a"], ["b"]], { ...one, bottom: 4 }, room).texts, [["a"], ["b"], ["a"], ["b"]]);
  assert.deepEqual(pasted([["a"], ["b"]], { ...one, bottom: 3 }, room).texts, [["a"], ["b"]]);
});

test("what is beyond the last row and column is counted; where a row is short, cells are left alone", () => {
  const found = pasted([["a", "b"], ["c"], ["d", "e", "f"]], { top: 2, bottom: 2, left: 1, right: 1 }, { rows: 3, cols: 3 });
  assert.deepEqual(found, { top: 2, left: 1, texts: [["a", "b"], ["c", null], ["d", "e"]], beyond: 2, cut: 1 });
});

test("a large block is taken apart in no time", () => {
  const text = Array.from({ length: 5000 }, (_, row) => Array.from({ length: 10 }, (_, col) => `r${row}c${col}`).join("\t")).join("\r\n");
  const block = decode(text);
  assert.deepEqual([block.length, block[4999].length, block[4999][9]], [5000, 10, "r4999c9"]);
});
