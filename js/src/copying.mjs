// Copying from a grid that is only looked at: cells that were selected as text go out as a spreadsheet takes them.
import { drawn, isWhole } from "./cells.mjs";
import { copyText } from "./dom.mjs";
import { encode } from "./tsv.mjs";

const MOST = 1000; // rows at once

/** `{top, bottom, left, right}` of two cells, both inside; `null` for one cell or none. */
export function between(one, other) {
  if (!one || !other || (one.row === other.row && one.col === other.col)) return null;
  return {
    top: Math.min(one.row, other.row),
    bottom: Math.max(one.row, other.row),
    left: Math.min(one.col, other.col),
    right: Math.max(one.col, other.col),
  };
}

/** Hears of copies in a grid's `box`. Within one cell the browser copies the text that is selected; without a selection the focused cell is copied. */
export function attachCopying({ api, box, messages, model, complain }) {
  const shown = () => api.getAllDisplayedColumns().filter((column) => /^c\d+$/.test(column.getColId()));
  const placeOf = (column) => Number(column.getColId().slice(1));

  function cellOf(node) {
    const cell = (node?.nodeType === 1 ? node : node?.parentElement)?.closest?.(".ag-cell[col-id]");
    if (!cell || !box.contains(cell)) return null;
    const col = shown().findIndex((column) => column.getColId() === cell.getAttribute("col-id"));
    return { row: Number(cell.closest(".ag-row").getAttribute("row-index")), col };
  }

  function wanted() {
    const selection = document.getSelection();
    if (!selection.isCollapsed) return between(cellOf(selection.anchorNode), cellOf(selection.focusNode));
    const cell = cellOf(document.activeElement);
    return cell && { top: cell.row, bottom: cell.row, left: cell.col, right: cell.col };
  }

  box.addEventListener("copy", async (event) => {
    const edges = wanted();
    if (!edges || edges.bottom - edges.top >= MOST) return;
    event.preventDefault();
    const columns = shown().slice(edges.left, edges.right + 1);
    const rows = Array.from({ length: edges.bottom - edges.top + 1 }, (_, offset) => api.getDisplayedRowAtIndex(edges.top + offset)?.data);
    if (rows.every((row) => row && columns.every((column) => isWhole(row[placeOf(column)]))))
      return event.clipboardData.setData("text/plain", encode(rows.map((row) => columns.map((column) => textOf(row[placeOf(column)])))));
    try {
      const keys = columns.map((column) => model.get("columns")[placeOf(column)].key);
      const { content } = await messages.request("block", { start: edges.top, end: edges.bottom + 1, keys, sort: model.get("sort") });
      if (!(await copyText(content.text))) complain(model.get("labels").uncopied);
    } catch (error) {
      complain(error.message);
    }
  });
}

function textOf(cell) {
  return cell?.kind === "null" ? "" : drawn(cell).text;
}
