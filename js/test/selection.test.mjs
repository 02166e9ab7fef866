import assert from "node:assert/strict";
import { test } from "node:test";
import { at, edges, holds, moved, size, upTo } from "../src/selection.mjs";

const room = { rows: 10, cols: 4, page: 5 };
const focus = (selection) => [selection.focus.row, selection.focus.col];

test("a block has two corners, whichever way it was drawn", () => {
  const block = upTo(at(5, 3), 2, 1);
  assert.deepEqual(edges(block), { top: 2, bottom: 5, left: 1, right: 3 });
  assert.equal(size(block), 12);
  assert.ok(holds(block, 3, 2) && !holds(block, 6, 2) && !holds(null, 0, 0));
});

test("keys move as in a spreadsheet, and stop at the edge", () => {
  assert.deepEqual(focus(moved(at(0, 0), { key: "ArrowUp" }, room)), [0, 0]);
  assert.deepEqual(focus(moved(at(3, 1), { key: "ArrowDown", ctrlKey: true }, room)), [9, 1]);
  assert.deepEqual(focus(moved(at(3, 1), { key: "PageDown" }, room)), [8, 1]);
  assert.deepEqual(focus(moved(at(3, 1), { key: "End" }, room)), [3, 3]);
  assert.deepEqual(focus(moved(at(3, 1), { key: "Home", metaKey: true }, room)), [0, 0]);
  assert.deepEqual(focus(moved(at(3, 3), { key: "Tab" }, room)), [4, 0]);
  assert.deepEqual(focus(moved(at(9, 3), { key: "Tab" }, room)), [9, 3]);
  assert.deepEqual(focus(moved(at(3, 0), { key: "Tab", shiftKey: true }, room)), [2, 3]);
  assert.deepEqual(focus(moved(at(3, 0), { key: "Enter", shiftKey: true }, room)), [2, 0]);
  assert.equal(moved(at(3, 0), { key: "x" }, room), null);
});

test("Shift extends, Ctrl+A takes all", () => {
  const more = moved(moved(at(2, 1), { key: "ArrowDown", shiftKey: true }, room), { key: "ArrowRight", shiftKey: true }, room);
  assert.deepEqual(edges(more), { top: 2, bottom: 3, left: 1, right: 2 });
  assert.equal(size(moved(at(2, 1), { key: "a", ctrlKey: true }, room)), 40);
});
