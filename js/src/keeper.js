// The quiet lines above a sheet: changes that are back, changes that are elsewhere, and what was typed while there was no kernel.
import { rememberAuthor, rememberedAuthor } from "./author.mjs";
import { confirmation, copyText, h } from "./dom.mjs";
import { createMessages } from "./messages.mjs";
import { watchKernel } from "./kernel.mjs";
import { asPython, openBox, pageId } from "./unsent.mjs";
import "./keeper.css";

const AGAIN = 1000; // ms; a page that is reloaded waits for the kernel of before to let go
const LATE = 3;
const TIMES = 20;

function render({ model, el }) {
  const labels = () => model.get("labels");
  const fill = (text, values) => Object.entries(values).reduce((all, [name, value]) => all.replace(`{${name}}`, value), text ?? "");
  const time = (at) => new Date(at).toLocaleTimeString(model.get("lang"), { hour: "2-digit", minute: "2-digit" });
  const messages = createMessages(model, { labels });
  const page = pageId();
  const load = (window.clowLoad ??= Math.random().toString(16).slice(2)); // until the page is loaded again
  const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
  const shown = Math.random().toString(16).slice(2); // this showing of the widget
  const box = openBox(model.get("place"), page, { told: () => window.dispatchEvent(new Event("clow-unsent")) });
  const kernel = watchKernel(model, draw);
  let asked = 0;
  let sending = false;
  let problem = "";
  let closed = false;

  el.classList.add("clow", "clow-keeper");
  el.dataset.lmSuppressShortcuts = "true";
  el.setAttribute("aria-live", "polite");

  // --- what the page says

  function button(name, act, { sure = "" } = {}) {
    const made = h("button.clow-button", { type: "button" }, name);
    made.addEventListener("click", () => {
      if (!sure) return act(made);
      const words = { yes: labels().yes, no: labels().no };
      made.replaceWith(confirmation(sure, words, act, draw));
    });
    return made;
  }

  const line = (tone, text, ...buttons) => h(`div.clow-kept.clow-kept-${tone}`, { role: tone === "gone" ? "alert" : "status" }, h("span", {}, text), ...buttons);

  function copy(cells) {
    return button(labels().copy, async (made) => {
      const done = await copyText(asPython(cells, model.get("kinds"), model.get("dataset")));
      made.textContent = done ? labels().copied : labels().uncopied;
    });
  }

  function lines() {
    const cells = box.cells();
    const count = cells.length.toLocaleString(model.get("lang"));
    const found = [];
    if (kernel.state() === "gone")
      found.push(line("gone", `${labels().gone} ${cells.length ? fill(labels().waits, { count }) : labels().safe}`, cells.length ? copy(cells) : null));
    else if (kernel.state() === "away") found.push(line("away", fill(labels().away, { count })));
    else if (problem && cells.length)
      found.push(line("gone", problem, button(labels().again, send), copy(cells), button(labels().discard, () => (box.clear(), draw()), { sure: labels().sure })));
    if (kernel.state() === "gone") return found;
    for (const note of model.get("notes")) found.push(line("note", note.text, ...note.buttons.map((one) => button(one.name, () => act(one, note), one))));
    for (const other of box.others()) {
      const text = fill(labels().unsent, { count: other.cells.length.toLocaleString(model.get("lang")), time: time(other.at) });
      const bring = button(labels().bring, () => (box.adopt(other.name), send()));
      found.push(line("note", text, bring, button(labels().discard, () => (box.drop(other.name), draw()), { sure: labels().sure })));
    }
    return found;
  }

  function draw() {
    if (closed) return;
    el.replaceChildren(...lines());
    el.hidden = !el.children.length;
  }

  // --- what the kernel does

  async function ask(type, payload = {}) {
    try {
      return (await messages.request(type, { ...payload, page, load, shown })).content;
    } catch (error) {
      problem = error.gone ? "" : error.message;
      draw();
      return null;
    }
  }

  async function act({ does }, note) {
    await ask("act", { does, draft: note.draft });
    draw();
  }

  async function hello() {
    const answer = await ask("hello", { author: rememberedAuthor(), late: reloaded && asked >= LATE, last: asked >= TIMES });
    if (closed || !answer) return;
    if (answer.waiting && (asked += 1) <= TIMES) setTimeout(hello, AGAIN);
    else send();
  }

  /** What was typed while there was no kernel to hear it. */
  async function send() {
    const cells = box.cells();
    if (!cells.length || sending) return draw();
    sending = true;
    const answer = await ask("unsent", { cells });
    sending = false;
    if (answer) {
      box.done(cells);
      problem = "";
    }
    draw();
  }

  const remember = () => model.get("asks") && rememberAuthor(model.get("author"));

  // --- the page itself

  const here = () => el.closest(".clow-editing");
  function keys(event) {
    if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || event.isComposing) return;
    if (!here() || !here().contains(document.activeElement)) return;
    event.preventDefault();
    event.stopPropagation();
    document.activeElement.blur(); // a cell that is being written is written
    ask("review");
  }

  function bye() {
    try {
      model.send({ type: "bye", uuid: shown, page, load, shown });
    } catch {
      // the connection is closed, and the kernel about to end
    }
  }
  // What comes below the sheet is brought into view, and so is the sheet when it has gone.
  async function hear({ does, what }) {
    if (does !== "look") return;
    for (let times = 0; times < 40 && !closed; times++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const found = here()?.querySelector(`.clow-${what}`);
      if (!found) continue;
      const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
      found.scrollIntoView({ block: what === "sheet" ? "nearest" : "end", behavior: calm ? "auto" : "smooth" });
      found.querySelector(".clow-message input, .clow-pen, [role=radio][tabindex='0']")?.focus({ preventScroll: true });
      return;
    }
  }

  const back = ({ persisted }) => persisted && hello();
  document.addEventListener("keydown", keys, true);
  window.addEventListener("pagehide", bye);
  window.addEventListener("pageshow", back);
  window.addEventListener("clow-unsent", draw);
  window.addEventListener("storage", draw);
  model.on("msg:custom", hear);
  model.on("change:notes change:labels", draw);
  model.on("change:author", remember);
  draw();
  hello();

  return () => {
    closed = true;
    if (kernel.state() !== "gone") bye();
    document.removeEventListener("keydown", keys, true);
    window.removeEventListener("pagehide", bye);
    window.removeEventListener("pageshow", back);
    window.removeEventListener("clow-unsent", draw);
    window.removeEventListener("storage", draw);
    model.off("msg:custom", hear);
    kernel.close();
    messages.close();
  };
}

export default { render };
