import assert from "node:assert/strict";
import { test } from "node:test";
import { drawn, folded, formatNumber, isRich, isWhole, widthText } from "../src/cells.mjs";
import { hueOf } from "../src/colours.mjs";

test("a missing key, a null and an empty text look different", () => {
  assert.deepEqual(drawn(null), { text: "", style: "missing" });
  assert.deepEqual(drawn(undefined), { text: "", style: "missing" });
  assert.deepEqual(drawn({ kind: "null" }), { text: "null", style: "null" });
  assert.deepEqual(drawn(""), { text: "", style: "text" });
});

test("values are drawn as they are", () => {
  assert.deepEqual(drawn(1234567), { text: "1234567", style: "number" });
  assert.deepEqual(drawn(false), { text: "false", style: "boolean" });
  assert.deepEqual(drawn("<b>"), { text: "<b>", style: "text" });
  assert.deepEqual(drawn({ kind: "number", text: "1152921504606846976" }), { text: "1152921504606846976", style: "number" });
  assert.deepEqual(drawn({ kind: "json", text: '{"a": 1}', keys: 1 }), { text: '{"a": 1}', style: "json" });
  assert.deepEqual(drawn({ kind: "odd", text: "\\ud800" }), { text: "\\ud800", style: "text" });
  assert.deepEqual(drawn({ kind: "date", text: "2026-01-02 08:00:00", hint: "2026-01-01T23:00:00Z" }).hint, "2026-01-01T23:00:00Z");
  assert.equal(formatNumber(-0), "-0");
});

test("a cut text says how long it is", () => {
  assert.deepEqual(drawn({ kind: "cut", text: "가…", size: 5000 }, { cut: "{size}자" }), { text: "가…", style: "text", hint: "5000자" });
});

test("what the page does not have whole is asked for", () => {
  assert.deepEqual([1, "a", null, true, { kind: "null" }, { kind: "number", text: "1.0" }].map(isWhole), Array(6).fill(true));
  assert.deepEqual(["cut", "json", "date", "chips", "spans", "picture", "bytes", "odd"].map((kind) => isWhole({ kind })), Array(8).fill(false));
  assert.deepEqual([isRich({ kind: "json" }), isRich("a"), isRich(null), isRich({ kind: "date" })], [true, false, false, false]);
});

test("nesting is folded", () => {
  assert.deepEqual(folded({ kind: "json", keys: 4 }, { keys: "키 {count}개" }), ["{…}", "키 4개"]);
  assert.deepEqual(folded({ kind: "json", items: 0 }), ["[]", "0 items"]);
  assert.deepEqual(folded({ kind: "boxes", count: 60 })[1], "60 regions");
});

test("a label keeps its colour, however it is spelled", () => {
  assert.equal(hueOf("배송"), hueOf("배송".normalize("NFD")));
  assert.equal(hueOf("cat"), hueOf("cat"));
  const hues = new Set(["person", "city", "date", "total", "company", "address", "cat", "dog", "LOC", "ORG", "PER"].map(hueOf));
  assert.ok(hues.size >= 8);
  assert.ok([...hues].every((hue) => hue >= 0 && hue < 360));
});

test("the width of a cell is that of its short form", () => {
  assert.equal(widthText("abc"), "abc");
  assert.equal(widthText({ kind: "chips", labels: ["a", "b"], more: 0, text: '["a", "b"]' }), "axxxbxxx");
  assert.equal(widthText({ kind: "json", keys: 2, text: "x".repeat(300) }).length, 37);
  assert.equal(widthText({ kind: "spans", marks: [["city", "서울"]], more: 0, text: "" }), "city서울xxxx");
});
