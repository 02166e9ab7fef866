// The panel of the columns: which are shown, which stay at the left, and in which order; by mouse and by keyboard.
import { h } from "./dom.mjs";
import { moved, named } from "./columns.mjs";

/** The content of the popover. `read()` gives the arrangement, `write(arrangement)` takes another, `reset()` goes back to how it was. */
export function createColumnPanel({ words, read, write, reset }) {
  const search = h("input.clow-find", { type: "search", placeholder: words.search, "aria-label": words.search });
  const list = h("div.clow-columns", { role: "list" });
  const showAll = h("button.clow-button", { type: "button", onclick: () => change((entry) => ({ ...entry, hidden: false })) }, words.showAll);
  const asItWas = h("button.clow-button", { type: "button", onclick: () => (reset(), draw()) }, words.asItWas);
  const content = h("div.clow-picker", {}, search, list, h("div.clow-picks-foot", {}, showAll, asItWas));
  let dragged = null;
  search.addEventListener("input", draw);
  content.addEventListener("keydown", hear);

  function change(each) {
    write(read().map(each));
    draw();
  }

  function set(key, values) {
    change((entry) => (entry.key === key ? { ...entry, ...values } : entry));
  }

  function shift(key, to) {
    const before = read();
    const from = before.findIndex((entry) => entry.key === key);
    if (to < 0 || to >= before.length) return;
    write(moved(before, from, to));
    draw();
    rowOf(key)?.querySelector("input").focus();
  }

  function rowOf(key) {
    return [...list.children].find((row) => row.dataset.key === key);
  }

  function draw() {
    const all = read();
    const focused = document.activeElement?.closest?.(".clow-column")?.dataset.key;
    const found = named(all, search.value);
    list.replaceChildren(...found.map((entry) => row(entry, all)), found.length ? "" : h("p.clow-note", {}, words.nothing));
    if (focused !== undefined) rowOf(focused)?.querySelector("input").focus();
  }

  function row(entry, all) {
    const { key, name, hidden, pinned } = entry;
    const place = all.findIndex((other) => other.key === key);
    const box = h("input", { type: "checkbox", checked: !hidden });
    box.addEventListener("change", () => set(key, { hidden: !box.checked }));
    const step = (word, by, sign) =>
      h("button.clow-column-step", { type: "button", title: word, "aria-label": `${word}: ${name}`, onclick: () => shift(key, place + by) }, sign);
    const pin = h(
      "button.clow-column-pin",
      { type: "button", title: words.pin, "aria-label": `${words.pin}: ${name}`, "aria-pressed": String(Boolean(pinned)) },
      "⇤",
    );
    pin.addEventListener("click", () => set(key, { pinned: pinned ? null : "left" }));
    const line = h("div.clow-column", { role: "listitem", draggable: "true", "data-key": key });
    line.append(h("span.clow-column-grip", { "aria-hidden": "true" }, "⋮⋮"), h("label.clow-choose", {}, box, h("span.clow-choose-name", {}, name)));
    line.append(step(words.up, -1, "↑"), step(words.down, 1, "↓"), pin);
    line.addEventListener("dragstart", () => (dragged = key));
    line.addEventListener("dragover", (event) => dragged !== null && (event.preventDefault(), line.classList.add("clow-column-over")));
    line.addEventListener("dragleave", () => line.classList.remove("clow-column-over"));
    line.addEventListener("drop", (event) => (event.preventDefault(), dragged !== null && dragged !== key && shift(dragged, place), (dragged = null)));
    return line;
  }

  // Arrows walk through the columns, with Alt they move them.
  function hear(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const key = event.target.closest(".clow-column")?.dataset.key;
    if (event.altKey && key !== undefined) return shift(key, read().findIndex((entry) => entry.key === key) + step);
    const boxes = [search, ...list.querySelectorAll("input")];
    const here = key === undefined ? 0 : boxes.indexOf(rowOf(key).querySelector("input"));
    boxes[Math.max(0, Math.min(boxes.length - 1, here + step))].focus();
  }

  draw();
  return { content, search };
}
