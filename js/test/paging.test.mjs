import assert from "node:assert/strict";
import { test } from "node:test";
import { nextSort, pageOf, rowBeside } from "../src/paging.mjs";

test("a heading sorts up, then down, then not at all", () => {
  assert.deepEqual(nextSort("name", []), ["name", 1]);
  assert.deepEqual(nextSort("name", ["name", 1]), ["name", -1]);
  assert.deepEqual(nextSort("name", ["name", -1]), []);
  assert.deepEqual(nextSort("size", ["name", -1]), ["size", 1]);
});

test("no page beyond the ends", () => {
  assert.deepEqual([-1, 0, 3, 9].map((page) => pageOf(page, 4)), [0, 0, 3, 4]);
  assert.equal(pageOf(1, 0), 0);
});

test("the rows beside a row", () => {
  const parent = { children: [] };
  parent.children = ["a", "b"].map((name) => ({ name, parentElement: parent }));
  assert.equal(rowBeside(parent.children[0], 1).name, "b");
  assert.equal(rowBeside(parent.children[1], 1), undefined);
  assert.equal(rowBeside(parent.children[0], -1), undefined);
});
