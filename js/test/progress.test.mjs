import assert from "node:assert/strict";
import { test } from "node:test";
import { atEnd, elapsedText, foundText, percentText } from "../src/progress.mjs";

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

test("a log is followed while its end is in sight", () => {
  assert.ok(atEnd({ scrollTop: 100, clientHeight: 80, scrollHeight: 182 }));
  assert.ok(!atEnd({ scrollTop: 60, clientHeight: 80, scrollHeight: 182 }));
});

test("what was found, and whether that is all", () => {
  assert.equal(foundText(3, 3, { found: "{count}줄" }, "ko"), "3줄");
  assert.equal(foundText(12345, 200, { first: "{count} lines, {shown} shown" }, "en"), "12,345 lines, 200 shown");
});
