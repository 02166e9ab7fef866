import assert from "node:assert/strict";
import { test } from "node:test";
import { choicesFor, selecting, writing } from "../src/pen.mjs";

const key = (name, more = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

test("while cells are selected", () => {
  assert.deepEqual(selecting(key("z", { ctrlKey: true })), { do: "undo" });
  assert.deepEqual(selecting(key("Z", { metaKey: true, shiftKey: true })), { do: "redo" });
  assert.deepEqual(selecting(key("ArrowDown")), { do: "move" });
  assert.deepEqual(selecting(key("Delete")), { do: "clear" });
  for (const name of ["a", "ㄱ", "1", " "]) assert.equal(selecting(key(name)), null);
  assert.equal(selecting(key("c", { ctrlKey: true })), null);
});

test("Hangul that is being composed is the browser's", () => {
  assert.equal(selecting(key("Process", { keyCode: 229 })), null);
  assert.equal(writing(key("Enter", { isComposing: true })), null);
});

test("while a cell is written", () => {
  assert.deepEqual(writing(key("Enter")), { do: "take", then: "Enter" });
  assert.deepEqual(writing(key("Enter", { altKey: true })), { do: "break" });
  assert.deepEqual(writing(key("Escape")), { do: "cancel" });
  assert.equal(writing(key("ArrowLeft")), null);
  assert.deepEqual(writing(key("ArrowLeft"), { typed: true }), { do: "take", then: "ArrowLeft" });
  assert.deepEqual(writing(key("ArrowDown"), { typed: true, choosing: true }), { do: "choose", by: 1 });
});

test("choices that begin so come first, then the frequent ones", () => {
  const choices = [{ text: "환불 문의", count: 2 }, { text: "배송 문의", count: 9 }, { text: "문의", count: 1 }];
  assert.deepEqual(choicesFor("문의", choices).map(({ text }) => text), ["문의", "배송 문의", "환불 문의"]);
  assert.deepEqual(choicesFor("환불".normalize("NFD"), choices).map(({ text }) => text), ["환불 문의"]);
  assert.deepEqual(choicesFor("", choices, 2).map(({ text }) => text), ["배송 문의", "환불 문의"]);
});
