import assert from "node:assert/strict";
import { test } from "node:test";
import { asPython, cellsOf, openBox, pageId } from "../src/unsent.mjs";

/** What a browser keeps, in memory. */
function memory(room = Infinity) {
  const kept = new Map();
  return {
    get length() { return kept.size; },
    key: (index) => [...kept.keys()][index],
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, text) => { if (text.length > room) throw new Error("QuotaExceededError"); kept.set(name, text); },
    removeItem: (name) => kept.delete(name),
  };
}

test("what was typed stays until the kernel has it; the later text of a cell counts", () => {
  const storage = memory();
  let heard = 0;
  const box = openBox("talk-1", "p1", { storage, now: () => 7, told: () => (heard += 1) });
  assert.equal(box.put([["r1", "price", "1"], ["r2", "price", "2"]]), true);
  box.put([["r1", "price", "3"]]);
  assert.deepEqual(openBox("talk-1", "p1", { storage }).cells(), [["r1", "price", "3"], ["r2", "price", "2"]]);
  box.done([["r1", "price", "1"]]); // an answer to the earlier text leaves the later one
  assert.equal(box.cells().length, 2);
  box.done([["r1", "price", "3"], ["r2", "price", "2"]]);
  assert.deepEqual([box.cells(), storage.length, heard], [[], 0, 3]);
});

test("what another page left is found, and taken or dropped", () => {
  const storage = memory();
  openBox("talk-1", "p1", { storage, now: () => 1 }).put([["r1", "a", "x"]]);
  openBox("talk-1", "p3", { storage, now: () => 2 }).put([["r1", "a", "y"]]);
  openBox("other", "p1", { storage }).put([["r1", "a", "x"]]);
  const box = openBox("talk-1", "p2", { storage });
  assert.deepEqual(box.others().map(({ at }) => at), [2, 1]);
  box.adopt(box.others()[0].name);
  box.drop(box.others()[0].name);
  assert.deepEqual([box.cells(), box.others()], [[["r1", "a", "y"]], []]);
});

test("a browser that keeps nothing, or is full, is no error", () => {
  const full = openBox("talk-1", "p1", { storage: memory(10) });
  assert.equal(full.put([["r1", "a", "x"]]), false);
  const none = openBox("talk-1", "p1", { storage: undefined });
  assert.deepEqual([none.put([["r1", "a", "x"]]), none.cells(), none.others()], [false, [], []]);
  assert.equal(pageId(undefined), "");
  const session = memory();
  assert.equal(pageId(session), pageId(session));
  const broken = memory();
  broken.setItem("clow:unsent:t:p", "{");
  assert.deepEqual(openBox("t", "p", { storage: broken }).cells(), []);
});

test("the cells of a message, by the ids of their rows", () => {
  const idAt = (row) => (row < 3 ? `r${row}` : undefined);
  assert.deepEqual(cellsOf("write", { cells: [[0, "a", "x"], [5, "a", "y"]] }, idAt), [["r0", "a", "x"]]);
  const block = { top: 1, bottom: 2, keys: ["a", "b"], texts: [["x", 0], ["", "z"]] };
  assert.deepEqual(cellsOf("paste", block, idAt, 0), [["r1", "a", "x"], ["r2", "a", ""], ["r2", "b", "z"]]);
  assert.deepEqual(cellsOf("clear", { top: 2, bottom: 2, keys: ["a"] }, idAt), [["r2", "a", null]]);
  assert.deepEqual(cellsOf("undo", {}, idAt), []);
});

test("the same as Python", () => {
  const kinds = { price: "number", text: "text", at: "moment" };
  assert.equal(
    asPython([["r1", "price", "1500"], ["r1", "text", '말 "씀"\n'], ["r2", "price", "1,500"], ["r2", "at", "2026-11-21"], ["r3", "text", ""]], kinds, 'ws.datasets["talk"]'),
    [
      "from clow_nb.ui.typed import read",
      "",
      'edit = ws.datasets["talk"].edit()',
      'edit.set("r1", "price", 1500)',
      'edit.set("r1", "text", "말 \\"씀\\"\\n")',
      'edit.set("r2", "price", read("1,500", "number"))',
      'edit.set("r2", "at", read("2026-11-21", "moment"))',
      'edit.unset("r3", "text")',
      "edit.commit()",
    ].join("\n"),
  );
});
