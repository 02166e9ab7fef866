// Copy, cut and paste as a spreadsheet does them. What the page has is copied at once; all else is asked for, in pieces.
import { isWhole } from "./cells.mjs";
import { copyText } from "./dom.mjs";
import { decode, encode, pasted } from "./tsv.mjs";

const AT_ONCE = 2000; // rows that the page may have
const MOST = 500_000; // cells that one paste writes

/** Adds to the sheet `copyOut`: the rows of a message's target into the clipboard, with a line of headings. */
export function attachClipboard(sheet) {
  const { pen, labels, model, complain } = sheet;
  const number = (count) => count.toLocaleString(model.get("lang"));

  pen.addEventListener("copy", (event) => sheet.pencil || copy(event));
  pen.addEventListener("cut", async (event) => sheet.pencil || ((await copy(event)) && sheet.clear()));
  pen.addEventListener("paste", (event) => {
    if (sheet.pencil || !sheet.selection) return;
    event.preventDefault();
    paste(event.clipboardData.getData("text/plain"));
  });

  /** Whether it was copied. */
  async function copy(event) {
    if (!sheet.selection) return false;
    event.preventDefault();
    const { top, bottom, left, right } = sheet.edges();
    const places = Array.from({ length: right - left + 1 }, (_, offset) => sheet.placeOf(left + offset));
    const rows = bottom - top < AT_ONCE ? Array.from({ length: bottom - top + 1 }, (_, offset) => sheet.node(top + offset)?.data) : [null];
    if (rows.every((data) => data && places.every((place) => isWhole(data[place])))) {
      event.clipboardData.setData("text/plain", encode(rows.map((data) => places.map((place) => sheet.textOf(data[place])))));
      return true;
    }
    return copyOut({ rows: [top, bottom] }, places.map((place) => sheet.columns()[place].key), false);
  }

  async function copyOut(target, keys, header = true) {
    const parts = [];
    let answer;
    for (let from = 0; from !== null; from = answer.next) {
      answer = await sheet.ask("copy", { target, keys, header, from });
      if (!answer) return false;
      parts.push(answer.text);
      sheet.say((labels().copying ?? "").replace("{count}", number(answer.next ?? answer.total)).replace("{all}", number(answer.total)));
    }
    const text = parts.join("");
    const done = await copyText(text);
    const size = `${number(Math.ceil(new Blob([text]).size / 1000))} kB`;
    sheet.say(done ? (labels().copied_out ?? "").replace("{count}", number(answer.total)).replace("{size}", size) : "");
    if (!done) complain(labels().uncopied);
    pen.focus({ preventScroll: true });
    return done;
  }

  function paste(text) {
    const block = decode(text);
    const edges = sheet.edges();
    const cells = Math.max(block.length, edges.bottom - edges.top + 1) * Math.max(block[0].length, edges.right - edges.left + 1);
    if (cells > MOST) return complain((labels().too_many ?? "").replace("{most}", number(MOST)));
    const shown = sheet.shown();
    const found = pasted(block, edges, { rows: sheet.total, cols: shown.length });
    const columns = found.texts[0].map((_, offset) => sheet.columns()[sheet.placeOf(found.left + offset)]);
    if (!columns.some(({ editable }) => editable)) return complain(columns[0].fixed ?? labels().fixed);
    if (!found.beyond) return put(found, columns, []);
    const fits = found.texts.slice(0, found.texts.length - found.beyond);
    const natural = columns.findIndex((column) => column.natural);
    const names = found.texts.slice(fits.length).map((row) => row[natural] ?? null);
    sheet.question((labels().beyond ?? "").replace("{count}", number(found.beyond)), [
      [labels().add_rows, () => put(found, columns, names)],
      ...(fits.length ? [[labels().only_fits, () => put({ ...found, texts: fits }, columns, [])]] : []),
    ]);
  }

  async function put({ top, left, texts, cut }, columns, names) {
    const places = columns.map((column, offset) => (column.editable ? offset : -1)).filter((offset) => offset >= 0);
    const tell = await sheet.paste({ top, keys: places.map((offset) => columns[offset].key), texts: texts.map((row) => places.map((offset) => row[offset])), names });
    if (!tell) return;
    sheet.select({ anchor: { row: top, col: left }, focus: { row: top + texts.length - 1, col: left + columns.length - 1 } }, false);
    if (places.length < columns.length) complain(columns.find((column) => !column.editable).fixed ?? labels().fixed);
    else if (cut > 0) complain((labels().cut_columns ?? "").replace("{count}", number(cut)));
    tell();
    pen.focus({ preventScroll: true });
  }

  Object.assign(sheet, { copyOut });
}
