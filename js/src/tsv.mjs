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

function plain(text, start) {
  const found = text.slice(start).search(/[\t\r\n]/);
  const end = found < 0 ? text.length : start + found;
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

/**
 * What a paste of `block` changes: `[{row, col, text}, …]`. A single cell fills the whole selection, a block is repeated when
 * the selection holds it several times, else it is put down once at the selection's first cell. Nothing goes beyond `rows` and `cols`.
 */
export function pasted(block, { top, left, bottom, right }, { rows, cols }) {
  const height = block.length;
  const width = Math.max(...block.map((row) => row.length));
  const times = (room, one) => (room > one && room % one === 0 ? room / one : 1);
  const down = times(bottom - top + 1, height) * height;
  const across = times(right - left + 1, width) * width;
  const cells = [];
  for (let r = 0; r < down && top + r < rows; r++)
    for (let c = 0; c < across && left + c < cols; c++) {
      const text = block[r % height][c % width];
      if (text !== undefined) cells.push({ row: top + r, col: left + c, text });
    }
  return cells;
}
