import assert from "node:assert/strict";
import { test } from "node:test";
import { columnId, countText, decodePage, fitWidths, guessWidth, sortOf, visualLength } from "../src/rows.mjs";

const page = (rows) => new DataView(new TextEncoder().encode(JSON.stringify(rows)).buffer);

test("a page is rows and a total", () => {
  assert.deepEqual(decodePage({ content: { total: 9 }, buffers: [page([["책", 1], [null, 2]])] }), {
    rows: [["책", 1], [null, 2]],
    total: 9,
  });
  assert.deepEqual(decodePage({ content: { total: 0 }, buffers: [] }), { rows: [], total: 0 });
});

test("a sort names keys, whatever is in them", () => {
  const columns = [{ key: "_id" }, { key: "a.b" }, { key: "c1" }];
  const model = [{ colId: columnId(1), sort: "desc" }, { colId: columnId(2), sort: "asc" }];
  assert.deepEqual(sortOf(model, columns), [["a.b", -1], ["c1", 1]]);
});

test("counts are grouped and worded", () => {
  assert.equal(countText(1234, { rows: "{count} rows" }, "en"), "1,234 rows");
  assert.equal(countText(1234, { rows: "{count}행" }, "ko"), "1,234행");
  assert.equal(countText(12, { found: "{count} of {total} rows" }, "en", 3401), "12 of 3,401 rows");
});

test("widths follow the text, Korean is wider, one long cell does not stretch a column", () => {
  assert.ok(visualLength("가나다") > visualLength("abc"));
  assert.equal(guessWidth("a", []), 90);
  assert.equal(guessWidth("a", ["x".repeat(900)]), 420);
  const cells = [...Array(20).fill("short"), "x".repeat(900)];
  assert.ok(guessWidth("a", cells) < 120);
});

test("columns fill the room, give way a little, and are scrolled when there are many", () => {
  const widths = (...all) => all.map((newWidth, i) => ({ key: `c${i}`, newWidth }));
  const after = (all, room) => (fitWidths(all, room), all.map(({ newWidth }) => newWidth));
  assert.deepEqual(after(widths(100, 300), 600), [100, 500]);
  assert.deepEqual(after(widths(100, 300), 360), [100, 260]);
  assert.deepEqual(after(widths(100, 300), 200), [100, 300]);
  assert.deepEqual(after([], 200), []);
  assert.deepEqual(after([{ newWidth: 100 }, { newWidth: 100, narrow: true }], 600), [500, 100]);
  assert.deepEqual(after([{ newWidth: 100, fixed: true }, { newWidth: 100, narrow: true }], 600), [100, 500]);
});
