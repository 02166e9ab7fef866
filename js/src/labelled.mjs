// Several labels in one cell: the list while it is edited.

/** The labels of a cell's text, or `null` where it is not a list of texts. */
export function labelsOf(text) {
  if (text.trim() === "") return [];
  try {
    const items = JSON.parse(text);
    return Array.isArray(items) && items.every((item) => typeof item === "string") ? items : null;
  } catch {
    return null;
  }
}

/** With what was typed: several at once where commas are between them; each only once. */
export function added(items, text) {
  const more = text.split(/[,\n\t]/).map((one) => one.trim().normalize("NFC"));
  return [...new Set([...items, ...more.filter(Boolean)])];
}

/** With one label as it is, commas and all. */
export function withLabel(items, label) {
  return [...new Set([...items, label])];
}

export function without(items, label) {
  return items.filter((item) => item !== label);
}

/** The text that is written: no labels are a missing key. */
export function textOf(items) {
  return items.length ? JSON.stringify(items) : "";
}
