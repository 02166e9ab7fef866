// The grid to write in: blocks of cells, a pen over the cell that is written, and the clipboard of spreadsheets.
//
// The pen is a text area that always has the focus while cells are selected. So the first letter of a composition (Hangul) is never lost,
// and copying and pasting are the browser's own events, which need no permission.
import { CellApiModule, ModuleRegistry, RenderApiModule } from "ag-grid-community";
import { drawn } from "./cells.mjs";
import { copyText, h } from "./dom.mjs";
import { createGridView } from "./gridview.mjs";
import { choicesFor, selecting, writing } from "./pen.mjs";
import { columnId } from "./rows.mjs";
import { at, edges, holds, moved, size, upTo } from "./selection.mjs";
import { decode, encode, pasted } from "./tsv.mjs";
import "./sheet.css";

ModuleRegistry.registerModules([CellApiModule, RenderApiModule]);

function render(context) {
  const { model, el } = context;
  const marks = new Map(); // row → "added", "removed" or the places of changed cells
  const refused = new Map(); // "row:place" → {text, sentence}
  const known = new Map(); // key → the texts of a column of few, once somebody writes there
  let selection = null;
  let pencil = null; // {typed, before} while a cell is written
  let chosen = -1;
  let total = 0;
  let serial = 0; // of the rows as the kernel knows them

  const view = createGridView(context, {
    options: {
      suppressCellFocus: true,
      enableCellTextSelection: false,
      rowClassRules: {
        "clow-row-added": ({ rowIndex }) => marks.get(rowIndex) === "added",
        "clow-row-removed": ({ rowIndex }) => marks.get(rowIndex) === "removed",
      },
      onBodyScroll: place,
      onModelUpdated: place,
      onDisplayedColumnsChanged: () => selection && select(null),
    },
    columnOptions: (_, index) => ({
      cellClassRules: {
        "clow-in-block": ({ rowIndex, column }) => selection && holds(selection, rowIndex, shown().indexOf(column.getColId())),
        "clow-changed": ({ rowIndex }) => Array.isArray(marks.get(rowIndex)) && marks.get(rowIndex).includes(index),
        "clow-refused": ({ rowIndex }) => refused.has(`${rowIndex}:${index}`),
      },
      tooltipValueGetter: ({ value, node }) =>
        refused.get(`${node.rowIndex}:${index}`)?.sentence ?? (node.data ? drawn(value, view.labels()).hint : undefined),
    }),
    onPage: (rows, start, content) => {
      if (content.serial !== serial) forget(content.serial);
      total = content.total;
      rows.forEach((_, offset) => marks.delete(start + offset));
      for (const [offset, mark] of content.marks) marks.set(start + offset, mark);
    },
  });
  const { api, box, foot, messages, labels, complain } = view;

  el.classList.add("clow-sheet");
  const pen = h("textarea.clow-pen", { rows: 1, spellcheck: "false", autocomplete: "off", "aria-label": labels().pen, hidden: true });
  const choices = h("div.clow-choices", { role: "listbox", hidden: true });
  const said = h("span.clow-sheet-said", { role: "status" });
  box.append(pen, choices);
  foot.insertBefore(said, foot.children[1]);

  const columns = () => model.get("columns");
  const shown = () => api.getAllDisplayedColumns().map((column) => column.getColId());
  const placeOf = (col) => Number(shown()[col].slice(1));
  const room = () => ({ rows: total, cols: shown().length });
  const nodeAt = (row) => api.getDisplayedRowAtIndex(row);

  // --- what is selected

  // The browser's own events: the grid's come a moment later, when the next letter may have been typed already.
  function cellOf({ target }) {
    const cell = target.closest?.(".ag-cell[col-id]");
    return cell && [Number(cell.closest(".ag-row").getAttribute("row-index")), shown().indexOf(cell.getAttribute("col-id"))];
  }

  box.addEventListener("mousedown", (event) => {
    const found = event.button === 0 && cellOf(event);
    if (!found) return;
    event.preventDefault();
    if (pencil) take();
    select(event.shiftKey && selection ? upTo(selection, ...found) : at(...found));
    pen.focus({ preventScroll: true });
  });
  box.addEventListener("mouseover", (event) => {
    const found = selection && !pencil && event.buttons & 1 && cellOf(event);
    if (found) select(upTo(selection, ...found));
  });
  box.addEventListener("dblclick", (event) => cellOf(event) && open());

  function select(block) {
    selection = block;
    api.refreshCells({ force: true, suppressFlash: true });
    pen.hidden = !block;
    if (!block) return;
    const { row, col } = block.focus;
    api.ensureIndexVisible(row);
    api.ensureColumnVisible(shown()[col]);
    const cells = size(block);
    said.textContent = cells > 1 ? (labels().selected ?? "").replace("{count}", cells.toLocaleString(model.get("lang"))) : "";
    place();
  }

  function cellAt({ row, col }) {
    return box.querySelector(`.ag-row[row-index="${row}"] .ag-cell[col-id="${shown()[col]}"]`);
  }

  // The pen lies over the cell that has the focus, so that what is composed appears in its place.
  function place() {
    if (!selection) return; // the grid speaks before there is a pen
    const cell = cellAt(selection.focus);
    pen.classList.toggle("clow-writing", Boolean(pencil && cell));
    if (!cell) return;
    const frame = box.getBoundingClientRect();
    const rect = cell.getBoundingClientRect();
    pen.style.transform = `translate(${rect.left - frame.left}px, ${rect.top - frame.top}px)`;
    const width = pencil ? Math.min(Math.max(rect.width, 220), frame.right - rect.left - 8) : rect.width;
    pen.style.width = `${width}px`;
    pen.style.height = `${rect.height}px`;
    if (pencil) pen.style.height = `${Math.min(Math.max(rect.height, pen.scrollHeight + 2), 240)}px`;
    choices.style.transform = `translate(${rect.left - frame.left}px, ${rect.top - frame.top + pen.offsetHeight}px)`;
  }

  // --- writing in a cell

  function canWrite() {
    const column = selection && columns()[placeOf(selection.focus.col)];
    if (column?.editable && marks.get(selection.focus.row) !== "removed") return true;
    if (column) complain(labels().fixed);
    return false;
  }

  async function open() {
    if (!selection || !canWrite()) return;
    const { row, col } = selection.focus;
    const place_ = placeOf(col);
    const value = nodeAt(row)?.data?.[place_];
    let text = refused.get(`${row}:${place_}`)?.text ?? (value?.kind === "null" ? "" : drawn(value).text);
    if (value?.kind === "cut" || value?.kind === "json" || value?.kind === "date")
      text = (await ask("whole", { row, key: columns()[place_].key }))?.text ?? text;
    pen.value = text;
    write({ typed: false, before: text });
    pen.setSelectionRange(text.length, text.length);
  }

  function write(state) {
    pencil = state;
    complain("");
    offer();
    place();
  }

  function leave() {
    pencil = null;
    chosen = -1;
    pen.value = "";
    choices.hidden = true;
    place();
  }

  function take(then) {
    const { row, col } = selection.focus;
    const text = chosen >= 0 ? choices.children[chosen].dataset.text : pen.value;
    const same = text === pencil.before;
    leave();
    if (!same) send([[row, columns()[placeOf(col)].key, text]]);
    if (then) select(moved(at(row, col), then, room()));
  }

  async function learn(key) {
    known.set(key, []);
    const answer = await ask("choices", { key });
    if (answer) known.set(key, answer.choices);
    if (pencil) (offer(), place());
  }

  function offer() {
    const { key, kind } = columns()[placeOf(selection.focus.col)];
    if (kind === "text" && !known.has(key)) return learn(key);
    const texts = known.get(key) ?? [];
    const found = texts.length ? choicesFor(pencil.typed || pen.value !== pencil.before ? pen.value : "", texts) : [];
    chosen = -1;
    choices.replaceChildren(
      ...found.map((choice) =>
        h(
          "div.clow-choice",
          { role: "option", "data-text": choice.text, onmousedown: (event) => (event.preventDefault(), pick(choice.text)) },
          h("span", {}, choice.text),
          h("span.clow-choice-count", {}, choice.count.toLocaleString(model.get("lang"))),
        ),
      ),
    );
    choices.hidden = !found.length;
  }

  function pick(text) {
    pen.value = text;
    chosen = -1;
    take({ key: "Enter" });
  }

  function choose(by) {
    const options = [...choices.children];
    chosen = (chosen + by + options.length + 1) % (options.length + 1);
    options.forEach((option, index) => option.classList.toggle("clow-chosen", index === chosen));
    if (chosen === options.length) chosen = -1;
  }

  const actions = {
    move: (event) => select(moved(selection, event, room())),
    edit: () => open(),
    clear: () => change((key) => [key, null]),
    collapse: () => select(at(selection.focus.row, selection.focus.col)),
    undo: () => step("undo"),
    redo: () => step("redo"),
    cancel: leave,
    take: (event, { then }) => take({ key: then, shiftKey: event.shiftKey }),
    choose: (_, { by }) => choose(by),
    break: () => (pen.setRangeText("\n", pen.selectionStart, pen.selectionEnd, "end"), place()),
  };

  pen.addEventListener("keydown", (event) => {
    if (!selection) return;
    const action = pencil ? writing(event, { typed: pencil.typed, choosing: !choices.hidden }) : selecting(event);
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    actions[action.do](event, action);
  });
  const typed = () => {
    if (!pencil && (!selection || !canWrite())) pen.value = "";
    else if (!pencil) write({ typed: true, before: null });
    else (offer(), place());
  };
  pen.addEventListener("input", typed);
  pen.addEventListener("compositionstart", () => !pencil && selection && canWrite() && write({ typed: true, before: null }));
  pen.addEventListener("blur", () => pencil && take());

  // --- the clipboard

  pen.addEventListener("copy", (event) => pencil || copy(event));
  pen.addEventListener("cut", (event) => pencil || (copy(event), change((key) => [key, null])));
  pen.addEventListener("paste", (event) => {
    if (pencil || !selection) return;
    event.preventDefault();
    const cells = pasted(decode(event.clipboardData.getData("text/plain")), edges(selection), room());
    send(cells.map(({ row, col, text }) => [row, columns()[placeOf(col)].key, text]));
  });

  async function copy(event) {
    if (!selection) return;
    event.preventDefault();
    const { top, bottom, left, right } = edges(selection);
    const places = Array.from({ length: right - left + 1 }, (_, offset) => placeOf(left + offset));
    const rows = Array.from({ length: bottom - top + 1 }, (_, offset) => nodeAt(top + offset)?.data);
    const whole = rows.every((data) => data && places.every((place_) => !["cut", "json"].includes(data[place_]?.kind)));
    if (whole) return event.clipboardData.setData("text/plain", encode(rows.map((data) => places.map((place_) => drawn(data[place_]).text))));
    const answer = await ask("block", { top, bottom, keys: places.map((place_) => columns()[place_].key) });
    if (answer && !(await copyText(answer.text))) complain(labels().uncopied);
    pen.focus({ preventScroll: true });
  }

  // --- what the kernel does

  async function ask(type, payload = {}) {
    try {
      complain("");
      return (await messages.request(type, { ...payload, serial })).content;
    } catch (error) {
      complain(error.message);
      return null;
    }
  }

  /** Another value for every selected cell that can be written. */
  function change(to) {
    const { top, bottom, left, right } = edges(selection);
    const cells = [];
    for (let row = top; row <= bottom; row++)
      for (let col = left; col <= right; col++) {
        const column = columns()[placeOf(col)];
        if (column.editable) cells.push([row, ...to(column.key)]);
      }
    if (cells.length) send(cells);
    else complain(labels().fixed);
  }

  async function send(cells) {
    const places = new Map(columns().map(({ key }, index) => [key, index]));
    for (const [row, key, text] of cells) {
      const data = nodeAt(row)?.data;
      const index = places.get(key);
      if (!data || !columns()[index].editable) continue;
      data[index] = text;
      refused.delete(`${row}:${index}`);
      if (typeof marks.get(row) !== "string") marks.set(row, [...(marks.get(row) ?? []), index]);
    }
    api.refreshCells({ force: true, suppressFlash: true });
    const answer = await ask("write", { cells });
    if (!answer) return view.reload();
    for (const [row, key, text, sentence] of answer.problems) refused.set(`${row}:${places.get(key)}`, { text, sentence });
    if (answer.problems.length) complain(answer.problems[0][3]);
    if (!answer.rows) return refresh();
    for (const [row, data, mark] of answer.rows) {
      if (mark === null) marks.delete(row);
      else marks.set(row, mark);
      for (const [key, { text }] of refused) if (key.startsWith(`${row}:`)) data[Number(key.split(":")[1])] = text;
      nodeAt(row)?.setData(data);
    }
    api.refreshCells({ force: true, suppressFlash: true });
  }

  async function step(type, payload) {
    if (await ask(type, payload)) refresh();
  }

  function refresh() {
    refused.clear();
    api.refreshInfiniteCache();
    api.redrawRows();
  }

  // Other rows than before: places and marks mean nothing any more.
  function forget(now) {
    serial = now;
    marks.clear();
    refused.clear();
    known.clear();
    if (pencil) leave();
  }

  // What a button beside the grid asks for.
  const hear = ({ does, end }) => {
    if (does === "delete" && selection) step("delete", { rows: [edges(selection).top, edges(selection).bottom] });
    if (does === "refresh") refresh();
    if (end) api.ensureIndexVisible(total - 1);
  };
  model.on("msg:custom", hear);

  return () => {
    model.off("msg:custom", hear);
    view.close();
  };
}

export default { render };
