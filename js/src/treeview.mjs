// A nested value as a tree: folded, unfolded where one looks, searched, copied by value and by path.
import { drawn } from "./cells.mjs";
import { partsOf } from "./cellview.mjs";
import { copyText, h } from "./dom.mjs";
import { shown } from "./textview.mjs";
import { asText, childrenOf, isNode, pathText } from "./tree.mjs";

const AT_ONCE = 100; // children that are drawn together
const OPEN = 2; // levels that are open at first, where they are short

/** The tree of a value under a key; `reveal(path)` unfolds the way to a place and gives its element. */
export function treeView(key, value, labels) {
  const element = h("div.clow-tree", { role: "tree", "aria-label": key });
  const root = nodeView([], value, labels, 0, key);
  element.append(...root.elements);
  element.addEventListener("keydown", walk);

  function reveal(path) {
    let node = root;
    for (const part of path) node = node.child(part);
    return node.row;
  }
  function foldAll(open) {
    root.children().forEach((node) => node.toggle(open, 8));
  }
  return { element, reveal, foldAll };

  function walk(event) {
    const rows = [...element.querySelectorAll(".clow-node")].filter((row) => row.offsetParent);
    const at = rows.indexOf(event.target.closest(".clow-node"));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to !== undefined) rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
    else if (event.key === "ArrowRight" || event.key === "ArrowLeft") rows[at]?.dispatchEvent(new CustomEvent("clow-fold", { detail: event.key === "ArrowRight" }));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

function nodeView(path, value, labels, depth, key) {
  const nested = isNode(value);
  const inside = childrenOf(value);
  const made = new Map();
  const list = h("div.clow-children", { role: "group", hidden: "" });
  const sign = nested && inside.length ? h("span.clow-twist", { "aria-hidden": "true" }, "▸") : h("span.clow-twist");
  const row = h("div.clow-node", { role: "treeitem", tabindex: depth ? "-1" : "0" }, sign, name(path, key), ...content(value, nested, inside, labels));
  const offer = () => row.lastChild.matches(".clow-node-tools") || row.append(tools(path, value, labels, key));
  row.addEventListener("pointerenter", offer);
  row.addEventListener("focusin", offer);

  // Children are drawn where one looks: the first hundred, those around what was found, the others behind a button.
  function drawSome(from) {
    for (let place = Math.max(0, from); place < Math.min(from + AT_ONCE, inside.length); place++) {
      if (made.has(place)) continue;
      const [part, item] = inside[place];
      made.set(place, nodeView([...path, part], item, labels, depth + 1, key));
    }
    const places = [...made.keys()].sort((a, b) => a - b);
    const elements = places.flatMap((place, n) => [...made.get(place).elements, ...gap(place + 1, places[n + 1] ?? inside.length)]);
    list.replaceChildren(...elements);
  }
  function gap(from, to) {
    if (from >= to) return [];
    const words = labels.more.replace("{count}", (to - from).toLocaleString());
    return [h("button.clow-button.clow-small.clow-more-children", { type: "button", onclick: () => drawSome(from) }, words)];
  }
  function toggle(open = list.hidden, levels = 1) {
    if (!inside.length) return;
    if (open && !made.size) drawSome(0);
    list.hidden = !open;
    sign.textContent = open ? "▾" : "▸";
    row.setAttribute("aria-expanded", String(open));
    if (levels > 1) for (const node of made.values()) node.toggle(open, levels - 1);
  }
  function child(part) {
    toggle(true);
    const place = inside.findIndex(([own]) => own === part);
    if (!made.has(place)) drawSome(place - 5);
    return made.get(place);
  }
  if (nested && inside.length) {
    row.setAttribute("aria-expanded", "false");
    row.addEventListener("click", (event) => event.target.closest("button") || String(getSelection()) || toggle());
    row.addEventListener("clow-fold", ({ detail }) => toggle(detail));
    row.addEventListener("keydown", (event) => event.key === "Enter" && event.target === row && toggle());
    if (depth < OPEN && inside.length <= 12) toggle(true);
  }
  return { elements: [row, list], row, child, toggle, children: () => [{ toggle }] };
}

function name(path, key) {
  const part = path.length ? path.at(-1) : key;
  return h(`span.clow-node-key${typeof part === "number" ? ".clow-node-place" : ""}`, {}, ...shown(String(part)));
}

function content(value, nested, inside, labels) {
  if (nested) {
    const words = value.kind === "object" ? labels.keys : labels.items;
    const sign = value.kind === "object" ? "{…}" : "[…]";
    return [h("span.clow-node-count", {}, `${sign} ${words.replace("{count}", inside.length.toLocaleString())}`)];
  }
  if (typeof value === "string") return [h("span.clow-node-value.clow-cell-text", {}, ...shown(value))];
  const { text, style, hint } = drawn(value, labels);
  if (value?.kind === "picture") return [h("span.clow-node-value", {}, ...partsOf(value, labels))];
  return [h(`span.clow-node-value.clow-value-${style}`, { title: hint ? labels.utc.replace("{moment}", hint) : null }, text)];
}

function tools(path, value, labels, key) {
  const button = (words, text) => {
    const element = h("button.clow-button.clow-small", { type: "button", tabindex: "-1" }, words);
    element.addEventListener("click", async () => {
      if (!(await copyText(text()))) return;
      element.textContent = labels.copied;
      setTimeout(() => (element.textContent = words), 1500);
    });
    return element;
  };
  const plain = () => (typeof value === "string" ? value : asText(value));
  return h("span.clow-node-tools", {}, button(labels.copy, plain), button(labels.copyPath, () => pathText([key, ...path])));
}
