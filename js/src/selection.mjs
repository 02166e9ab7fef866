// Which cells are selected: a block between an anchor, where it began, and a focus, which moves.

/** A block of one cell. */
export function at(row, col) {
  return { anchor: { row, col }, focus: { row, col } };
}

/** The same block up to another cell. */
export function upTo(selection, row, col) {
  return { anchor: selection.anchor, focus: { row, col } };
}

/** `{top, bottom, left, right}`, both ends inside. */
export function edges({ anchor, focus }) {
  return {
    top: Math.min(anchor.row, focus.row),
    bottom: Math.max(anchor.row, focus.row),
    left: Math.min(anchor.col, focus.col),
    right: Math.max(anchor.col, focus.col),
  };
}

export function holds(selection, row, col) {
  if (!selection) return false;
  const { top, bottom, left, right } = edges(selection);
  return top <= row && row <= bottom && left <= col && col <= right;
}

/** How many cells. */
export function size(selection) {
  const { top, bottom, left, right } = edges(selection);
  return (bottom - top + 1) * (right - left + 1);
}

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/**
 * The selection after a key, or `null` for a key that moves nothing. As in a spreadsheet: Shift extends, Ctrl goes to the edge, Enter and
 * Tab go on (with Shift back), Home and End along the row, Page Up and Down by `page` rows. `rows` and `cols` count what there is.
 */
export function moved(selection, { key, shiftKey = false, ctrlKey = false, metaKey = false }, { rows, cols, page = 20 }) {
  const far = ctrlKey || metaKey;
  if (key === "a" && far) return { anchor: { row: 0, col: 0 }, focus: { row: rows - 1, col: cols - 1 } };
  const target = destination(selection.focus, key, far, shiftKey, { rows, cols, page });
  if (!target) return null;
  const row = clamp(target[0], rows);
  const col = clamp(target[1], cols);
  return shiftKey && key !== "Enter" && key !== "Tab" ? upTo(selection, row, col) : at(row, col);
}

function destination({ row, col }, key, far, back, { rows, cols, page }) {
  if (STEPS[key]) {
    const [down, right] = STEPS[key];
    return far ? [down ? (down > 0 ? rows - 1 : 0) : row, right ? (right > 0 ? cols - 1 : 0) : col] : [row + down, col + right];
  }
  if (key === "Enter") return [row + (back ? -1 : 1), col];
  if (key === "Tab") return along(row, col + (back ? -1 : 1), rows, cols);
  if (key === "Home") return [far ? 0 : row, 0];
  if (key === "End") return [far ? rows - 1 : row, cols - 1];
  if (key === "PageDown") return [row + page, col];
  if (key === "PageUp") return [row - page, col];
  return null;
}

// Past the end of a row, Tab goes on with the next one.
function along(row, col, rows, cols) {
  if (col >= cols) return row + 1 < rows ? [row + 1, 0] : [row, cols - 1];
  if (col < 0) return row > 0 ? [row - 1, cols - 1] : [row, 0];
  return [row, col];
}

function clamp(value, count) {
  return Math.max(0, Math.min(count - 1, value));
}
