import assert from "node:assert/strict";
import { test } from "node:test";
import { elapsedText, pause, percentText } from "../src/progress.mjs";

test("times in words", () => {
  assert.equal(elapsedText(0), "0 s");
  assert.equal(elapsedText(59.4), "59 s");
  assert.equal(elapsedText(125), "2 min 05 s");
  assert.equal(elapsedText(3725), "1 h 02 min");
  assert.equal(elapsedText(125, { minutes: "{m}분 {s}초" }), "2분 05초");
  assert.equal(elapsedText(3600), "1 h 00 min");
  assert.equal(elapsedText(-3), "0 s");
});

test("100% only when it is over", () => {
  assert.equal(percentText(0.999), "99%");
  assert.equal(percentText(1), "100%");
  assert.equal(percentText(7), "100%");
  assert.equal(percentText(-1), "0%");
  assert.equal(percentText(NaN), "0%");
});

test("questions grow rarer with time, and much rarer when nobody answers", () => {
  assert.ok(pause(1) < pause(1000));
  assert.ok(pause(1, 1) < pause(1, 3));
  assert.equal(pause(1, 20), 30000);
});
