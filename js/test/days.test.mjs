import assert from "node:assert/strict";
import { test } from "node:test";
import { dayOf, inMonth, shifted, weeksOf, withDay } from "../src/days.mjs";

test("a day as people type it", () => {
  for (const text of ["2026-11-21", "2026. 11. 21.", "2026/11/21", " 2026년 11월 21일"]) assert.deepEqual(dayOf(text), { day: "2026-11-21", rest: "" });
  assert.deepEqual(dayOf("2026-11-21T21:05:00"), { day: "2026-11-21", rest: "21:05:00" });
  for (const text of ["", "21일", "2026-02-30", "2026-13-01"]) assert.equal(dayOf(text), null);
});

test("another day keeps the time", () => {
  assert.equal(withDay("2026. 11. 21. 21:05", "2026-12-01"), "2026-12-01 21:05");
  assert.equal(withDay("", "2026-12-01"), "2026-12-01");
});

test("days, months, weeks", () => {
  assert.equal(shifted("2026-12-31", 1), "2027-01-01");
  assert.deepEqual([inMonth("2026-01-31", 1), inMonth("2028-02-29", -12), inMonth("2026-12-05", 1)], ["2026-02-28", "2027-02-28", "2027-01-05"]);
  const weeks = weeksOf("2026-11-21");
  assert.deepEqual([weeks.length, weeks[0][0], weeks[3][6].day], [5, { day: "2026-11-01", date: 1, inside: true }, "2026-11-28"]);
  assert.deepEqual([weeksOf("2026-02-10").length, weeksOf("2026-05-10").length], [4, 6]);
});
