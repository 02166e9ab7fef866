// The pen: it always has the focus while cells are selected. So the first letter of a composition (Hangul) is never lost, and copying and
// pasting are the browser's own events, which need no permission.
import { isWhole } from "./cells.mjs";
import { helperFor } from "./helpers.mjs";
import { composing, selecting, writing } from "./pen.mjs";

/** Adds to the sheet `open take leave` and `pencil`: `{typed, before, key, kind, helper}` while a cell is written. */
export function attachWriting(sheet) {
  const { pen, help, labels, model } = sheet;
  sheet.pencil = null;
  let opening = false; // a value is on its way: a key that was meant for it must not empty the cell

  const focused = () => sheet.columns()[sheet.placeOf(sheet.selection.focus.col)];

  function canWrite() {
    const column = sheet.selection && focused();
    if (column?.editable && sheet.marks.get(sheet.selection.focus.row) !== "removed") return true;
    if (column) sheet.complain(column.fixed ?? labels().fixed);
    return false;
  }

  async function open() {
    if (!sheet.selection || sheet.pencil || !canWrite()) return;
    const { row, col } = sheet.selection.focus;
    const place = sheet.placeOf(col);
    const value = sheet.cell(row, place);
    const known = sheet.refusal(row, place)?.text;
    let text = known ?? (value === null || value === undefined || value.kind === "null" ? "" : sheet.textOf(value));
    if (known === undefined && !isWhole(value)) {
      opening = true;
      const answer = await sheet.ask("whole", { row, key: sheet.columns()[place].key });
      opening = false;
      if (!answer || sheet.pencil || sheet.selection?.focus.row !== row || sheet.selection.focus.col !== col) return;
      text = answer.text;
    }
    pen.value = text;
    begin({ typed: false, before: text });
    if (!sheet.pencil.helper || focused().kind === "text") pen.setSelectionRange(pen.value.length, pen.value.length);
  }

  function begin(state) {
    const { key, kind } = focused();
    const options = { pen, labels, lang: model.get("lang"), choices: () => sheet.choices(key, kind), take: () => take({ key: "Enter" }), place: sheet.place };
    sheet.pencil = { ...state, key, kind, helper: helperFor(kind, options) };
    sheet.complain("");
    help.replaceChildren(...(sheet.pencil.helper ? [sheet.pencil.helper.el] : []));
    sheet.place();
    sheet.pencil.helper?.start(pen.value);
    sheet.place();
  }

  function leave() {
    sheet.pencil?.helper?.stop?.();
    sheet.pencil = null;
    pen.value = "";
    help.replaceChildren();
    sheet.place();
  }

  function take(then) {
    const { pencil, selection } = sheet;
    if (!pencil) return;
    const { row, col } = selection.focus;
    const text = pencil.helper?.text() ?? pen.value;
    leave();
    if (text !== pencil.before) sheet.send([[row, pencil.key, text === "" ? null : text]]);
    if (then) sheet.move(then);
  }

  function typed() {
    if (sheet.pencil) {
      if (!sheet.focusInSight()) sheet.show(); // it was scrolled away
      sheet.pencil.helper?.update();
      sheet.place();
    } else if (sheet.selection && canWrite()) begin({ typed: true, before: null });
    else pen.value = "";
  }

  const actions = {
    move: sheet.move,
    edit: open,
    look: () => sheet.view.peek(sheet.selection.focus.row, focused().key),
    tick: () => sheet.tickBlock(),
    toggle: () => sheet.toggle(),
    clear: () => sheet.clear(),
    fill: () => sheet.fill(),
    collapse: () => (sheet.dropRefusal(), sheet.select(sheet.at(sheet.selection.focus.row, sheet.selection.focus.col))),
    undo: () => sheet.step("undo"),
    redo: () => sheet.step("redo"),
    cancel: leave,
    take: (event, { then }) => take({ key: then, shiftKey: event.shiftKey }),
    break: () => (pen.setRangeText("\n", pen.selectionStart, pen.selectionEnd, "end"), typed()),
  };

  pen.addEventListener("keydown", (event) => {
    if (!sheet.selection) return;
    event.stopPropagation(); // Jupyter has shortcuts of one letter
    const { pencil } = sheet;
    const helped = pencil && !composing(event) && pencil.helper?.key(event);
    const action = helped ? null : pencil ? writing(event, pencil) : selecting(event, focused().kind);
    if (!helped && !action) return;
    event.preventDefault();
    if (action && !opening) actions[action.do](event, action);
  });
  pen.addEventListener("input", typed);
  pen.addEventListener("compositionstart", () => !sheet.pencil && sheet.selection && canWrite() && begin({ typed: true, before: null }));
  pen.addEventListener("blur", () => sheet.pencil && take());

  Object.assign(sheet, { open, take, leave });
}
