import assert from "node:assert/strict";
import { test } from "node:test";
import { asText, childrenOf, occurrences, pathText, search } from "../src/tree.mjs";

const object = (entries) => ({ kind: "object", entries });
const array = (...items) => ({ kind: "array", items });
const value = object([
  ["name", "서울 Tower"],
  ["big", { kind: "number", text: "1152921504606846976" }],
  ["list", array(1, { kind: "null" }, object([["kind", "null"]]))],
  ["empty", object([])],
]);

test("a value is written with every digit", () => {
  assert.equal(
    asText(value),
    '{\n  "name": "서울 Tower",\n  "big": 1152921504606846976,\n  "list": [\n    1,\n    null,\n    {\n      "kind": "null"\n    }\n  ],\n  "empty": {}\n}',
  );
  assert.equal(asText({ kind: "date", text: "2026-01-01" }), '"2026-01-01"');
  assert.equal(asText(false), "false");
});

test("paths are Python's", () => {
  assert.equal(pathText(["a.b", 0, 'quo"te']), '["a.b"][0]["quo\\"te"]');
  assert.deepEqual(childrenOf(array("x")), [[0, "x"]]);
  assert.deepEqual(childrenOf("leaf"), []);
});

test("keys and values are found, capitals and composition aside", () => {
  assert.deepEqual(search(value, "tower"), [["name"]]);
  assert.deepEqual(search(value, "서울".normalize("NFD")), [["name"]]);
  assert.deepEqual(search(value, "kind"), [["list", 2, "kind"]]);
  assert.deepEqual(search(value, "null"), [["list", 1], ["list", 2, "kind"]]);
  assert.deepEqual(search(value, ""), []);
  assert.equal(search(array(...Array(2000).fill("x")), "x").length, 500);
});

test("occurrences in a text", () => {
  assert.deepEqual(occurrences("Aa배송aA", "aa"), [[0, 2], [4, 6]]);
  assert.deepEqual(occurrences("abc", ""), []);
});
