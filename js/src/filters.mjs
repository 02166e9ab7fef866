// Pure logic of the filters under the headers: what a text says, and the values to choose among. How a text becomes a query is the kernel's.

/** The labels that a text lists (`["a", null]`), or `null` if it lists none. */
export function labelsOf(text) {
  const labels = parsed(text, "[");
  return Array.isArray(labels) && labels.every((label) => label === null || typeof label !== "object") ? labels : null;
}

export function labelsText(labels) {
  return labels.length ? JSON.stringify(labels) : "";
}

const SIGNS = { $eq: "=", $ne: "≠", $gte: "≥", $gt: ">", $lte: "≤", $lt: "<" };

/** What stands in the place of a text: `{text, typed}`; chosen labels and conditions (`typed` is false) are said in words. */
export function shownText(text, words = {}) {
  const labels = labelsOf(text);
  if (labels) return { text: listed(labels, words), typed: false };
  const condition = parsed(text, "{");
  const names = condition ? Object.keys(condition) : [];
  if (!names.length || !names.every((name) => name.startsWith("$"))) return { text, typed: true };
  return { text: names.map((name) => said(name, condition[name], words)).join(" "), typed: false };
}

function said(name, value, words) {
  if (name === "$exists") return value ? (words.any ?? "") : (words.missing ?? "");
  if (name === "$in" && Array.isArray(value)) return listed(value, words);
  if (name === "$eq" && value === null) return words.missing ?? "";
  return `${SIGNS[name] ?? name} ${plain(value)}`;
}

function plain(value) {
  if (value?.$date) return String(value.$date).replace(/T00:00.*$/, "");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function listed(labels, words, most = 3) {
  if (labels.length > most) return (words.chosen ?? "{count}").replace("{count}", labels.length);
  return labels.map((label) => labelText(label, words)).join(", ");
}

function labelText(label, words) {
  return label === null ? (words.missing ?? "") : plain(label);
}

/** The values of a key as choices `{value, text, count}`, those without a value last. */
export function choicesOf({ labels, missing }, words = {}) {
  const choices = labels.map(([value, count]) => ({ value, text: labelText(value, words), count }));
  return missing ? [...choices, { value: null, text: labelText(null, words), count: missing }] : choices;
}

/** What the lack of a value is called in a column: where values are lists, an empty one is as good as none. */
export function wordsFor(kind, words = {}) {
  return kind === "list" && words.empty ? { ...words, missing: words.empty } : words;
}

/** The choices whose text holds what was typed, in any case, composed or not. */
export function foundIn(choices, text) {
  const wanted = fold(text.trim());
  return wanted ? choices.filter((choice) => fold(choice.text).includes(wanted)) : choices;
}

export function fold(text) {
  return text.normalize("NFC").toLowerCase();
}

/** What is hinted at in an empty field of a column. */
export function hintOf({ kind, role }, words) {
  if (role === "label" || kind === "bool") return words.all ?? "";
  const hints = { number: words.hintNumber, date: words.hintDate, datetime: words.hintDate };
  return hints[kind] ?? words.hintText ?? "";
}

function parsed(text, first) {
  if (!text.startsWith(first)) return null;
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
