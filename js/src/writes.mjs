// What is written goes to the kernel, and what it makes of it comes back: cells are drawn at once, and drawn again as they are.
import { NONE } from "./tsv.mjs";
import { cellsOf, openBox, pageId } from "./unsent.mjs";

const WIDEST = 20000; // rows that one message may be about

/** Adds to the sheet `ask send paste clear fill toggle step choices refresh forget dropRefusal nextRefusal refusal`. */
export function attachWrites(sheet) {
  const { api, labels, messages, marks, refused, complain } = sheet;
  const known = new Map(); // key → the texts of a column of few, once somebody writes there

  const box = openBox(sheet.model.get("place"), pageId(), { told: () => window.dispatchEvent(new Event("clow-unsent")) });

  // What is written waits in the browser until the kernel has answered; what it refuses stands in its place on the page.
  async function ask(type, payload = {}) {
    const written = cellsOf(type, payload, sheet.idAt, NONE);
    if (written.length) box.put(written);
    try {
      complain("");
      const { content } = await messages.request(type, { ...payload, serial: sheet.serial });
      box.done(written);
      return content;
    } catch (error) {
      complain(error.message);
      if (error.answered) box.done(written);
      return null;
    }
  }

  const keys = () => sheet.columns().map(({ key }) => key);
  const refusal = (row, place) => refused.get(sheet.idAt(row), sheet.columns()[place]?.key);

  /** Cells by row and key; `null` for a key that goes. */
  async function send(cells) {
    const places = new Map(keys().map((key, index) => [key, index]));
    for (const [row, key, text] of cells) draw(row, places.get(key), text);
    redraw(cells.map(([row]) => row));
    hear(await ask("write", { cells }), cells.length);
  }

  /** A block of texts from a row on; `null` leaves a cell alone, an empty text is a missing key. Each of `names` is a new row. Gives what says it. */
  async function paste({ top, keys: into, texts, names }) {
    const written = texts.flat().filter((text) => text !== NONE).length;
    const answer = await ask("paste", { top, keys: into, texts, names });
    hear(answer, written);
    return answer && (() => tally(answer.refused, written));
  }

  function draw(row, place, text) {
    const data = sheet.node(row)?.data;
    const column = sheet.columns()[place];
    if (!data || !column?.editable) return;
    data[place] = text;
    refused.drop(sheet.idAt(row), column.key);
    if (typeof marks.get(row) !== "string") marks.set(row, [...(marks.get(row) ?? []), place]);
  }

  function redraw(rows) {
    const rowNodes = [...new Set(rows)].map((row) => sheet.node(row)).filter(Boolean);
    api.refreshCells({ rowNodes, force: true, suppressFlash: true });
  }

  function hear(answer, written) {
    if (!answer) return messages.gone() || sheet.view.reload(); // without a kernel the page keeps what was typed
    for (const [row, key, text, sentence, id] of answer.problems) refused.put(id, key, { text, sentence, row });
    tally(answer.refused, written);
    if (!answer.rows || answer.total !== sheet.total) return sheet.adopt(answer);
    for (const [row, data, mark] of answer.rows) {
      if (mark === null) marks.delete(row);
      else marks.set(row, mark);
      sheet.node(row)?.setData(refused.shown(data[0], data, row, keys()));
    }
    redraw(answer.rows.map(([row]) => row));
  }

  /** How many cells did not take their text; the way to the next one stands beside. */
  function tally(more, written) {
    const count = refused.size();
    if (more) {
      const first = refused.next(-1, 0, keys());
      const words = written > 1 ? labels().refused_of : "";
      sheet.say((words ?? "").replace("{count}", number(more)).replace("{all}", number(written)));
      if (first) complain(first.sentence);
    }
    sheet.toRefused.hidden = !count;
    sheet.toRefused.textContent = (labels().refused ?? "").replace("{count}", number(count));
  }

  const number = (count) => count.toLocaleString(sheet.model.get("lang"));

  function nextRefusal() {
    const focus = sheet.selection?.focus;
    const found = refused.next(focus?.row ?? -1, focus ? sheet.placeOf(focus.col) : 0, keys());
    const col = found ? sheet.shown().indexOf(`c${keys().indexOf(found.key)}`) : -1;
    if (col < 0) return complain(labels().refused_away);
    sheet.select(sheet.at(found.row, col));
    complain(found.sentence);
    sheet.pen.focus({ preventScroll: true });
  }

  function dropRefusal() {
    const { row, col } = sheet.selection.focus;
    if (!refusal(row, sheet.placeOf(col))) return;
    refused.drop(sheet.idAt(row), keys()[sheet.placeOf(col)]);
    tally(0);
    refresh();
  }

  /** What the selected block is to the kernel, without the columns that nobody writes in; `null`, and said, where that can't be. */
  function block() {
    const { top, bottom, left, right } = sheet.edges();
    const columns = [];
    for (let col = left; col <= right; col++) columns.push(sheet.columns()[sheet.placeOf(col)]);
    const into = columns.filter(({ editable }) => editable).map(({ key }) => key);
    if (!into.length) complain(columns[0].fixed ?? labels().fixed);
    else if (bottom - top >= WIDEST) complain(labels().too_tall);
    else return { top, bottom, keys: into };
    return null;
  }

  async function change(type, most) {
    const asked = block();
    if (!asked) return;
    for (let row = asked.top; row <= asked.bottom; row++) for (const key of asked.keys) refused.drop(sheet.idAt(row), key);
    const fill = type === "fill" && asked.top === asked.bottom ? { ...asked, top: asked.top - 1 } : asked;
    if (fill.top < 0) return;
    hear(await ask(type, fill), most);
  }

  /** Space on a boolean: every selected one becomes what the focus was not. */
  function toggle() {
    const { row, col } = sheet.selection.focus;
    const text = sheet.cell(row, sheet.placeOf(col)) === true ? "false" : "true";
    const asked = block();
    if (!asked) return;
    const bools = asked.keys.filter((key) => sheet.columns().find((column) => column.key === key).kind === "bool");
    const cells = [];
    for (let at = asked.top; at <= asked.bottom; at++) for (const key of bools) cells.push([at, key, text]);
    send(cells);
  }

  async function step(type) {
    const answer = await ask(type);
    if (!answer) return;
    refused.clear();
    tally(0);
    sheet.adopt(answer);
  }

  async function choices(key, kind) {
    if (kind === "bool") return [{ text: "true" }, { text: "false" }];
    if (!known.has(key)) known.set(key, (await ask("choices", { key }))?.choices ?? []);
    return known.get(key);
  }

  function refresh() {
    known.clear();
    api.refreshInfiniteCache();
    api.redrawRows();
  }

  // Other rows than before: places and marks mean nothing any more.
  function forget(serial) {
    sheet.serial = serial;
    marks.clear();
    refused.moved();
    known.clear();
  }

  Object.assign(sheet, { ask, send, paste, toggle, step, choices, refresh, forget, refusal, dropRefusal, nextRefusal });
  Object.assign(sheet, { clear: () => change("clear", 0), fill: () => change("fill", 0) });
}
