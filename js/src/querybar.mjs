// The bar above the rows: a query that is checked while it is typed, the last ones, how to write one, and the columns.
import { h } from "./dom.mjs";

const PAUSE = 350; // milliseconds without a key before the kernel checks

/** `popover` shows the lists; `openColumns(button)` the panel. Returns `{bar, hide(count), close}`. */
export function createQueryBar({ model, labels, messages, popover, openColumns }) {
  const words = labels();
  const field = h("input.clow-query-text", { type: "text", spellcheck: "false", autocomplete: "off", placeholder: '{"key": "value"}' });
  field.setAttribute("aria-label", words.query ?? "");
  const clear = button("×", words.clear, () => (take(""), field.focus()), "clow-query-button");
  const recent = button("▾", words.recent, () => openRecent(), "clow-query-button");
  const help = button("?", words.help, () => openHelp(), "clow-query-button");
  const columns = h("button.clow-button", { type: "button", "aria-haspopup": "dialog", onclick: () => openColumns(columns) }, words.columns ?? "");
  const said = h("div.clow-query-said", { role: "status", "aria-live": "polite" });
  const bar = h("div.clow-querybar", {}, h("div.clow-query", {}, field, clear, recent, help), columns, said);
  let timer = null;
  let asked = 0; // the number of the last check, so that a late answer says nothing

  field.addEventListener("input", () => later());
  field.addEventListener("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") take(field.value);
    else if (event.key === "Escape" && field.value) take("");
    else if (event.key === "ArrowDown" && model.get("recent").length) openRecent();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  function button(text, name, onclick, style) {
    return h(`button.${style}`, { type: "button", title: name, "aria-label": name, onclick }, text);
  }

  function say(text, wrong = false) {
    said.textContent = text;
    said.hidden = !text;
    said.classList.toggle("clow-query-wrong", wrong);
    field.setAttribute("aria-invalid", String(wrong));
    clear.hidden = !field.value;
    recent.hidden = !model.get("recent").length;
  }

  function later() {
    clearTimeout(timer);
    asked++;
    say("");
    if (field.value.trim()) timer = setTimeout(check, PAUSE);
  }

  async function check() {
    const number = ++asked;
    const answer = await ask("check", field.value, () => number === asked);
    if (!answer || number !== asked) return;
    const { count, doubts } = answer;
    const found = count === null ? labels().fits : labels().matches?.replace("{count}", count.toLocaleString(model.get("lang")));
    say([...doubts, found].join(" "));
  }

  async function take(text) {
    clearTimeout(timer);
    popover.close();
    field.value = text;
    const number = ++asked;
    if (await ask("ask", text, () => number === asked)) say("");
  }

  async function ask(type, text, current) {
    try {
      return (await messages.request(type, { text })).content;
    } catch (error) {
      if (current()) say(error.message, true);
      return null;
    }
  }

  function options(lines, choose) {
    const list = h("div.clow-options", {});
    const walk = (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const all = [...list.children];
      all[Math.max(0, Math.min(all.length - 1, all.indexOf(document.activeElement) + step))].focus();
    };
    list.addEventListener("keydown", walk);
    for (const [text, meaning] of lines)
      list.append(h("button.clow-option", { type: "button", onclick: () => choose(text) }, h("code", {}, text), h("span", {}, meaning ?? "")));
    return list;
  }

  function openRecent() {
    const list = options(model.get("recent").map((text) => [text]), (text) => (take(text), field.focus()));
    popover.open(field, words.recent, list, { wide: true });
    list.firstChild?.focus();
  }

  function openHelp() {
    const lines = (labels().helpText ?? "").split("\n").map((line) => line.split("\t"));
    const list = options(lines, (text) => (popover.close(), (field.value = text), later(), field.focus()));
    popover.open(field, words.help, h("div", {}, h("p.clow-note", {}, words.help), list), { wide: true });
    list.firstChild?.focus();
  }

  function draw() {
    const query = model.get("query");
    if (JSON.stringify(query) !== read(field.value)) field.value = query ? JSON.stringify(query) : "";
    say("");
  }

  function read(text) {
    try {
      return text.trim() ? JSON.stringify(JSON.parse(text)) : "null";
    } catch {
      return "";
    }
  }

  function hide(count) {
    columns.textContent = count ? `${words.columns} · ${words.hidden?.replace("{count}", count)}` : (words.columns ?? "");
  }

  model.on("change:query change:recent", draw);
  draw();
  return { bar, hide, close: () => (clearTimeout(timer), model.off("change:query change:recent", draw)) };
}
