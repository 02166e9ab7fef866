import assert from "node:assert/strict";
import { test } from "node:test";
import { createRefusals } from "../src/refusals.mjs";

const KEYS = ["_id", "price", "day"];

test("what was refused stands in its cell, wherever the row is", () => {
  const refused = createRefusals();
  refused.put("r1", "price", { text: "many", sentence: "no number", row: 7 });
  assert.deepEqual(refused.shown("r1", ["r1", 3, null], 2, KEYS), ["r1", "many", null]);
  assert.deepEqual(refused.shown("r2", ["r2", 3, null], 3, KEYS), ["r2", 3, null]);
  assert.equal(refused.get("r1", "price").row, 2);
  refused.drop("r1", "price");
  assert.deepEqual([refused.size(), refused.get("r1", "price")], [0, undefined]);
});

test("to the next one, row by row, and round again", () => {
  const refused = createRefusals();
  refused.put("r1", "day", { text: "soon", row: 1 });
  refused.put("r1", "price", { text: "many", row: 1 });
  refused.put("r9", "price", { text: "few", row: 9 });
  const way = [[-1, 0], [1, 1], [1, 2], [9, 1]].map(([row, place]) => refused.next(row, place, KEYS));
  assert.deepEqual(way.map(({ key, row }) => [row, key]), [[1, "price"], [1, "day"], [9, "price"], [1, "price"]]);
  refused.moved();
  assert.deepEqual([refused.next(0, 0, KEYS), refused.size()], [null, 3]);
});
