// Pure logic of the grid: what a page looks like on the wire, and how wide its columns are.
import { widthText } from "./cells.mjs";

const decoder = new TextDecoder();

/** The rows of an answer: `{content: {total}, buffers: [JSON of [[cell, …], …]]}` → `{rows, total}`. */
export function decodePage({ content, buffers }) {
  const rows = buffers.length ? JSON.parse(decoder.decode(buffers[0])) : [];
  return { rows, total: content.total };
}

/** AG Grid's sort model as the `[[key, 1 | -1], …]` of `Dataset.find`. */
export function sortOf(sortModel, columns) {
  return sortModel.map(({ colId, sort }) => [columns[indexOf(colId)].key, sort === "desc" ? -1 : 1]);
}

/** The id of a column; keys may hold dots or be anything, so a column is known by its place. */
export function columnId(index) {
  return `c${index}`;
}

function indexOf(colId) {
  return Number(colId.slice(1));
}

/** "1,234 rows", or "12 of 1,234 rows" where some are left out, in the words of the page's language. */
export function countText(total, labels, locale, all = total) {
  const words = all > total ? (labels.found ?? "{count} of {total} rows") : (labels.rows ?? "{count} rows");
  return words.replace("{count}", total.toLocaleString(locale)).replace("{total}", all.toLocaleString(locale));
}

/** A first guess at a column's width in pixels, from its name and the cells at hand. */
export function guessWidth(name, cells, { min = 90, max = 420, character = 7.4, padding = 34 } = {}) {
  const widths = cells.slice(0, 30).map((cell) => visualLength(widthText(cell)));
  widths.sort((a, b) => a - b);
  const typical = widths.length ? widths[Math.floor(0.9 * (widths.length - 1))] : 0;
  const wanted = Math.max(visualLength(name) + 2, typical) * character + padding;
  return Math.round(Math.min(max, Math.max(min, wanted)));
}

/** Gives spare room to the widest column that may grow (a narrow one only alone), or takes what is little too much from it; far too much is scrolled. */
export function fitWidths(widths, room, least = 180) {
  const free = widths.filter(({ fixed }) => !fixed);
  const wide = free.filter(({ narrow }) => !narrow);
  const growing = wide.length ? wide : free;
  if (!growing.length) return;
  const widest = growing.reduce((a, b) => (b.newWidth >= a.newWidth ? b : a));
  const spare = room - widths.reduce((sum, { newWidth }) => sum + newWidth, 0);
  if (widest.newWidth + spare >= least) widest.newWidth += spare;
}

/** Length of a text in half-width characters: a Hangul syllable takes two. */
export function visualLength(text) {
  let length = 0;
  for (const character of text) length += character.codePointAt(0) >= 0x1100 ? 1.75 : 1;
  return length;
}
