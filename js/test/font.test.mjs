import assert from "node:assert/strict";
import { test } from "node:test";
import { ensureFont } from "../src/font.mjs";

function fakePage() {
  const added = [];
  return { added, fonts: { add: (face) => added.push(face) }, documentElement: { dataset: {} } };
}

class Face {
  constructor(family, source, { weight }) {
    Object.assign(this, { family, source, weight });
  }
  async load() {
    return this;
  }
}

const faces = [{ family: "Pretendard", weight: 400 }, { family: "Pretendard", weight: 600 }];
const messages = { request: async () => ({ content: { faces }, buffers: ["regular", "bold"] }) };

test("the font is asked for once a page", async () => {
  const page = fakePage();
  assert.equal(await ensureFont(messages, page, Face), true);
  assert.equal(await ensureFont(messages, page, Face), false);
  assert.deepEqual(page.added.map(({ source, weight }) => [source, weight]), [["regular", "400"], ["bold", "600"]]);
});

test("when it does not come, the next widget may ask again", async () => {
  const page = fakePage();
  const silent = { request: () => Promise.reject(new Error("silent")) };
  assert.equal(await ensureFont(silent, page, Face), false);
  assert.equal(await ensureFont(messages, page, Face), true);
});
