// The search in a document: how many places, and from one to the next.
import { h } from "./dom.mjs";

/** `fields()` are those that are shown; the element is a search box with its count. */
export function createFinding(labels, fields) {
  const box = h("input.clow-search.clow-find", { type: "search", placeholder: labels.search, "aria-label": labels.search, spellcheck: "false" });
  const count = h("span.clow-faint.clow-find-count", { role: "status" });
  let hits = [];
  let at = 0;
  let timer = null;

  function paint(range) {
    if (!globalThis.CSS?.highlights) return;
    if (range) CSS.highlights.set("clow-found", new Highlight(range));
    else CSS.highlights.delete("clow-found");
  }
  function go(to) {
    if (!hits.length) return;
    at = (to + hits.length) % hits.length;
    const range = hits[at]();
    paint(range);
    (range.startContainer.parentElement ?? range.startContainer).scrollIntoView({ block: "center" });
    count.textContent = labels.found.replace("{at}", at + 1).replace("{count}", hits.length);
  }
  function again() {
    const wanted = box.value.trim();
    paint(null);
    hits = wanted ? fields().flatMap((field) => field.find(wanted)) : [];
    count.textContent = wanted && !hits.length ? labels.none : "";
    go(0);
  }
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(again, 200);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) go(at + (event.shiftKey ? -1 : 1));
    if (event.key === "Escape" && box.value) {
      box.value = "";
      again();
      event.stopPropagation();
    }
  });
  const close = () => (clearTimeout(timer), paint(null));
  return { element: h("span.clow-finding", {}, box, count), again: () => box.value && again(), close };
}
