// The boxes before the rows, and the bar that says what can be done with the rows that are ticked.
import { h } from "./dom.mjs";
import { all, asking, count, has, none, target, ticked } from "./ticks.mjs";

export const TICK = "tick";

/** The first column; `sheet` is there when the grid draws. */
export function tickColumn(sheet) {
  class Header {
    init() {
      this.box = h("input.clow-tick", { type: "checkbox", "aria-label": sheet.labels().tick_all, title: sheet.labels().tick_all });
      this.box.addEventListener("click", (event) => (event.preventDefault(), sheet.tickAll()));
      sheet.tickHead = this.box;
    }
    getGui() {
      return this.box;
    }
    refresh() {
      return true;
    }
  }
  return {
    colId: TICK,
    width: 38,
    minWidth: 38,
    maxWidth: 38,
    pinned: "left",
    lockPosition: "left",
    resizable: false,
    sortable: false,
    suppressMovable: true,
    suppressHeaderMenuButton: true,
    headerComponent: Header,
    cellClass: "clow-tick-cell",
    valueGetter: ({ data }) => Boolean(data),
    cellRenderer: ({ data, node }) =>
      data ? h("input.clow-tick", { type: "checkbox", tabindex: -1, "aria-label": sheet.labels().tick, ...(sheet.isTicked?.(node.rowIndex) ? { checked: "" } : {}) }) : "",
    equals: () => false,
  };
}

/** Adds to the sheet `tickRow tickBlock tickAll isTicked ticks targetTicked askedAnew untick`. */
export function attachTicks(sheet) {
  const { box, foot, labels, model } = sheet;
  const number = (many) => many.toLocaleString(model.get("lang"));
  let ticks = none();
  let last = null; // the row that was ticked last, where Shift begins

  const words = h("b", { "aria-live": "polite" });
  const button = (name, act, style = "") => h(`button.clow-button${style}`, { type: "button", onclick: act }, labels()[name]);
  const every = h("button.clow-link", { type: "button", onclick: () => tickAll(true) });
  const bar = h(
    "div.clow-ticks",
    { role: "toolbar", hidden: true, "aria-label": labels().ticked },
    words,
    every,
    h("span.clow-spread"),
    button("set", () => sheet.openSet()),
    button("copy_rows", () => sheet.copyOut(target(ticks), sheet.shown().map((id) => sheet.columns()[Number(id.slice(1))].key))),
    button("remove", () => sheet.remove()),
    button("untick", () => put(none())),
  );
  sheet.el.insertBefore(bar, foot);

  const asked = () => ({ query: model.get("query") ?? null, filters: model.get("filters") ?? {} });
  const isTicked = (row) => {
    const id = sheet.idAt(row);
    return id !== null && has(ticks, id);
  };

  function put(now) {
    ticks = now;
    paint();
    const many = count(ticks);
    bar.hidden = !many;
    words.textContent = (labels().ticked_rows ?? "").replace("{count}", number(many));
    every.hidden = Boolean(ticks.rule && !ticks.ids.size) || many >= sheet.total;
    every.textContent = (labels()[narrowed() ? "tick_matching" : "tick_every"] ?? "").replace("{count}", number(sheet.total));
  }

  const narrowed = () => Boolean(asked().query && Object.keys(asked().query).length) || Object.values(asked().filters).some(Boolean);

  function paint() {
    for (const cell of box.querySelectorAll(`.ag-cell[col-id="${TICK}"]`)) {
      const row = Number(cell.closest(".ag-row").getAttribute("row-index"));
      const found = cell.querySelector("input");
      if (found) found.checked = isTicked(row);
    }
    if (!sheet.tickHead) return;
    const many = count(ticks);
    sheet.tickHead.checked = many > 0 && many >= sheet.total;
    sheet.tickHead.indeterminate = many > 0 && many < sheet.total;
  }

  async function tickRange(top, bottom, on) {
    let ids = [];
    for (let row = top; row <= bottom && ids; row++) {
      const id = bottom - top < 2000 ? sheet.idAt(row) : null;
      if (id === null) ids = null;
      else ids.push(id);
    }
    ids ??= (await sheet.ask("ids", { top, bottom }))?.ids;
    if (ids) put(ticked(ticks, ids, on));
  }

  function tickRow(row, shift) {
    const on = !isTicked(row);
    if (shift && last !== null) tickRange(Math.min(last, row), Math.max(last, row), isTicked(last));
    else tickRange(row, row, on);
    last = row;
  }

  function tickBlock() {
    const { top, bottom } = sheet.edges();
    last = bottom;
    tickRange(top, bottom, !isTicked(sheet.selection.focus.row));
  }

  function tickAll(on = count(ticks) < sheet.total) {
    last = null;
    put(on && sheet.total ? all(asked(), sheet.total) : none());
  }

  /** Others rows are shown: a rule was about those before. */
  function askedAnew() {
    last = null;
    put(asking(ticks, asked()));
  }

  Object.assign(sheet, { tickRow, tickBlock, tickAll, isTicked, askedAnew, paintTicks: () => put(ticks), untick: () => put(none()) });
  Object.assign(sheet, { ticks: () => count(ticks), targetTicked: () => target(ticks) });
}
