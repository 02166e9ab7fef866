import assert from "node:assert/strict";
import { test } from "node:test";
import { collect } from "../src/collecting.mjs";

const content = new Uint8Array([1, 2, 3, 4, 5]);
const ask = async (offset) => ({ content: { total: 5 }, buffers: [new DataView(content.slice(offset, offset + 2).buffer)] });

test("pieces are put together, and how far it is is told", async () => {
  const told = [];
  const { bytes } = await collect(ask, { told: (done, total) => told.push([done, total]) });
  assert.deepEqual([...bytes], [1, 2, 3, 4, 5]);
  assert.deepEqual(told, [[2, 5], [4, 5], [5, 5]]);
});

test("what nobody waits for ends, and what is empty too", async () => {
  assert.equal(await collect(ask, { gone: () => true }), null);
  const { bytes } = await collect(async () => ({ content: { total: 0 }, buffers: [new DataView(new ArrayBuffer(0))] }));
  assert.equal(bytes.length, 0);
});
