// What helps while somebody writes in a cell, by the kind of its column: choices with their counts, a calendar, labels, a look at JSON.
//
// A helper is made over a text area: `{el, start(text), update(), key(event), text(), touched}`. `key` is true where it took the key; `text` is
// what shall be written, where that is not what stands in the area.
import { dayOf, inMonth, shifted, weeksOf, withDay } from "./days.mjs";
import { h } from "./dom.mjs";
import { lineBreak, lint, pretty } from "./jsontext.mjs";
import { added, labelsOf, textOf, withLabel, without } from "./labelled.mjs";
import { choicesFor } from "./pen.mjs";

/** A list of choices, one of which may be chosen with the arrows. */
function list(lang, pick) {
  const el = h("div.clow-choices", { role: "listbox" });
  let chosen = -1;
  const option = ({ text, count }) =>
    h(
      "div.clow-choice",
      { role: "option", "data-text": text, onmousedown: (event) => (event.preventDefault(), pick(text)) },
      h("span", {}, text),
      count === undefined ? null : h("span.clow-choice-count", {}, count.toLocaleString(lang)),
    );
  return {
    el,
    show(choices) {
      chosen = -1;
      el.replaceChildren(...choices.map(option));
      el.hidden = !choices.length;
    },
    key(event) {
      const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      const many = el.children.length;
      if (!by || !many) return false;
      chosen = ((chosen + 1 + by + many + 1) % (many + 1)) - 1;
      [...el.children].forEach((child, index) => {
        child.classList.toggle("clow-chosen", index === chosen);
        child.setAttribute("aria-selected", index === chosen);
      });
      return true;
    },
    text: () => el.children[chosen]?.dataset.text,
  };
}

function choosing({ pen, lang, choices, take, place }) {
  const found = list(lang, (text) => ((pen.value = text), take()));
  let known = [];
  let before = "";
  const update = () => found.show(known.length ? choicesFor(pen.value === before ? "" : pen.value, known) : []);
  return {
    ...found,
    async start() {
      before = pen.value;
      found.show([]);
      known = (await choices()) ?? [];
      if (pen.isConnected) (update(), place());
    },
    update,
  };
}

function dating({ pen, lang, labels, take, place }) {
  const el = h("div.clow-calendar", { role: "group", "aria-label": labels().calendar });
  const title = new Intl.DateTimeFormat(lang, { year: "numeric", month: "long", timeZone: "UTC" });
  const weekday = new Intl.DateTimeFormat(lang, { weekday: "narrow", timeZone: "UTC" });
  const whole = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeZone: "UTC" });
  let seen = "";
  let before = "";

  const now = () => {
    const date = new Date();
    return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
  };
  const set = (day) => {
    pen.value = before = withDay(pen.value, day);
    pen.select();
    update();
  };
  const turn = (months) => {
    seen = inMonth(seen, months);
    draw();
  };
  const tool = (text, name, act) =>
    h("button.clow-calendar-tool", { type: "button", tabindex: -1, title: name, "aria-label": name, onmousedown: (event) => (event.preventDefault(), act()) }, text);

  function draw() {
    const chosen = dayOf(pen.value)?.day;
    const weeks = weeksOf(seen);
    const head = h(
      "div.clow-calendar-head",
      {},
      tool("‹", labels().month_before, () => turn(-1)),
      h("span", {}, title.format(new Date(`${seen}T00:00:00Z`))),
      tool("›", labels().month_after, () => turn(1)),
      tool(labels().today, labels().today, () => (set(now()), take())),
    );
    const cell = ({ day, date, inside }) =>
      h(
        `div.clow-day${inside ? "" : ".clow-day-outside"}${day === chosen ? ".clow-chosen" : ""}${day === now() ? ".clow-day-today" : ""}`,
        { "data-day": day, title: whole.format(new Date(`${day}T00:00:00Z`)), onmousedown: (event) => (event.preventDefault(), set(day), take()) },
        String(date),
      );
    const names = weeks[0].map(({ day }) => h("div.clow-weekday", {}, weekday.format(new Date(`${day}T00:00:00Z`))));
    el.replaceChildren(head, h("div.clow-days", {}, ...names, ...weeks.flat().map(cell)));
    place();
  }

  function update() {
    const day = dayOf(pen.value)?.day;
    if (day) seen = day;
    draw();
  }

  // The arrows go through the days until somebody types; then they go through the text.
  function key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || pen.value !== before) return false;
    const from = dayOf(pen.value)?.day ?? now();
    const days = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
    const months = { PageUp: -1, PageDown: 1 }[event.key];
    if (!days && !months) return false;
    set(days ? shifted(from, days) : inMonth(from, months));
    return true;
  }

  return { el, start: (text) => ((before = text), (seen = dayOf(text)?.day ?? now()), pen.select(), draw()), update, key, text: () => undefined };
}

