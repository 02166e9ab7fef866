// The choice among the values of a key: check boxes with counts, and a search among them.
import { h } from "./dom.mjs";
import { choicesOf, foundIn, labelsOf, labelsText } from "./filters.mjs";

const MOST = 300; // rows drawn; a search finds the others

/** The content of the popover; `ask()` gives `{labels, missing}`, `take(text)` applies the choice. */
export function createPicker({ text, words, locale, ask, take, ready = () => {} }) {
  const chosen = new Set((labelsOf(text) ?? []).map((label) => JSON.stringify(label)));
  let choices = [];
  const search = h("input.clow-find", { type: "search", placeholder: words.search, "aria-label": words.search });
  const list = h("div.clow-picks", { role: "group", tabindex: "-1" }, h("p.clow-note", {}, words.counting));
  const all = h("button.clow-button", { type: "button", onclick: () => tick(true) }, words.all);
  const none = h("button.clow-button", { type: "button", onclick: () => tick(false) }, words.none);
  const apply = h("button.clow-button.clow-primary", { type: "button", onclick: () => done() }, words.apply);
  const buttons = h("div.clow-picks-foot", {}, all, none, h("span.clow-spacer"), apply);
  const content = h("div.clow-picker", {}, search, list, buttons);
  search.addEventListener("input", draw);
  content.addEventListener("keydown", hear);

  function hear(event) {
    if (event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" && event.target.tagName !== "BUTTON") done();
    else if (step) walk(step);
    else return;
    event.preventDefault();
  }

  function walk(step) {
    const boxes = [search, ...list.querySelectorAll("input")];
    boxes[Math.max(0, Math.min(boxes.length - 1, boxes.indexOf(document.activeElement) + step))].focus();
  }

  function draw() {
    const found = foundIn(choices, search.value);
    list.replaceChildren(...found.slice(0, MOST).map(row), found.length ? "" : h("p.clow-note", {}, words.nothing));
  }

  function row(choice) {
    const name = JSON.stringify(choice.value);
    const box = h("input", { type: "checkbox", checked: chosen.has(name) });
    box.addEventListener("change", () => (box.checked ? chosen.add(name) : chosen.delete(name)));
    const shown = h(choice.value === null ? "span.clow-choose-name.clow-choose-missing" : "span.clow-choose-name", {}, choice.text || '""');
    return h("label.clow-choose", {}, box, shown, h("span.clow-choose-count", {}, choice.count.toLocaleString(locale)));
  }

  function tick(on) {
    for (const { value } of foundIn(choices, search.value)) chosen[on ? "add" : "delete"](JSON.stringify(value));
    draw();
  }

  // Enter in the search without a tick takes what is found.
  function done() {
    const found = foundIn(choices, search.value);
    if (!chosen.size && search.value.trim()) for (const { value } of found) chosen.add(JSON.stringify(value));
    take(labelsText([...chosen].map((name) => JSON.parse(name))));
  }

  async function fill() {
    try {
      const answer = await ask();
      if (!answer.labels) return list.replaceChildren(h("p.clow-note", {}, words.tooMany));
      choices = choicesOf(answer, words);
      draw();
    } catch (error) {
      list.replaceChildren(h("p.clow-note.clow-refused-note", { role: "alert" }, error.message));
    } finally {
      ready();
    }
  }
  fill();
  return { content, search };
}
