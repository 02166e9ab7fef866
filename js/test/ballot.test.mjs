import assert from "node:assert/strict";
import { test } from "node:test";
import { deedOf, nextOpen, suggestions, sureText } from "../src/ballot.mjs";

test("letters vote, whatever the keyboard is set to", () => {
  assert.equal(deedOf({ key: "a", code: "KeyA" }), "a");
  assert.equal(deedOf({ key: "B", code: "KeyB" }), "b");
  assert.equal(deedOf({ key: "ㅁ", code: "KeyA" }), "a");
  assert.equal(deedOf({ key: "ㅣ", code: "KeyL" }), "label");
  assert.equal(deedOf({ key: "q", code: "KeyA" }), "", "a French keyboard's A is where it says A");
  assert.equal(deedOf({ key: "n", code: "KeyB" }), "neither");
});

test("nothing is voted while a syllable is composed, nor by a shortcut of the browser", () => {
  assert.equal(deedOf({ key: "Process", code: "KeyA", keyCode: 229 }), "");
  assert.equal(deedOf({ key: "ㅁ", code: "KeyA", isComposing: true }), "");
  for (const held of ["ctrlKey", "metaKey", "altKey"]) assert.equal(deedOf({ key: "a", code: "KeyA", [held]: true }), "");
  assert.equal(deedOf({ key: "Tab", code: "Tab" }), "");
  assert.equal(deedOf({ key: "1", code: "Digit1" }), "");
});

test("arrows and page keys move", () => {
  assert.deepEqual(["ArrowDown", "ArrowUp", "PageDown", "PageUp", "Home", "End", "/"].map((key) => deedOf({ key })), ["down", "up", "next", "previous", "first", "last", "search"]);
});

test("the next query is the first below that nobody voted on", () => {
  const rows = [{ vote: null }, { vote: "a" }, { vote: "" }, { vote: "skip" }];
  assert.equal(nextOpen(rows), 0);
  assert.equal(nextOpen(rows, 0), 2);
  assert.equal(nextOpen(rows, 2), -1);
  assert.equal(nextOpen([], 0), -1);
});

test("labels that begin with what is typed come first; 한글 is compared composed", () => {
  const known = ["timer", "알람", "Alarm", "no alarm"];
  assert.deepEqual(suggestions(known, "al"), ["Alarm", "no alarm"]);
  assert.deepEqual(suggestions(known, "알".normalize("NFD")), ["알람"]);
  assert.deepEqual(suggestions(known, "", 2), ["timer", "알람"]);
});

test("a confidence that nobody knows is nothing, not 0.00", () => {
  assert.deepEqual([sureText(0.934), sureText(0), sureText(null), sureText(undefined)], ["0.93", "0.00", "", ""]);
});
