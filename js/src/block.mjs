// The block of cells that is selected: drawn with the mouse, moved by keys, painted, and the pen laid over its focus.
import { h } from "./dom.mjs";
import { laid } from "./pen.mjs";
import { at, edges, holds, moved, size, upTo } from "./selection.mjs";

const LARGE = { width: 420, height: 150 };
const NOTHING = { width: 0, height: 0 };

/** Adds to the sheet `select show move place paint focusInSight edges` and `selection`. */
export function attachBlock(sheet) {
  const { api, box, pen, help, labels, model } = sheet;
  let order = sheet.shown();
  sheet.selection = null;

  const room = () => ({ rows: sheet.total, cols: order.length, page: Math.max(1, Math.floor(box.clientHeight / 32) - 3) });

  // The browser's own events: the grid's come a moment later, when the next letter may have been typed already.
  function cellOf({ target }) {
    const cell = target.closest?.(".ag-cell[col-id]");
    if (!cell) return null;
    return { row: Number(cell.closest(".ag-row").getAttribute("row-index")), col: sheet.shown().indexOf(cell.getAttribute("col-id")) };
  }

  box.addEventListener("mousedown", (event) => {
    const found = event.button === 0 && cellOf(event);
    if (!found || found.row >= sheet.total) return;
    event.preventDefault();
    pen.blur(); // what is being composed is written where it was begun
    if (found.col < 0) sheet.tickRow?.(found.row, event.shiftKey);
    else select(event.shiftKey && sheet.selection ? upTo(sheet.selection, found.row, found.col) : at(found.row, found.col));
    pen.focus({ preventScroll: true });
  });
  box.addEventListener("mouseover", (event) => {
    const found = sheet.selection && !sheet.pencil && event.buttons & 1 && cellOf(event);
    if (found && found.col >= 0) select(upTo(sheet.selection, found.row, found.col));
  });
  box.addEventListener("dblclick", (event) => {
    const found = cellOf(event);
    if (found && found.col >= 0) sheet.open();
  });

  function select(block, look = true) {
    sheet.selection = block;
    pen.hidden = !block;
    paint();
    if (!block) return;
    const { row, col } = block.focus;
    show();
    const cells = size(block);
    sheet.say(cells > 1 ? (labels().selected ?? "").replace("{count}", cells.toLocaleString(model.get("lang"))) : "");
    sheet.complain(sheet.refusal(row, sheet.placeOf(col))?.sentence ?? "");
    if (look) sheet.view.look(row, sheet.columns()[sheet.placeOf(col)].key);
    place();
  }

  function show() {
    const { row, col } = sheet.selection.focus;
    api.ensureIndexVisible(row);
    api.ensureColumnVisible(order[col]);
  }

  const move = (event) => {
    const target = moved(sheet.selection, event, room());
    if (target) select(target);
  };

  /** Whether a cell is in the block, by its place among the columns that are shown. */
  const inBlock = (row, colId) => Boolean(sheet.selection) && holds(sheet.selection, row, order.indexOf(colId));

  // Only classes change: the cells stay as they are drawn.
  function paint() {
    for (const cell of box.querySelectorAll(".ag-cell[col-id]")) {
      const row = Number(cell.closest(".ag-row").getAttribute("row-index"));
      cell.classList.toggle("clow-in-block", inBlock(row, cell.getAttribute("col-id")));
    }
  }

  function cellAt({ row, col }) {
    return box.querySelector(`.ag-row[row-index="${row}"] .ag-cell[col-id="${order[col]}"]`);
  }

  // The cell that has the focus, where it is in sight: the grid keeps its row when it is scrolled away.
  function focusInSight() {
    const cell = sheet.selection && cellAt(sheet.selection.focus);
    if (!cell) return null;
    const [rect, frame] = [cell.getBoundingClientRect(), box.getBoundingClientRect()];
    const head = box.querySelector(".ag-header")?.getBoundingClientRect().bottom ?? frame.top;
    return rect.bottom > head && rect.top < frame.bottom && rect.right > frame.left && rect.left < frame.right ? cell : null;
  }

  // The pen lies over the cell that has the focus, so that what is composed appears in its place.
  function place() {
    if (!sheet.selection) return;
    const cell = focusInSight();
    pen.classList.toggle("clow-pen-away", !cell);
    const writes = Boolean(sheet.pencil && cell);
    pen.classList.toggle("clow-writing", writes);
    pen.classList.toggle("clow-pen-large", writes && Boolean(sheet.pencil.helper?.large));
    help.hidden = !writes || !help.firstChild || help.firstChild.hidden;
    if (!cell) return;
    const frame = box.getBoundingClientRect();
    const rect = cell.getBoundingClientRect();
    const over = { x: rect.left - frame.left, y: rect.top - frame.top, height: rect.height };
    const wanted = sized(rect, frame, writes);
    pen.style.width = `${wanted.width}px`;
    pen.style.height = `${rect.height}px`;
    const height = writes ? Math.min(Math.max(wanted.height, pen.scrollHeight + 2), 260) : rect.height;
    pen.style.height = `${height}px`;
    const there = writes
      ? laid(over, { width: wanted.width, height }, help.hidden ? NOTHING : help.getBoundingClientRect(), frame)
      : { left: over.x, top: over.y };
    pen.style.transform = `translate(${there.left}px, ${there.top}px)`;
    if (writes) help.style.transform = `translate(${there.helpLeft}px, ${there.helpTop}px)`;
  }

  function sized(rect, frame, writes) {
    if (!writes) return rect;
    const least = sheet.pencil.helper?.large ? LARGE : { width: pen.value.length > 40 ? 360 : 180, height: rect.height };
    return { width: Math.min(Math.max(rect.width, least.width), frame.width - 8), height: Math.max(rect.height, least.height) };
  }

  // Columns were hidden, moved, pinned: the block stays on its columns where they are still there.
  function rearranged() {
    if (sheet.pencil) sheet.take();
    const { selection } = sheet;
    const old = order;
    order = sheet.shown();
    if (!selection) return;
    const col = order.indexOf(old[selection.focus.col]);
    select(col < 0 ? null : at(selection.focus.row, col), false);
  }

  Object.assign(sheet, { select, show, move, place, paint, focusInSight, inBlock, rearranged, edges: () => edges(sheet.selection), at });
}

/** The text area that always has the focus while cells are selected, and the place of what helps it. */
export function penOver(box, label) {
  const pen = h("textarea.clow-pen", { rows: 1, spellcheck: "false", autocomplete: "off", "aria-label": label, hidden: true });
  const help = h("div.clow-pen-help", { hidden: true });
  box.append(pen, help);
  return { pen, help };
}
