// A text in the viewer: wrapped, its spans marked, and what can't be seen named.
import { hueStyle } from "./colours.mjs";
import { h } from "./dom.mjs";
import { segments, visible } from "./marks.mjs";

const BLOCK = 20_000; // characters that are laid out together

/** The text with its spans `[[start, end, label], …]`; a long one in blocks that are laid out when they come into sight. */
export function textView(text, marks = []) {
  const spans = marks.map(([start, end, label]) => ({ start, end, label }));
  if (!spans.length && text.length > BLOCK) return h("div.clow-text", {}, ...blocksOf(text).map((part) => h("div.clow-text-block", {}, ...shown(part))));
  const last = new Map(spans.map((_, place) => [place, -1]));
  const pieces = segments(text, spans);
  pieces.forEach(({ spans: covering }, n) => covering.forEach((place) => last.set(place, n)));
  return h("div.clow-text", {}, ...pieces.map((piece, n) => marked(piece, spans, (place) => last.get(place) === n)));
}

function marked({ text, spans: covering }, spans, ends) {
  if (!covering.length) return h("span", {}, ...shown(text));
  const lines = covering.map((place, depth) => `inset 0 -${2 * (depth + 1)}px oklch(58% 0.15 ${hue(spans[place].label)})`);
  const labels = covering.map((place) => spans[place].label);
  const named = covering.filter(ends).map((place) => h("span.clow-mark-label", { style: hueStyle(spans[place].label), "aria-hidden": "true" }, spans[place].label));
  const style = `${hueStyle(labels.at(-1))};box-shadow:${lines.join(",")};padding-bottom:${2 * covering.length}px`;
  return h("span.clow-marked", {}, h("mark.clow-mark", { style, title: labels.join(", ") }, ...shown(text)), ...named);
}

function hue(label) {
  return hueStyle(label).split(": ")[1];
}

/** A text node for what can be seen, a named one for what can't; copied text is the text itself. */
export function shown(text) {
  return visible(text).map(({ text: part, name }) => (name ? h("span.clow-unseen-character", { "data-name": name, title: name }, part) : part));
}

function blocksOf(text) {
  const blocks = [];
  for (let from = 0; from < text.length; ) {
    const line = text.indexOf("\n", from + BLOCK);
    let to = line < 0 || line > from + 2 * BLOCK ? Math.min(text.length, from + BLOCK) : line + 1;
    if (to < text.length && (text.charCodeAt(to) & 0xfc00) === 0xdc00) to++; // not between the halves of a character
    blocks.push(text.slice(from, to));
    from = to;
  }
  return blocks;
}
