// What the buttons beside the grid ask for: rows are added and removed, and what the kernel then knows of the rows is taken over.
import { h } from "./dom.mjs";
import { line } from "./card.mjs";

/** Adds to the sheet `insert remove adopt targetNow` and `does`. */
export function attachRows(sheet) {
  const { api, labels } = sheet;

  /** The rows that a button means: those ticked, else those of the block. */
  function targetNow() {
    if (sheet.ticks()) return sheet.targetTicked();
    const { top, bottom } = sheet.selection ? sheet.edges() : {};
    return sheet.selection ? { rows: [top, bottom] } : null;
  }

  async function remove() {
    const target = targetNow();
    if (!target) return sheet.complain(labels().none_chosen);
    const answer = await sheet.ask("delete", { target });
    if (!answer) return;
    sheet.untick();
    adopt(answer);
  }

  /** Go on with the rows as an answer tells them: their number, and their count; `focus` on the last one. */
  function adopt({ serial, total, focus }) {
    if (serial !== sheet.serial) sheet.forget(serial);
    if (total !== undefined && total !== sheet.total) {
      sheet.total = total;
      api.setRowCount(total, true);
    }
    sheet.refresh();
    if (!focus || !total) return;
    const col = sheet.shown().findIndex((_, place) => sheet.columns()[sheet.placeOf(place)].editable);
    sheet.select(sheet.at(total - 1, Math.max(col, 0)), false);
    sheet.pen.focus({ preventScroll: true });
    setTimeout(() => api.ensureIndexVisible(total - 1, "bottom")); // once there is room for it
  }

  /** A new row, at the end whatever is asked; where documents are known by a key, its value is asked first. */
  async function insert(name = null) {
    const natural = sheet.columns().find(({ natural }) => natural);
    if (natural && name === null) return ask(natural);
    const answer = await sheet.ask("insert", { name });
    if (!answer) return false;
    adopt({ ...answer, focus: true });
    return true;
  }

  function ask({ name }) {
    const field = h("input.clow-input", { type: "text", autocomplete: "off" });
    const card = sheet.card(labels().insert_title, line(name, field), h("div.clow-card-foot", {}, h("button.clow-button.clow-primary", { type: "submit" }, labels().add)));
    card.el.addEventListener("submit", async () => (await insert(field.value)) && card.close());
    field.focus();
  }

  const does = { insert: () => insert(), delete: remove, set: () => sheet.openSet(), keys: () => sheet.openKeys(), refresh: () => sheet.refresh(), adopt };
  Object.assign(sheet, { insert, remove, adopt, targetNow, does });
}
