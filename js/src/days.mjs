// Days as people type them, and the month that they are in. A day is `YYYY-MM-DD`; nothing here knows of time zones.

const WRITTEN = /^\s*(\d{4})\s*(?:[-./]|년)\s*(\d{1,2})\s*(?:[-./]|월)\s*(\d{1,2})\s*(?:일|\.)?(.*)$/s;

/** `{day, rest}` of a text that begins with a day (`2026-11-21`, `2026. 11. 21.`, `2026년 11월 21일`), else `null`. */
export function dayOf(text) {
  const found = WRITTEN.exec(text);
  if (!found) return null;
  const [, year, month, date, rest] = found;
  const day = iso(new Date(Date.UTC(Number(year), Number(month) - 1, Number(date))));
  return day === `${year}-${month.padStart(2, "0")}-${date.padStart(2, "0")}` ? { day, rest: rest.replace(/^[T\s]+/, "") } : null;
}

/** A text with another day: the time after it stays. */
export function withDay(text, day) {
  const rest = dayOf(text)?.rest;
  return rest ? `${day} ${rest}` : day;
}

export function shifted(day, days) {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + days);
  return iso(date);
}

/** The same day of another month, or that month's last. */
export function inMonth(day, months) {
  const [year, month, date] = day.split("-").map(Number);
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return iso(new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))));
}

/** The weeks of the day's month, from Sunday: `[[{day, date, inside}, …], …]`. */
export function weeksOf(day) {
  const first = `${day.slice(0, 7)}-01`;
  const start = shifted(first, -new Date(`${first}T00:00:00Z`).getUTCDay());
  const weeks = [];
  for (let from = start; !weeks.length || from.slice(0, 7) === day.slice(0, 7); from = shifted(from, 7))
    weeks.push(
      Array.from({ length: 7 }, (_, offset) => {
        const one = shifted(from, offset);
        return { day: one, date: Number(one.slice(8)), inside: one.slice(0, 7) === day.slice(0, 7) };
      }),
    );
  return weeks;
}

function iso(date) {
  return Number.isNaN(date.getTime()) ? "" : date.toISOString().slice(0, 10);
}
