// A nested value on a page: `{kind: "object", entries}`, `{kind: "array", items}`, and leaves as cells (see `whole` in cells.py).
import { drawn } from "./cells.mjs";

/** The children of a node as `[key, value]`; a leaf has none. */
export function childrenOf(value) {
  if (value?.kind === "object") return value.entries;
  if (value?.kind === "array") return value.items.map((item, place) => [place, item]);
  return [];
}

export function isNode(value) {
  return value?.kind === "object" || value?.kind === "array";
}

/** A path as it is written in Python after the name of the document: `["a"][0]["b.c"]`. */
export function pathText(path) {
  return path.map((part) => `[${typeof part === "number" ? part : JSON.stringify(part)}]`).join("");
}

/** The value as JSON text, every digit kept; what JSON does not know (NaN, bytes, moments) as the page shows it. */
export function asText(value, indent = "") {
  if (isNode(value)) {
    const inner = childrenOf(value).map(([key, item]) => {
      const name = value.kind === "object" ? `${JSON.stringify(key)}: ` : "";
      return `${indent}  ${name}${asText(item, `${indent}  `)}`;
    });
    const [open, close] = value.kind === "object" ? "{}" : "[]";
    return inner.length ? `${open}\n${inner.join(",\n")}\n${indent}${close}` : open + close;
  }
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value !== "object" || value === null) return drawn(value).text || "null";
  return value.kind === "null" || value.kind === "number" ? drawn(value).text : JSON.stringify(value.text);
}

/** The paths whose key or value holds the text, in order, at most `most`; capitals and composition make no difference. */
export function search(value, text, most = 500) {
  const wanted = fold(text);
  const found = [];
  if (!wanted) return found;
  const left = [[[], value]];
  while (left.length && found.length < most) {
    const [path, node] = left.pop();
    const key = path.length && typeof path.at(-1) === "string" ? path.at(-1) : "";
    const own = isNode(node) ? "" : drawn(node).text;
    if (fold(key).includes(wanted) || fold(own).includes(wanted)) found.push(path);
    const children = childrenOf(node);
    for (let n = children.length - 1; n >= 0; n--) left.push([[...path, children[n][0]], children[n][1]]);
  }
  return found;
}

/** The places at which a text holds another, as `[from, to]`. */
export function occurrences(text, wanted, most = 1000) {
  const found = [];
  if (!wanted) return found;
  const [inside, sought] = [text.toLowerCase(), wanted.toLowerCase()];
  if (inside.length !== text.length) return found; // a capital that grows: rare, and its places would be wrong
  for (let at = inside.indexOf(sought); at >= 0 && found.length < most; at = inside.indexOf(sought, at + sought.length)) found.push([at, at + sought.length]);
  return found;
}

function fold(text) {
  return text.normalize("NFC").toLowerCase();
}
