import assert from "node:assert/strict";
import { test } from "node:test";
import { createThumbnails } from "../src/thumbnails.mjs";

const soon = (ms = 20) => new Promise((resolve) => setTimeout(resolve, ms));

function made(options = {}) {
  const asked = [];
  const dropped = [];
  const thumbnails = createThumbnails({
    ask: async ({ cells }) => {
      asked.push(cells);
      const bytes = new Uint8Array(cells.slice(0, 2).flatMap(([row]) => [row, row]));
      return { content: { made: cells.slice(0, 2).map(([row], place) => (row === 9 ? [place, 0, "broken"] : [place, 2, ""])) }, buffers: [new DataView(bytes.buffer)] };
    },
    makeUrl: (bytes) => `url:${[...bytes]}`,
    dropUrl: (url) => dropped.push(url),
    wait: 1,
    ...options,
  });
  return { thumbnails, asked, dropped };
}

test("pictures are asked for together; what an answer does not hold is asked for again", async () => {
  const { thumbnails, asked } = made();
  const got = [];
  for (const row of [3, 1, 2]) thumbnails.want(`t${row}`, row, "image", (found) => got.push([row, found]));
  await soon();
  assert.deepEqual(asked, [[[1, "image"], [2, "image"], [3, "image"]], [[3, "image"]]]);
  assert.deepEqual(got, [[1, { url: "url:1,1" }], [2, { url: "url:2,2" }], [3, { url: "url:3,3" }]]);
});

test("what is known is drawn at once, what left the screen is not asked for", async () => {
  const { thumbnails, asked } = made();
  let drawn = 0;
  const leave = thumbnails.want("gone", 5, "image", () => drawn++);
  thumbnails.want("here", 6, "image", () => drawn++);
  leave();
  await soon();
  thumbnails.want("here", 8, "image", () => drawn++);
  assert.deepEqual([asked, drawn], [[[[6, "image"]]], 2]);
});

test("a broken picture says why, and the oldest are forgotten", async () => {
  const { thumbnails, dropped } = made({ most: 1 });
  const got = [];
  thumbnails.want("bad", 9, "image", (found) => got.push(found));
  await soon();
  thumbnails.want("a", 1, "image", (found) => got.push(found));
  await soon();
  thumbnails.want("b", 2, "image", (found) => got.push(found));
  await soon();
  assert.deepEqual(got[0], { problem: "broken" });
  assert.deepEqual(dropped, ["url:1,1"]);
});

test("rows far apart are asked for apart, and an error leaves the next question possible", async () => {
  let fail = true;
  const { thumbnails, asked } = made();
  thumbnails.want("a", 1, "image", () => {});
  thumbnails.want("z", 5000, "image", () => {});
  await soon();
  assert.deepEqual(asked, [[[1, "image"]], [[5000, "image"]]]);
  const failing = made({ ask: async () => { if (fail) throw new Error("stale"); return { content: { made: [[0, 0, "x"]] }, buffers: [] }; } });
  let seen = 0;
  failing.thumbnails.want("a", 1, "image", () => seen++);
  await soon();
  fail = false;
  failing.thumbnails.want("a", 1, "image", () => seen++);
  await soon();
  assert.equal(seen, 1);
});
