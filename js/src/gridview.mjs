// Any number of rows on one screen: AG Grid's infinite row model draws, the kernel sends the pages it asks for.
// `grid.js` shows them; `sheet.js` lets people write in them.
import { AG_GRID_LOCALE_KR } from "@ag-grid-community/locale";
import {
  CellStyleModule,
  ColumnApiModule,
  CustomFilterModule,
  EventApiModule,
  InfiniteRowModelModule,
  LocaleModule,
  ModuleRegistry,
  RowApiModule,
  RowStyleModule,
  ScrollApiModule,
  TooltipModule,
  createGrid,
  themeQuartz,
} from "ag-grid-community";
import { createCells } from "./cellview.mjs";
import { h } from "./dom.mjs";
import { createMessages } from "./messages.mjs";
import { createNarrowing } from "./narrowing.mjs";
import { columnId, countText, decodePage, fitWidths, guessWidth, sortOf } from "./rows.mjs";
import "./ui.css";

ModuleRegistry.registerModules([
  CellStyleModule,
  ColumnApiModule,
  CustomFilterModule,
  EventApiModule,
  InfiniteRowModelModule,
  LocaleModule,
  RowApiModule,
  RowStyleModule,
  ScrollApiModule,
  TooltipModule,
]);

// Every colour is one of ui.css, so the grid follows JupyterLab's theme without being told.
const theme = themeQuartz.withParams({
  accentColor: "var(--clow-accent)",
  backgroundColor: "var(--clow-surface)",
  borderColor: "var(--clow-line)",
  browserColorScheme: "inherit",
  cellHorizontalPadding: 12,
  fontFamily: "var(--clow-font)",
  fontSize: 13,
  foregroundColor: "var(--clow-text)",
  headerBackgroundColor: "var(--clow-soft)",
  headerFontSize: 12,
  headerFontWeight: 600,
  headerTextColor: "var(--clow-muted)",
  rowHoverColor: "var(--clow-hover)",
  spacing: 6,
  wrapperBorder: false,
  wrapperBorderRadius: 0,
});

const LOCALES = { ko: AG_GRID_LOCALE_KR };
const BLOCK = 100;

/**
 * Draws the model's rows into `el`; returns `{api, box, foot, messages, labels, look, peek, reload, complain, close}`.
 *
 * `options` go to AG Grid, `columnOptions(column, index)` to its columns, `leading` are columns before them; `onPage(rows, start, content)` hears of each page.
 */