function labelling({ pen, lang, labels, choices, place }) {
  const chips = h("div.clow-pen-chips");
  const found = list(lang, (label) => set(withLabel(items, label)));
  const el = h("div.clow-pen-labels", {}, chips, found.el);
  let items = [];
  let known = [];

  const set = (now) => {
    items = now;
    pen.value = "";
    update();
  };
  const grown = () => (found.text() === undefined ? added(items, pen.value) : withLabel(items, found.text()));
  const chip = (label) => {
    const name = (labels().unlabel ?? "").replace("{label}", label);
    const drop = (event) => (event.preventDefault(), set(without(items, label)));
    return h("span.clow-pen-chip", {}, label, h("button.clow-pen-chip-drop", { type: "button", tabindex: -1, title: name, "aria-label": name, onmousedown: drop }, "×"));
  };

  function update() {
    chips.replaceChildren(...(items.length ? items.map(chip) : [h("span.clow-muted", {}, labels().no_labels)]));
    found.show(choicesFor(pen.value, known.filter(({ text }) => !items.includes(text))));
    place();
  }

  return {
    el,
    async start(text) {
      items = labelsOf(text) ?? [];
      pen.placeholder = labels().add_label ?? "";
      if (labelsOf(text)) pen.value = "";
      update();
      known = (await choices()) ?? [];
      if (pen.isConnected) update();
    },
    update,
    key(event) {
      if (found.key(event)) return true;
      if (event.key === "Backspace" && !pen.value && items.length) return set(items.slice(0, -1)), true;
      if (event.key !== "Enter" || !(found.text() ?? pen.value).trim()) return false;
      return set(grown()), true;
    },
    text: () => textOf(grown()),
    stop: () => (pen.placeholder = ""),
  };
}

function looking({ pen, labels, place }) {
  const el = h("div.clow-lint", { role: "status" });
  function update() {
    const { ok, line, column } = lint(pen.value);
    el.classList.toggle("clow-bad", !ok);
    el.textContent = ok ? labels().json_good : (labels().json_bad ?? "").replace("{line}", line).replace("{column}", column);
    place();
  }
  return {
    el,
    large: true,
    start: (text) => ((pen.value = pretty(text)), update()),
    update,
    // What is no JSON yet is not taken: the line goes on.
    key(event) {
      if (event.key !== "Enter" || event.ctrlKey || event.metaKey || (!event.altKey && lint(pen.value).ok)) return false;
      pen.setRangeText(lineBreak(pen.value, pen.selectionStart), pen.selectionStart, pen.selectionEnd, "end");
      update();
      return true;
    },
    text: () => undefined,
  };
}

const KINDS = { text: choosing, bool: choosing, date: dating, datetime: dating, moment: dating, list: labelling, json: looking };

/** The helper of a kind, or `null`: numbers need none. */
export function helperFor(kind, options) {
  return KINDS[kind]?.(options) ?? null;
}
