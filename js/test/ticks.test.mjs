import assert from "node:assert/strict";
import { test } from "node:test";
import { all, asking, count, has, none, target, ticked } from "../src/ticks.mjs";

test("rows are ticked by their _id", () => {
  const some = ticked(ticked(none(), ["a", "b", "c"], true), ["b"], false);
  assert.deepEqual([count(some), has(some, "a"), has(some, "b")], [2, true, false]);
  assert.deepEqual(target(some), { ids: ["a", "c"] });
});

test("all that match are a rule with exceptions, however many", () => {
  const asked = { query: { topic: "배송" }, filters: {} };
  const most = ticked(all(asked, 10_000_000), ["a", "b"], false);
  assert.deepEqual([count(most), has(most, "a"), has(most, "x")], [9_999_998, false, true]);
  assert.deepEqual(target(most), { ...asked, less: ["a", "b"] });
  assert.equal(count(ticked(most, ["a"], true)), 9_999_999);
});

test("another question ends a rule, and leaves rows that were ticked one by one", () => {
  const asked = { query: null, filters: {} };
  const other = { query: null, filters: { topic: "환불" } };
  assert.equal(count(asking(all(asked, 9), { query: null, filters: {} })), 9);
  assert.equal(count(asking(all(asked, 9), other)), 0);
  assert.equal(count(asking(ticked(none(), ["a"], true), other)), 1);
});
