import assert from "node:assert/strict";
import { test } from "node:test";
import { arranged, layoutOf, moved, named, same, stateOf } from "../src/columns.mjs";
import { between } from "../src/copying.mjs";

const columns = ["_id", "text", "topic", "price"].map((key) => ({ key, name: key === "topic" ? "주제" : key }));
const keys = (list) => list.map(({ key }) => key);

test("without a layout columns stand as they come", () => {
  assert.deepEqual(keys(arranged([], columns)), ["_id", "text", "topic", "price"]);
});

test("a layout is kept where keys have come and gone", () => {
  const layout = [
    { key: "price", hidden: false, pinned: "left", width: 120 },
    { key: "gone", hidden: true, pinned: null, width: null },
    { key: "_id", hidden: true, pinned: null, width: null },
    { key: "topic", hidden: false, pinned: null, width: null },
  ];
  const list = arranged(layout, columns);
  assert.deepEqual(keys(list), ["price", "_id", "text", "topic"]); // a new key stays behind its neighbour
  assert.deepEqual(list.map(({ index }) => index), [3, 0, 1, 2]);
  assert.deepEqual([list[0].pinned, list[0].width, list[1].hidden], ["left", 120, true]);
  const state = stateOf(list, [["topic", -1], ["text", 1]]);
  assert.deepEqual(state[0], { colId: "c3", hide: false, pinned: "left", width: 120, sort: null, sortIndex: null });
  assert.deepEqual([state[3].sort, state[3].sortIndex, state[2].sortIndex], ["desc", 0, 1]);
  const again = layoutOf(state, columns, new Set(["price"]), layout);
  assert.deepEqual(keys(again), ["price", "_id", "text", "topic", "gone"]);
  assert.deepEqual(again[0], layout[0]);
  assert.deepEqual(again[4], layout[1]);
});

test("columns that are not the rows' own are in no layout, and only chosen widths are kept", () => {
  const state = [{ colId: "tick", hide: false, width: 40 }, { colId: "c1", hide: false, pinned: true, width: 99.6 }];
  assert.deepEqual(layoutOf(state, columns, new Set()), [{ key: "text", hidden: false, pinned: "left", width: null }]);
  assert.equal(layoutOf(state, columns, new Set(["text"]))[0].width, 100);
});

test("one moves, and moves no further than the ends", () => {
  assert.deepEqual(moved(["a", "b", "c"], 2, 0), ["c", "a", "b"]);
  assert.deepEqual(moved(["a", "b", "c"], 0, 9), ["b", "c", "a"]);
});

test("columns are found by name or key", () => {
  assert.deepEqual(keys(named(arranged([], columns), "주제".normalize("NFD"))), ["topic"]);
  assert.deepEqual(keys(named(arranged([], columns), "PRI")), ["price"]);
  assert.ok(same([{ key: "a" }], [{ key: "a" }]) && !same([{ key: "a" }], []));
});

test("two cells that were selected span a block, one cell is the browser's", () => {
  assert.deepEqual(between({ row: 5, col: 2 }, { row: 3, col: 4 }), { top: 3, bottom: 5, left: 2, right: 4 });
  assert.equal(between({ row: 5, col: 2 }, { row: 5, col: 2 }), null);
  assert.equal(between({ row: 5, col: 2 }, null), null);
});
