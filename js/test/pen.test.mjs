import assert from "node:assert/strict";
import { test } from "node:test";
import { choicesFor, laid, letterOf, selecting, writing } from "../src/pen.mjs";

const key = (name, more = {}) => ({ key: name, ctrlKey: false, metaKey: false, altKey: false, shiftKey: false, ...more });

test("while cells are selected", () => {
  assert.deepEqual(selecting(key("z", { ctrlKey: true })), { do: "undo" });
  assert.deepEqual(selecting(key("Z", { metaKey: true, shiftKey: true })), { do: "redo" });
  assert.deepEqual(selecting(key("ArrowDown")), { do: "move" });
  assert.deepEqual(selecting(key("Delete")), { do: "clear" });
  assert.deepEqual(selecting(key("d", { ctrlKey: true })), { do: "fill" });
  assert.deepEqual([selecting(key(" ")), selecting(key(" "), "bool"), selecting(key(" ", { shiftKey: true }))], [{ do: "look" }, { do: "toggle" }, { do: "tick" }]);
  for (const name of ["a", "ㄱ", "1", "?"]) assert.equal(selecting(key(name)), null);
  assert.equal(selecting(key("c", { ctrlKey: true })), null);
});

test("Hangul that is being composed is the browser's", () => {
  assert.equal(selecting(key("Process", { keyCode: 229 })), null);
  assert.equal(writing(key("Enter", { isComposing: true })), null);
});

test("a shortcut is known by its key on a Korean keyboard", () => {
  assert.deepEqual(selecting(key("ㅋ", { code: "KeyZ", metaKey: true })), { do: "undo" });
  assert.equal(letterOf({ key: "y", code: "KeyZ" }), "y"); // a German one
  assert.equal(selecting(key("ㅋ", { code: "KeyZ" })), null);
});

test("while a cell is written", () => {
  assert.deepEqual(writing(key("Enter")), { do: "take", then: "Enter" });
  assert.deepEqual(writing(key("Enter", { altKey: true })), { do: "break" });
  assert.deepEqual(writing(key("Escape")), { do: "cancel" });
  assert.equal(writing(key("ArrowLeft")), null);
  assert.deepEqual(writing(key("ArrowLeft"), { typed: true }), { do: "take", then: "ArrowLeft" });
});

test("choices that begin so come first, then the frequent ones", () => {
  const choices = [{ text: "환불 문의", count: 2 }, { text: "배송 문의", count: 9 }, { text: "문의", count: 1 }];
  assert.deepEqual(choicesFor("문의", choices).map(({ text }) => text), ["문의", "배송 문의", "환불 문의"]);
  assert.deepEqual(choicesFor("환불".normalize("NFD"), choices).map(({ text }) => text), ["환불 문의"]);
  assert.deepEqual(choicesFor("", choices, 2).map(({ text }) => text), ["배송 문의", "환불 문의"]);
});

test("a pen stays in its frame, and what helps it goes above where there is no room below", () => {
  const frame = { width: 600, height: 300 };
  const help = { width: 250, height: 120 };
  const low = laid({ x: 500, y: 260, height: 32 }, { width: 180, height: 32 }, help, frame);
  assert.deepEqual(low, { left: 420, top: 260, helpLeft: 350, helpTop: 138 });
  const high = laid({ x: 10, y: 40, height: 32 }, { width: 180, height: 60 }, help, frame);
  assert.deepEqual(high, { left: 10, top: 40, helpLeft: 10, helpTop: 102 });
});
