// The grid to write in: blocks of cells, a pen over the cell that is written, ticked rows, and the clipboard of spreadsheets.
//
// Each part is in a file of its own and adds to one object, the sheet, what the others need of it.
import { CellApiModule, ModuleRegistry, RenderApiModule } from "ag-grid-community";
import { attachBlock, penOver } from "./block.mjs";
import { attachCards } from "./card.mjs";
import { drawn } from "./cells.mjs";
import { attachClipboard } from "./clipboard.mjs";
import { h } from "./dom.mjs";
import { createGridView } from "./gridview.mjs";
import { keyHelp } from "./keyhelp.mjs";
import { attachKeys } from "./keysform.mjs";
import { createRefusals } from "./refusals.mjs";
import { attachRows } from "./rowtools.mjs";
import { attachSetting } from "./setform.mjs";
import { TICK, attachTicks, tickColumn } from "./tickbar.mjs";
import { attachWaiting } from "./waiting.mjs";
import { attachWrites } from "./writes.mjs";
import { attachWriting } from "./writing.mjs";
import "./sheet.css";

ModuleRegistry.registerModules([CellApiModule, RenderApiModule]);

function render(context) {
  const { model, el } = context;
  const labels = () => model.get("labels");
  const columns = () => model.get("columns");
  const marks = new Map(); // row → "added", "removed" or the places of changed cells
  const refused = createRefusals();
  const sheet = { model, el, labels, columns, marks, refused, total: 0, serial: 0, idAt: () => null };

  const isChanged = (row, index) => Array.isArray(marks.get(row)) && marks.get(row).includes(index);
  const refusal = (row, index) => refused.get(sheet.idAt(row), columns()[index]?.key);
  const view = createGridView(context, {
    leading: [tickColumn(sheet)],
    options: {
      suppressCellFocus: true,
      enableCellTextSelection: false,
      rowClassRules: {
        "clow-row-added": ({ rowIndex }) => marks.get(rowIndex) === "added",
        "clow-row-removed": ({ rowIndex }) => marks.get(rowIndex) === "removed",
      },
      onBodyScroll: () => sheet.place?.(),
      onModelUpdated: () => sheet.place?.(),
      onColumnResized: () => sheet.place?.(),
      onDisplayedColumnsChanged: () => sheet.rearranged?.(),
    },
    columnOptions: (_, index) => ({
      cellClassRules: {
        "clow-in-block": ({ rowIndex, column }) => sheet.inBlock?.(rowIndex, column.getColId()) ?? false,
        "clow-changed": ({ rowIndex }) => isChanged(rowIndex, index),
        "clow-refused": ({ rowIndex }) => Boolean(refusal(rowIndex, index)),
      },
      tooltipValueGetter: ({ value, node }) => refusal(node.rowIndex, index)?.sentence ?? (node.data ? drawn(value, labels()).hint : undefined),
    }),
    onPage: (rows, start, content) => {
      if (content.serial !== sheet.serial) sheet.forget(content.serial);
      sheet.total = content.total;
      const keys = columns().map(({ key }) => key);
      rows.forEach((data, offset) => (marks.delete(start + offset), refused.shown(data[0], data, start + offset, keys)));
      for (const [offset, mark] of content.marks) marks.set(start + offset, mark);
      sheet.paintTicks?.();
    },
  });
  const { api, box, foot } = view;

  el.classList.add("clow-sheet");
  const said = h("span.clow-sheet-said", { role: "status" });
  const toRefused = h("button.clow-link.clow-to-refused", { type: "button", hidden: true, onclick: () => sheet.nextRefusal() });
  foot.insertBefore(said, foot.children[1]);
  foot.insertBefore(toRefused, foot.children[2]);
  Object.assign(sheet, { view, api, box, foot, messages: view.messages, toRefused }, penOver(box, labels().pen), {
    // An open form says itself what is wrong.
    complain: (text) => sheet.cardComplains?.(text ?? "") || view.complain(text ?? ""),
    say: (text) => (said.textContent = text ?? ""),
    shown: () => api.getAllDisplayedColumns().map((column) => column.getColId()).filter((id) => id !== TICK),
    placeOf: (col) => Number(sheet.shown()[col].slice(1)),
    node: (row) => api.getDisplayedRowAtIndex(row),
    cell: (row, place) => sheet.node(row)?.data?.[place],
    textOf: (value) => drawn(value).text,
    // A row is known by its `_id`, the first of its cells; one that is not here has none yet.
    idAt(row) {
      const id = sheet.cell(row, 0);
      return typeof id === "string" ? id : null;
    },
  });
  for (const attach of [attachWrites, attachBlock, attachWriting, attachClipboard, attachCards, attachTicks, attachRows, attachSetting, attachKeys, attachWaiting]) attach(sheet);
  foot.append(keyHelp(sheet));

  model.on("change:query change:filters", sheet.askedAnew);
  const hear = ({ does, ...more }) => sheet.does[does]?.(more);
  model.on("msg:custom", hear);

  return () => {
    model.off("msg:custom", hear);
    view.close();
  };
}

export default { render };
