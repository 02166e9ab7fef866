// A small form over the grid: one at a time, Escape closes it, and the pen has the focus again.
import { h } from "./dom.mjs";

/** Adds to the sheet `card(title, …children)`, which gives `{el, close, complain}`, and `question(words, ways)`. */
export function attachCards(sheet) {
  const { box, foot, labels } = sheet;
  let open = null;

  function close() {
    open?.remove();
    open = null;
    if (sheet.selection) sheet.pen.focus({ preventScroll: true });
  }

  function card(title, ...children) {
    close();
    const problem = h("div.clow-card-problem", { role: "alert" });
    const shut = h("button.clow-card-close", { type: "button", title: labels().close, "aria-label": labels().close, onclick: close }, "×");
    const keys = (event) => {
      event.stopPropagation(); // Jupyter has shortcuts of one letter
      if (event.key === "Escape" && !event.isComposing) close();
    };
    const head = h("div.clow-card-head", {}, h("b", {}, title), shut);
    const attributes = { "aria-label": title, tabindex: -1, onkeydown: keys, onsubmit: (event) => event.preventDefault() };
    open = h("form.clow-card", attributes, head, ...children, problem);
    open.addEventListener("mousedown", (event) => event.stopPropagation());
    box.append(open);
    open.focus({ preventScroll: true });
    const el = open;
    return {
      el,
      close: () => el === open && close(),
      there: () => el === open,
      complain: (text) => (problem.textContent = text),
    };
  }

  /** A question in the foot; `ways` are `[name, act]`, and there is always a way out. */
  function question(words, ways) {
    const away = () => (asked.remove(), sheet.pen.focus({ preventScroll: true }));
    const way = ([name, act]) => h("button.clow-button", { type: "button", onclick: () => (away(), act()) }, name);
    const hear = (event) => event.key === "Escape" && away();
    const all = [...ways, [labels().cancel, () => {}]];
    const parts = [h("span", {}, words), h("span.clow-spread"), ...all.map(way)];
    const asked = h("div.clow-ticks.clow-question", { role: "group", "aria-label": words, onkeydown: hear }, ...parts);
    sheet.el.querySelector(".clow-question")?.remove();
    sheet.el.insertBefore(asked, foot);
    asked.querySelector("button").focus();
  }

  const cardComplains = (text) => Boolean(open) && ((open.querySelector(".clow-card-problem").textContent = text), true);

  Object.assign(sheet, { card, question, cardComplains });
}

/** A select with `[value, name]` options. */
export function choice(options, attributes = {}) {
  return h("select.clow-select", attributes, ...options.map(([value, name]) => h("option", { value }, name)));
}

/** A line of a form: its name, and what is filled in. */
export function line(name, ...fields) {
  return h("label.clow-card-line", {}, h("span", {}, name), ...fields);
}

/** The kinds that a new key can have, in the words of the page. */
export function kindsOf(labels) {
  return Object.entries(labels.kinds ?? {});
}
