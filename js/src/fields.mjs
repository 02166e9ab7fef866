// The values of a document, one below the other: texts, trees, labels, numbers; and the search in them.
import { drawn } from "./cells.mjs";
import { chip, partsOf } from "./cellview.mjs";
import { collect } from "./collecting.mjs";
import { copyText, h } from "./dom.mjs";
import { countPoints } from "./marks.mjs";
import { bytesText } from "./pieces.mjs";
import { shown, textView } from "./textview.mjs";
import { asText, isNode, occurrences, search } from "./tree.mjs";
import { treeView } from "./treeview.mjs";

const MOST = 300; // hits of a search that can be gone to

/** A field `{key, value, more, count, marks}`; `ask(key, offset)` gives the pieces of a large one. */
export function fieldView(field, labels, ask) {
  let { value } = field;
  const about = h("span.clow-field-about");
  const copy = h("button.clow-button.clow-small", { type: "button" }, labels.copy);
  const fold = (words, open) => h("button.clow-button.clow-small", { type: "button", onclick: () => tree.foldAll(open) }, words);
  const folds = [fold(labels.unfold, true), fold(labels.fold, false)];
  const body = h("div.clow-field-body");
  const element = h("section.clow-field", { "data-key": field.key, tabindex: "-1" }, h("div.clow-field-head", {}, h("bdi.clow-field-key", {}, ...shown(field.key)), about, h("span.clow-spring"), ...folds, copy), body);
  let tree = null;

  function draw() {
    tree = null;
    body.replaceChildren(...bodyOf());
    about.textContent = aboutText();
    for (const button of folds) button.hidden = !tree;
    copy.hidden = field.more || value?.kind === "picture" || value?.kind === "bytes";
  }
  function aboutText() {
    if (typeof value !== "string") return value?.hint ? labels.utc.replace("{moment}", value.hint) : "";
    const count = field.count ?? countPoints(value);
    return count > 80 ? labels.characters.replace("{count}", count.toLocaleString()) : "";
  }
  function bodyOf() {
    if (typeof value === "string") return [textView(value, field.marks), ...(field.more ? [rest()] : [])];
    if (isNode(value)) {
      const items = value.items;
      if (items?.length && items.every((item) => typeof item === "string" && item.length <= 40)) return [h("div.clow-chips", {}, ...items.map((item) => chip(item)))];
      tree = treeView(field.key, value, labels);
      return [tree.element];
    }
    if (value !== null && typeof value === "object" && value.kind !== "number" && value.kind !== "date" && value.kind !== "null")
      return [h("div.clow-value", {}, ...partsOf(value, labels)), ...(field.more ? [rest()] : [])];
    return [h(`div.clow-value.clow-value-${drawn(value).style}`, {}, drawn(value, labels).text)];
  }

  // The rest of a large value, on demand, in pieces.
  function rest() {
    const bar = h("span.clow-bar-fill", { style: "width:0" });
    const progress = h("span.clow-rest-bar.clow-bar", { hidden: "", role: "progressbar" }, bar);
    const said = h("span.clow-faint");
    const button = h("button.clow-button.clow-small", { type: "button" }, labels.all);
    const box = h("div.clow-rest", {}, button, progress, said);
    button.addEventListener("click", async () => {
      button.disabled = true;
      progress.hidden = false;
      const told = (done, total) => {
        const percent = total ? Math.round((100 * done) / total) : 100;
        bar.style.width = `${percent}%`;
        said.textContent = labels.loading.replace("{percent}", percent).replace("{size}", bytesText(total));
      };
      try {
        const answer = await collect((offset) => ask(field.key, offset), { told, gone: () => !box.isConnected });
        if (!answer) return;
        value = JSON.parse(new TextDecoder().decode(answer.bytes));
        field = { ...field, more: false, count: undefined };
        draw();
      } catch (error) {
        said.textContent = error.message;
        button.disabled = false;
      }
    });
    return box;
  }

  copy.addEventListener("click", async () => {
    if (!(await copyText(typeof value === "string" ? value : isNode(value) ? asText(value) : drawn(value).text))) return;
    copy.textContent = labels.copied;
    setTimeout(() => (copy.textContent = labels.copy), 1500);
  });

  /** Where the field holds a text: functions that give the range of each place, unfolding the way to it. */
  function find(wanted) {
    if (tree) return search(value, wanted, MOST).map((path) => () => rangeIn(tree.reveal(path)));
    const text = body.querySelector(".clow-text");
    if (text && typeof value === "string") return occurrences(value, wanted, MOST).map(([from, to]) => () => rangeOf(text, from, to));
    return body.textContent.toLowerCase().includes(wanted.toLowerCase()) ? [() => rangeIn(body)] : [];
  }

  draw();
  return { element, find };
}

function rangeIn(element) {
  const range = document.createRange();
  range.selectNodeContents(element.querySelector?.(".clow-node-value") ?? element);
  return range;
}

function rangeOf(element, from, to) {
  const range = document.createRange();
  const nodes = document.createTreeWalker(element, NodeFilter.SHOW_TEXT, (node) => (node.parentElement.closest(".clow-mark-label") ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT));
  let at = 0;
  for (let node = nodes.nextNode(); node; node = nodes.nextNode()) {
    const end = at + node.length;
    if (from >= at && from < end) range.setStart(node, from - at);
    if (to <= end) return range.setEnd(node, to - at), range;
    at = end;
  }
  return range;
}
