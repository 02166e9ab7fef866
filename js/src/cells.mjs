// What a cell looks like on the screen.

/**
 * What to draw for a cell: `{text, style}`.
 *
 * A plain JSON value is drawn as it is; `null` is a missing key; everything else comes as `{kind, text, …}`.
 */
export function drawn(cell, labels = {}) {
  if (cell === null || cell === undefined) return { text: "", style: "missing" };
  if (typeof cell === "number") return { text: formatNumber(cell), style: "number" };
  if (typeof cell === "boolean") return { text: String(cell), style: "boolean" };
  if (typeof cell === "string") return { text: cell, style: "text" };
  if (cell.kind === "null") return { text: "null", style: "null" };
  if (cell.kind === "cut") {
    const size = formatNumber(cell.size);
    return { text: cell.text, style: "text", hint: (labels.cut ?? "{size} characters").replace("{size}", size) };
  }
  return { text: cell.text, style: cell.kind };
}

/** Numbers as they are (no rounding, no grouping of identifiers): what the document holds is what is seen. */
export function formatNumber(value) {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Whether the page has all of a value: `false` for a part of it, or another way to write it. */
export function isWhole(cell) {
  return !["cut", "json", "date"].includes(cell?.kind);
}
