// The cells of a grid that are more than text: pictures, labels, spans, folded values; and which cell is looked at.
import { drawn, folded, isRich } from "./cells.mjs";
import { hueStyle } from "./colours.mjs";
import { h } from "./dom.mjs";
import { createThumbnails } from "./thumbnails.mjs";
import "./cells.css";

const LOW = 32;
const TALL = 64;
const PAUSE = 120; // milliseconds on a cell before a viewer hears of it

/**
 * For a grid: `column(role)` are options of its columns, `seen` hears of each page; `look(row, key, open)` tells a viewer, and `peek(row, key)`
 * opens it, or closes it where it shows that row.
 */
export function createCells({ model, box, messages, labels, grid }) {
  const thumbnails = createThumbnails({
    ask: (wanted) => messages.request("thumbnails", { ...state(), ...wanted }),
    makeUrl: (bytes) => URL.createObjectURL(new Blob([bytes], { type: "image/webp" })),
    dropUrl: (url) => URL.revokeObjectURL(url),
  });
  const sight = h("style");
  box.append(sight);
  let page = {}; // what the last page of rows said about itself
  let tall = false;
  let timer = null;
  let looked = null; // the cell that a viewer heard of last
  let shown = null; // the row that it shows

  const state = () => ({ query: model.get("query"), filters: model.get("filters"), sort: model.get("sort"), serial: page.serial });
  const asked = () => JSON.stringify([model.get("query"), model.get("filters"), model.get("sort")]);
  const keyAt = (colId) => model.get("columns")[Number(colId.slice(1))]?.key;

  function seen(rows, start, content) {
    const others = page.serial !== content.serial || page.asked !== asked();
    page = { ...content, asked: asked() };
    if (others && looked && shown !== null) look(Math.max(0, Math.min(shown, content.total - 1)), looked.key); // another document stands there now
    const pictures = rows.some((row) => row.some((cell) => cell?.kind === "picture"));
    if (pictures === tall || (tall && start > 0)) return;
    tall = pictures;
    box.classList.toggle("clow-tall", tall);
    // A moment later: the infinite row model resizes no rows but those that it counts already.
    setTimeout(() => grid().isDestroyed() || grid().setGridOption("rowHeight", tall ? TALL : LOW));
  }

  function look(row, key, open = false) {
    if (!model.get("watched")) return;
    clearTimeout(timer);
    looked = { row, key };
    const tell = () => messages.request("look", { ...state(), row, key, open, total: page.total }).catch(() => {});
    if (open) tell();
    else timer = setTimeout(tell, PAUSE);
  }

  function peek(row, key) {
    if (shown !== row) return look(row, key, true);
    clearTimeout(timer);
    messages.request("look", { ...state(), row, key, close: true }).catch(() => {});
  }

  class Rich {
    init(params) {
      this.gui = h("span.clow-rich");
      this.refresh(params);
    }
    getGui() {
      return this.gui;
    }
    refresh({ value, node, column }) {
      this.leave?.();
      const [row, key] = [node.rowIndex, keyAt(column.getColId())];
      const closer = h("button.clow-look", { type: "button", tabindex: "-1", title: labels().look, "aria-label": labels().look }, "⤢");
      closer.addEventListener("mousedown", (event) => (event.preventDefault(), event.stopPropagation()));
      closer.addEventListener("dblclick", (event) => event.stopPropagation());
      closer.addEventListener("click", (event) => (event.stopPropagation(), look(row, key, true)));
      this.gui.replaceChildren(...this.parts(value, row, key), model.get("watched") ? closer : "");
      return true;
    }
    parts(value, row, key) {
      if (value.kind === "picture") return this.picture(value, row, key);
      return partsOf(value, labels());
    }
    picture({ token, text }, row, key) {
      const image = h("img.clow-thumb", { alt: "", hidden: "" });
      const name = h("span.clow-thumb-name", {}, text);
      this.leave = thumbnails.want(token, row, key, ({ url, problem }) => {
        image.hidden = !url;
        if (url) image.src = url;
        name.classList.toggle("clow-broken", Boolean(problem));
        if (problem) name.title = problem;
      });
      return [h("span.clow-thumb-frame", {}, image), name];
    }
    destroy() {
      this.leave?.();
    }
  }

  function column(role) {
    return {
      valueFormatter: ({ value }) => drawn(value, labels()).text,
      tooltipValueGetter: ({ value, node }) => (node.data ? drawn(value, labels()).hint : undefined),
      cellClass: ({ value }) => `clow-cell-${drawn(value).style}${role ? ` clow-role-${role}` : ""}`,
      cellRendererSelector: ({ value }) => (isRich(value) ? { component: Rich } : undefined),
    };
  }

  // --- the grid that is only looked at: the cell with the focus is followed, and opened by keyboard or mouse

  function cellOf({ target }) {
    const cell = target.closest?.(".ag-cell[col-id]");
    const key = cell && !box.closest(".clow-sheet") ? keyAt(cell.getAttribute("col-id")) : undefined;
    return key === undefined ? null : [Number(cell.closest(".ag-row").getAttribute("row-index")), key, cell];
  }
  box.addEventListener("focusin", (event) => {
    const found = cellOf(event);
    if (found) look(found[0], found[1]);
  });
  box.addEventListener("dblclick", (event) => {
    const found = model.get("watched") && cellOf(event);
    if (!found) return;
    getSelection().removeAllRanges();
    look(found[0], found[1], true);
  });
  box.addEventListener("keydown", (event) => {
    const found = [" ", "Enter"].includes(event.key) && model.get("watched") && cellOf(event);
    if (!found) return;
    event.preventDefault();
    (event.key === " " ? peek : look)(found[0], found[1], true);
  });

  function backToTheCell() {
    const element = box.querySelector(".clow-pen:not([hidden])") ?? box.querySelector(".ag-cell-focus");
    const cell = grid().getFocusedCell();
    if (element) element.focus({ preventScroll: true });
    else if (cell) grid().setFocusedCell(cell.rowIndex, cell.column); // its row is being drawn anew
  }

  // A viewer shows a row: it comes into sight, with a mark at its edge. When it closes, the focus that was in it comes back here; a
  // browser takes it off what is hidden a moment later only.
  const hear = ({ does, row }) => {
    if (does !== "sight") return;
    shown = row;
    sight.textContent = Number.isInteger(row) ? `.ag-row[row-index="${row}"] .ag-cell:first-child{box-shadow:inset 3px 0 0 var(--clow-accent)}` : "";
    if (Number.isInteger(row)) grid().ensureIndexVisible(row);
    else if (document.activeElement === document.body || !document.activeElement.checkVisibility()) backToTheCell();
  };
  model.on("msg:custom", hear);

  function close() {
    clearTimeout(timer);
    model.off("msg:custom", hear);
    thumbnails.close();
  }
  return { column, seen, look, peek, close };
}

/** The elements of a value that is more than text, as they stand in a cell and in the viewer. */
export function partsOf(value, labels) {
  if (value.kind === "chips") return [...value.labels.map((label) => chip(label)), ...more(value.more)];
  if (value.kind === "spans") return [...value.marks.map(([label, text]) => chip(label, text)), ...more(value.more)];
  if (value.kind === "json" || value.kind === "boxes") {
    const [sign, words] = folded(value, labels);
    return [h("span.clow-folded", {}, h("b", {}, sign), ` ${words}`), h("span.clow-preview", {}, value.text)];
  }
  return [h("span.clow-plain", {}, value.text)];
}

/** A label in its colour, with what it stands for. */
export function chip(label, text = "") {
  return h("span.clow-chip", { style: hueStyle(label) }, h("bdi", {}, label), text ? h("bdi.clow-chip-text", {}, text) : null);
}

function more(count) {
  return count ? [h("span.clow-more", {}, `+${count}`)] : [];
}
