// Blocks of cells as the clipboard of spreadsheets has them: rows end with a line break, cells with a tab.

/** The text of a block; a cell with a tab, a line break or a quote at its beginning is quoted, as Excel does it. */
export function encode(rows) {
  return rows.map((row) => row.map(quoted).join("\t")).join("\n");
}

function quoted(text) {
  return /[\t\n\r]|^"/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The rows of a text. Excel ends the last row too; a quote opens a cell only at its beginning. */
export function decode(text) {
  const rows = [[]];
  let at = 0;
  while (at <= text.length) {
    const [cell, end] = text[at] === '"' ? inQuotes(text, at) : plain(text, at);
    rows.at(-1).push(cell);
    if (text[end] === "\t") {
      at = end + 1;
      continue;
    }
    at = text.startsWith("\r\n", end) ? end + 2 : end + 1;
    if (at >= text.length) break;
    rows.push([]);
  }
  return rows;
}

const ENDS = /[\t\r\n]/g;

function plain(text, start) {
  ENDS.lastIndex = start;
  const end = ENDS.exec(text)?.index ?? text.length;
  return [text.slice(start, end), end];
}

function inQuotes(text, start) {
  let cell = "";
  let at = start + 1;
  for (;;) {
    const close = text.indexOf('"', at);
    if (close < 0) return plain(text, start); // never closed: the quote is a character like others
    cell += text.slice(at, close);
    if (text[close + 1] !== '"') {
      const ends = close + 1 >= text.length || "\t\r\n".includes(text[close + 1]);
      return ends ? [cell, close + 1] : plain(text, start);
    }
    cell += '"';
    at = close + 2;
  }
}

/** Where a pasted block says nothing about a cell. */
export const NONE = null;

/**
 * What a paste of `block` changes: `{top, left, texts, beyond, cut}`, where `beyond` counts the rows after the last one, `cut` the columns.
 * A single cell fills the whole selection, a block is repeated when the selection holds it several times, else it is put down once at the
 * selection's first cell.
 */
export function pasted(block, { top, left, bottom, right }, { rows, cols }) {
  const height = block.length;
  const width = block.reduce((most, row) => Math.max(most, row.length), 0);
  const times = (room, one) => (room > one && room % one === 0 ? room / one : 1);
  const down = times(bottom - top + 1, height) * height;
  const across = times(right - left + 1, width) * width;
  const wide = Math.min(across, cols - left);
  const line = (r) => Array.from({ length: wide }, (_, c) => block[r % height][c % width] ?? NONE);
  const texts = Array.from({ length: down }, (_, r) => line(r));
  return { top, left, texts, beyond: Math.max(0, top + down - rows), cut: across - wide };
}
