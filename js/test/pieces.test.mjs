import assert from "node:assert/strict";
import test from "node:test";
import { bytesText, pieces, shareOf } from "../src/pieces.mjs";

test("a large file comes in pieces", () => {
  assert.deepEqual([...pieces([25], [], 10)], [
    [{ file: 0, start: 0, end: 10 }],
    [{ file: 0, start: 10, end: 20 }],
    [{ file: 0, start: 20, end: 25 }],
  ]);
});

test("small files share a message, and none is too large", () => {
  const messages = [...pieces([3, 0, 4, 9], [], 10)];
  assert.deepEqual(messages[0].map(({ file }) => file), [0, 2, 3]);
  const sizes = messages.map((parts) => parts.reduce((sum, { start, end }) => sum + end - start, 0));
  assert.deepEqual(sizes, [10, 6]);
});

test("what is there is not sent again", () => {
  assert.deepEqual([...pieces([25, 5], [20, 5], 10)], [[{ file: 0, start: 20, end: 25 }]]);
  assert.deepEqual([...pieces([5], [5], 10)], []);
});

test("shares and sizes", () => {
  assert.equal(shareOf([10, 30], [10, 10]), 0.5);
  assert.equal(shareOf([0], [0]), 1);
  assert.deepEqual([0, 312, 4100, 45_000_000, 2e14].map((size) => bytesText(size, "en")), ["0 B", "312 B", "4.1 kB", "45 MB", "200 TB"]);
});
