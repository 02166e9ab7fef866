import assert from "node:assert/strict";
import { test } from "node:test";
import { added, labelsOf, textOf, withLabel, without } from "../src/labelled.mjs";

test("the labels of a cell", () => {
  assert.deepEqual(labelsOf('["빠름","친절"]'), ["빠름", "친절"]);
  assert.deepEqual(labelsOf(""), []);
  assert.deepEqual([labelsOf("[1, 2]"), labelsOf("빠름")], [null, null]);
});

test("added and taken away", () => {
  assert.deepEqual(added(["빠름"], "친절, 빠름 ,"), ["빠름", "친절"]);
  assert.deepEqual(added([], "빠름".normalize("NFD")), ["빠름"]);
  assert.deepEqual(withLabel(["빠름"], "빠르고, 친절"), ["빠름", "빠르고, 친절"]);
  assert.deepEqual([textOf(without(["빠름"], "빠름")), textOf(["a"])], ["", '["a"]']);
});
