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

const cells = (...given) => pasted(...given).map(({ row, col, text }) => `${row},${col}=${text}`);

test("one cell fills a selection, a block is repeated where it fits", () => {
  const room = { rows: 9, cols: 9 };
  assert.deepEqual(cells([["x"]], { top: 1, bottom: 2, left: 0, right: 1 }, room), ["1,0=x", "1,1=x", "2,0=x", "2,1=x"]);
  assert.deepEqual(cells([["a"], ["b"]], { top: 0, bottom: 3, left: 0, right: 0 }, room), ["0,0=a", "1,0=b", "2,0=a", "3,0=b"]);
  assert.deepEqual(cells([["a"], ["b"]], { top: 0, bottom: 2, left: 0, right: 0 }, room), ["0,0=a", "1,0=b"]);
});

test("nothing is pasted beyond the grid, nor where a row is short", () => {
  assert.deepEqual(cells([["a", "b"], ["c"]], { top: 1, bottom: 1, left: 1, right: 1 }, { rows: 3, cols: 2 }), ["1,1=a", "2,1=c"]);
});
