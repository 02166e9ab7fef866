import assert from "node:assert/strict";
import { test } from "node:test";
import { around, fitted, kept, zoomed } from "../src/zoom.mjs";

const frame = { width: 400, height: 300 };
const picture = { width: 800, height: 300 };

test("a picture fits its frame", () => {
  assert.deepEqual(fitted(picture, frame), { scale: 0.5, x: 0, y: 75 });
  assert.equal(fitted({ width: 8, height: 8 }, frame).scale, 8);
});

test("the point under the pointer stays", () => {
  const before = fitted(picture, frame);
  const at = { x: 100, y: 120 };
  const after = zoomed(before, 2, at);
  const point = ({ scale, x, y }) => [(at.x - x) / scale, (at.y - y) / scale];
  assert.deepEqual(point(after), point(before));
  assert.equal(zoomed(before, 1e9, at).scale, 40);
  assert.equal(zoomed(before, 1e-9, at).scale, 0.02);
});

test("nothing is lost out of sight", () => {
  assert.deepEqual(kept({ scale: 1, x: 500, y: 500 }, picture, frame), { scale: 1, x: 0, y: 0 });
  assert.deepEqual(kept({ scale: 1, x: -9999, y: 0 }, picture, frame), { scale: 1, x: -400, y: 0 });
  assert.deepEqual(kept({ scale: 0.25, x: 0, y: 0 }, picture, frame), { scale: 0.25, x: 100, y: 112.5 });
});

test("a region comes into the middle", () => {
  const { scale, x, y } = around([[100, 100], [200, 120]], frame);
  assert.deepEqual([150 * scale + x, 110 * scale + y], [200, 150]);
  assert.ok(100 * scale <= frame.width && 20 * scale <= frame.height);
  assert.ok(Number.isFinite(around([[5, 5]], frame).scale));
});
