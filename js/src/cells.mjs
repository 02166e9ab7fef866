// What a cell looks like on the screen.

/**
 * What to draw for a cell: `{text, style}`, and a `hint` where there is more to say.
 *
 * A plain JSON value is drawn as it is; `null` is a missing key; everything else comes as `{kind, text, …}`.
 */
export function drawn(cell, labels = {}) {
  if (cell === null || cell === undefined) return { text: "", style: "missing" };
  if (typeof cell === "number") return { text: formatNumber(cell), style: "number" };
  if (typeof cell === "boolean") return { text: String(cell), style: "boolean" };
  if (typeof cell === "string") return { text: cell, style: "text" };
  if (cell.kind === "null") return { text: "null", style: "null" };
  if (cell.kind === "cut") return { text: cell.text, style: "text", hint: counted(labels.cut ?? "{count} characters", cell.size) };
  return { text: cell.text, style: cell.kind === "odd" ? "text" : cell.kind, ...(cell.hint && { hint: cell.hint }) };
}

/** Numbers as they are (no rounding, no grouping of identifiers): what the document holds is what is seen. */
export function formatNumber(value) {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Whether the page has all of a value: `false` for a part of it, or another way to write it. */
export function isWhole(cell) {
  return typeof cell !== "object" || cell === null || ["null", "number"].includes(cell.kind);
}

const RICH = ["picture", "json", "chips", "spans", "boxes", "cut", "bytes"];

/** Whether there is more to see of a value than fits into a cell. */
export function isRich(cell) {
  return RICH.includes(cell?.kind);
}

/** `{…} 4 keys`, `[…] 2 items`, `60 regions`: what a folded value is, in two parts. */
export function folded(cell, labels = {}) {
  if (cell.kind === "boxes") return ["▭", counted(labels.regions ?? "{count} regions", cell.count)];
  if (cell.keys !== undefined) return [cell.keys ? "{…}" : "{}", counted(labels.keys ?? "{count} keys", cell.keys)];
  return [cell.items ? "[…]" : "[]", counted(labels.items ?? "{count} items", cell.items)];
}

function counted(words, count) {
  return words.replace("{count}", count.toLocaleString()).replace("{size}", formatNumber(count));
}

/** What decides how wide a cell is: its text, or the short form that stands for it. */
export function widthText(cell, labels = {}) {
  if (cell?.kind === "picture") return `${"x".repeat(8)}${cell.text}`;
  if (cell?.kind === "chips") return cell.labels.map((label) => `${label}xxx`).join("");
  if (cell?.kind === "spans") return cell.marks.map(([label, text]) => `${label}${text}xxxx`).join("");
  if (cell?.kind === "json" || cell?.kind === "boxes") return `${folded(cell, labels).join(" ")}xxx${cell.text.slice(0, 24)}`;
  return drawn(cell).text;
}
