import assert from "node:assert/strict";
import { test } from "node:test";
import { isOn, legendOf, readRegions, readingLayer } from "../src/regions.mjs";

const told = {
  regions: [
    ["box", [[0, 0], [9, 9]], "total", "합계 9.00", "lines"],
    ["box", [[0, 0], [4, 9]], "", "합계", "words"],
    ["box", [[5, 0], [9, 9]], "", "9.00", "words"],
  ],
  order: [1, 2, 0],
};

test("regions are named by their label, else by their layer", () => {
  const { list, inOrder } = readRegions(told);
  assert.deepEqual(list.map(({ name }) => name), ["total", "words", "words"]);
  assert.deepEqual(inOrder.map(({ place }) => place), [1, 2, 0]);
});

test("layers are offered where there are several, labels where there are any", () => {
  const { list } = readRegions(told);
  assert.deepEqual(legendOf(list), { layers: [["lines", 1], ["words", 2]], labels: [["total", 1]] });
  assert.deepEqual(legendOf(list.slice(1)).layers, []);
});

test("a region is off with its layer or its label", () => {
  const { list } = readRegions(told);
  const on = (...off) => list.filter((region) => isOn(region, new Set(off))).map(({ place }) => place);
  assert.deepEqual([on(), on("layer:words"), on("label:total")], [[0, 1, 2], [0], [1, 2]]);
});

test("lines are read, not their words", () => {
  assert.equal(readingLayer(readRegions(told).list), "lines");
  assert.equal(readingLayer([]), null);
});
