// A field with suggestions below it: typed or chosen by the arrows, taken by Enter, left by Escape.
import { h } from "./dom.mjs";

let made = 0;

/** `{box, open, close}`: `offer(text)` are the suggestions, `take(text)` hears what was chosen, `leave()` that it was given up. */
export function createCombobox({ offer, take, leave }) {
  const id = `clow-combobox-${++made}`;
  let at = -1;
  const list = h("ul.clow-offers", { role: "listbox", id, hidden: true });
  const input = h("input.clow-search", { type: "text", role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false" });
  const ok = h("button.clow-button.clow-primary", { type: "button", onclick: () => done(input.value) });
  const no = h("button.clow-button", { type: "button", onclick: leave });
  const box = h("div.clow-combobox", { hidden: true }, h("span.clow-combobox-field", {}, input, list), ok, no);
  input.addEventListener("input", () => draw(-1));
  box.addEventListener("keydown", hear);

  function draw(place) {
    const found = offer(input.value);
    at = Math.min(place, found.length - 1);
    const option = (label, index) => h("li", { role: "option", id: `${id}-${index}`, "aria-selected": String(index === at), onmousedown: (event) => (event.preventDefault(), done(label)) }, label);
    list.replaceChildren(...found.map(option));
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
    if (at >= 0) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function hear(event) {
    event.stopPropagation();
    if (event.isComposing || event.keyCode === 229) return;
    const count = list.children.length;
    if (event.key === "Escape") leave();
    else if (event.target !== input) return;
    else if (event.key === "Enter") done(at >= 0 ? list.children[at].textContent : input.value);
    else if (event.key === "ArrowDown") draw(at + 1 < count ? at + 1 : 0);
    else if (event.key === "ArrowUp") draw(at > 0 ? at - 1 : count - 1);
    else return;
    event.preventDefault();
  }

  const done = (text) => text.trim() && take(text.trim());

  function open({ name, yes, dismiss, text = "" }) {
    input.setAttribute("aria-label", name);
    input.placeholder = name;
    [ok.textContent, no.textContent] = [yes, dismiss];
    input.value = text;
    box.hidden = false;
    draw(-1);
    input.focus();
    input.select();
  }

  const close = () => (box.hidden = true);
  return { box, open, close };
}
