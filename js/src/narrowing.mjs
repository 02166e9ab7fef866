// What narrows the rows of a grid and arranges its columns: the fields under the headers, the bar above, the panel, and what is remembered.
import { arranged, layoutOf, same, stateOf } from "./columns.mjs";
import { createColumnPanel } from "./columnpanel.mjs";
import { h } from "./dom.mjs";
import { wordsFor } from "./filters.mjs";
import { Passing, headFilter } from "./headfilter.mjs";
import { createPicker } from "./picker.mjs";
import { createPopover } from "./popover.mjs";
import { createQueryBar } from "./querybar.mjs";
import { sortOf } from "./rows.mjs";
import "./narrowing.css";

const PAUSE = 400; // milliseconds after the last change of a column before it is remembered

/**
 * For a grid: `column(column)` are options of one of its columns, `arrange()` puts them in order and has their widths fitted again, `sized` are the keys
 * whose width people chose.
 */
export function createNarrowing({ model, el, box, messages, labels, grid, refit }) {
  const popover = createPopover(el);
  const refusal = h("div.clow-filter-said", { role: "alert", hidden: true });
  el.append(refusal);
  let timer = null;
  let arranging = false;
  const columns = () => model.get("columns");
  const sized = () => new Set(model.get("arrangement").filter(({ width }) => width).map(({ key }) => key));

  // --- the fields under the headers

  async function apply(key, text) {
    try {
      await messages.request("narrow", { key, text });
      return "";
    } catch (error) {
      return error.message;
    }
  }

  function refuse(field, sentence) {
    if (sentence || refusal.field === field) {
      refusal.textContent = sentence;
      refusal.hidden = !sentence;
      refusal.field = field;
    }
    if (!sentence) return;
    const [frame, rect] = [el.getBoundingClientRect(), field.getBoundingClientRect()];
    refusal.style.top = `${rect.bottom - frame.top + 4}px`;
    refusal.style.left = `${Math.max(6, Math.min(rect.left - frame.left, frame.width - refusal.offsetWidth - 6))}px`;
  }

  function pick({ key, name, kind }, field) {
    if (popover.anchor() === field) return popover.close();
    const words = wordsFor(kind, labels());
    const { content, search } = createPicker({
      text: model.get("filters")[key] ?? "",
      words,
      locale: model.get("lang"),
      ask: async () => (await messages.request("labels", { key })).content,
      take: async (text) => {
        popover.close();
        refuse(field, await apply(key, text));
        field.focus();
      },
    });
    popover.open(field, (words.choose ?? "{name}").replace("{name}", name), content);
    search.focus();
  }

  const field = headFilter({ model, labels, apply, pick, refuse });
  function column({ searched = true }) {
    if (!model.get("filterable") || !searched) return {};
    return { filter: Passing, floatingFilter: true, floatingFilterComponent: field, suppressFloatingFilterButton: true, suppressHeaderFilterButton: true };
  }

  // --- the columns

  const arrangement = () => arranged(model.get("arrangement"), columns());

  function arrange() {
    const leading = grid().getColumnState().filter(({ colId }) => !/^c\d+$/.test(colId));
    arranging = true;
    grid().applyColumnState({ state: [...leading, ...stateOf(arrangement(), model.get("sort"))], applyOrder: true });
    arranging = false;
    refit();
    bar?.hide(arrangement().filter(({ hidden }) => hidden).length);
  }

  function noted({ source, finished = true, column: one = null }) {
    if (arranging || !finished || ["api", "gridOptionsChanged", "gridInitializing", "flex"].includes(source)) return;
    const keys = sized();
    if (source === "uiColumnResized" || source?.startsWith("autosize")) keys.add(columns()[Number(one?.getColId().slice(1))]?.key);
    keep(layoutOf(grid().getColumnState(), columns(), keys, model.get("arrangement")));
  }

  function keep(layout) {
    if (same(layout, model.get("arrangement"))) return;
    model.set("arrangement", layout);
    clearTimeout(timer);
    timer = setTimeout(() => messages.request("arrange", { arrangement: model.get("arrangement") }).catch(() => {}), PAUSE);
  }

  function write(list) {
    const here = new Set(columns().map(({ key }) => key));
    const gone = model.get("arrangement").filter(({ key }) => !here.has(key));
    keep([...list.map(({ key, hidden, pinned, width }) => ({ key, hidden, pinned, width })), ...gone]);
  }

  function openColumns(button) {
    if (popover.anchor() === button) return popover.close();
    const words = labels();
    const { content, search } = createColumnPanel({ words, read: arrangement, write, reset: () => keep([]) });
    popover.open(button, words.columns ?? "", content);
    search.focus();
  }

  function sorted() {
    if (arranging) return;
    const state = grid().getColumnState().filter(({ sort, colId }) => sort && /^c\d+$/.test(colId));
    state.sort((one, other) => one.sortIndex - other.sortIndex);
    model.set("sort", sortOf(state, columns()));
    model.save_changes();
  }

  function start() {
    grid().addEventListener("sortChanged", sorted);
    for (const name of ["columnMoved", "columnResized", "columnPinned", "columnVisible"]) grid().addEventListener(name, noted);
    arrange();
  }

  const bar = model.get("bar") ? createQueryBar({ model, labels, messages, popover, openColumns }) : null;
  if (bar) el.insertBefore(bar.bar, box);
  model.on("change:arrangement change:sort", arrange);
  const hear = ({ does }) => does === "columns" && openColumns(bar?.bar.querySelector(".clow-button") ?? box);
  model.on("msg:custom", hear);

  function close() {
    clearTimeout(timer);
    popover.close();
    bar?.close();
    model.off("change:arrangement change:sort", arrange);
    model.off("msg:custom", hear);
  }
  return { column, arrange, start, sized, close };
}