export function createGridView({ model, el }, { options = {}, columnOptions = () => ({}), onPage = () => {}, leading = [] } = {}) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });

  el.classList.add("clow", "clow-grid");
  el.dataset.lmSuppressShortcuts = "true";
  const count = h("span.clow-grid-count", { "aria-live": "polite" });
  const problem = h("span.clow-grid-problem", { role: "alert" });
  const again = h("button.clow-button", { type: "button", onclick: () => reload() });
  const box = h("div.clow-grid-box");
  const foot = h("div.clow-grid-foot", {}, count, problem, again);
  el.append(box, foot);

  const cells = createCells({ model, box, messages, labels, grid: () => api });
  const narrowing = createNarrowing({ model, el, box, messages, labels, grid: () => api, refit: () => first && fit(first) });
  let first = null; // the rows first seen, for the widths
  let all = 0; // how many rows there are when none is left out
  let seeking = null;

  function complain(text, retry = false) {
    problem.textContent = text;
    problem.hidden = !text;
    again.hidden = !retry;
    again.textContent = labels().again ?? "";
  }

  const say = (words) => words !== count.textContent && (count.textContent = words);

  // A filter may take a while: then the foot says for how long, until an answer or a refusal is there.
  function seek(begin) {
    clearInterval(seeking);
    box.classList.remove("clow-seeking");
    if (!begin) return;
    const started = Date.now();
    seeking = setInterval(() => {
      box.classList.add("clow-seeking");
      const seconds = Math.round((Date.now() - started) / 1000);
      if (seconds && labels().seeking) count.textContent = labels().seeking.replace("{seconds}", seconds);
    }, 400);
  }

  const datasource = {
    async getRows({ startRow, endRow, sortModel, successCallback, failCallback }) {
      try {
        const columns = model.get("columns");
        const page = await rowsBetween(startRow, endRow, sortOf(sortModel, columns));
        if (!model.get("query") && !Object.keys(model.get("filters")).length) all = page.total;
        all = page.all ?? all;
        seek(false);
        say(countText(page.total, labels(), model.get("lang"), all));
        if (!problem.hidden) complain("");
        successCallback(page.rows, page.total); // the rows are drawn once: the number of all comes along with them
        if (api.getGridOption("loading")) api.setGridOption("loading", false);
        if (!first) fit((first = page.rows));
      } catch (error) {
        seek(false);
        count.textContent = "";
        failCallback();
        api.setGridOption("loading", false);
        complain(error.message, true);
      }
    },
  };

  // A page of very wide rows comes in several answers: the kernel keeps each below a megabyte.
  async function rowsBetween(start, end, sort) {
    const rows = [];
    for (;;) {
      const wanted = { start: start + rows.length, end, sort };
      const answer = await messages.ask("rows", wanted);
      const page = decodePage(answer);
      cells.seen(page.rows, wanted.start, answer.content);
      onPage(page.rows, wanted.start, answer.content);
      rows.push(...page.rows);
      if (!page.rows.length || rows.length >= Math.min(end, page.total) - start) return { rows, total: page.total, all: answer.content.all };
    }
  }

  // Columns get what their cells need and share what is left; those that people made wider or narrower stay as they are.
  function fit(rows) {
    const sized = narrowing.sized();
    const shown = model.get("columns").flatMap((column, i) => (api.getColumn(columnId(i))?.isVisible() ? [{ ...column, i }] : []));
    const widths = shown.map(({ key, name, role, type, i }) => {
      const chosen = sized.has(key) ? api.getColumn(columnId(i)).getActualWidth() : 0;
      const fixed = role === "id" || chosen > 0;
      return { key: columnId(i), fixed, narrow: type === "number", newWidth: chosen || guessWidth(name, rows.map((row) => row[i])) };
    });
    const before = leading.reduce((sum, { colId }) => sum + (api.getColumn(colId)?.getActualWidth() ?? 0), 0);
    fitWidths(widths, box.clientWidth - 20 - before);
    api.setColumnWidths(widths);
  }

  function reload() {
    complain("");
    first = null;
    seek(true);
    api.setGridOption("datasource", datasource);
  }

  function columnDefs() {
    const columns = model.get("columns").map(({ name, type, role, hint, waiting }, i) => ({
      colId: columnId(i),
      headerName: name,
      headerTooltip: waiting ?? hint,
      headerClass: [role ? `clow-head-${role}` : "", type === "number" ? "ag-right-aligned-header" : ""].filter(Boolean),
      sortable: model.get("sortable") && !waiting,
      valueGetter: ({ data }) => data?.[i],
      ...cells.column(role),
      ...narrowing.column(model.get("columns")[i]),
      equals: () => false,
      ...columnOptions(model.get("columns")[i], i),
    }));
    return [...leading, ...columns];
  }

  box.style.height = `${model.get("height")}px`;
  const api = createGrid(box, {
    theme,
    rowModelType: "infinite",
    columnDefs: columnDefs(),
    defaultColDef: { resizable: true, suppressMovable: false, sortingOrder: ["asc", "desc", null] },
    localeText: LOCALES[model.get("lang")],
    // Not left to the theme: in JupyterLab a widget is made before it is on the page, and there is nothing to measure.
    headerHeight: 36,
    rowHeight: 32,
    cacheBlockSize: BLOCK,
    maxBlocksInCache: 20,
    infiniteInitialRowCount: 1,
    blockLoadDebounceMillis: 20,
    rowBuffer: 4, // rows beyond the edges; each is drawn twice where people jump to: without, and with what is in it
    maxConcurrentDatasourceRequests: 2,
    tooltipShowDelay: 600,
    suppressColumnMoveAnimation: true,
    enableCellTextSelection: true,
    loading: true,
    floatingFiltersHeight: 34,
    suppressDragLeaveHidesColumns: true,
    ...options,
  });
  complain("");
  narrowing.start();
  seek(true);
  api.setGridOption("datasource", datasource);

  model.on("change:columns", () => {
    first = null;
    api.setGridOption("columnDefs", columnDefs());
    narrowing.arrange();
    reload();
  });
  model.on("change:query change:filters change:version", reload);
  model.on("change:height", () => (box.style.height = `${model.get("height")}px`));

  // A page that gets wider or narrower (or a tab that is opened) shares the room anew.
  let room = box.clientWidth;
  const resized = new ResizeObserver(() => {
    if (!first || box.clientWidth === room || !box.clientWidth) return;
    room = box.clientWidth;
    fit(first);
  });
  resized.observe(box);

  function close() {
    resized.disconnect();
    seek(false);
    narrowing.close();
    cells.close();
    messages.close();
    api.destroy();
  }
  return { api, box, foot, messages, labels, look: cells.look, peek: cells.peek, reload, complain, close };
}
