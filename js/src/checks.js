// What the checks found: a card each, with samples, a way to the documents, and a fix that goes into the draft.
import { h } from "./dom.mjs";
import { createMessages } from "./messages.mjs";
import "./ui.css";
import "./checks.css";

const PAUSE = 300;
const MARKS = { error: "✖", warning: "▲", info: "●", ok: "✓" };

function render({ model, el }) {
  const labels = () => model.get("labels");
  const locale = model.get("lang");
  const messages = createMessages(model, { labels });
  let cards = [];
  let rows = 0;
  let load = 0;
  const open = new Set();

  el.classList.add("clow", "clow-checks");
  el.dataset.lmSuppressShortcuts = "true";
  const fill = h("div.clow-bar-fill");
  const busy = h("div.clow-stats-busy", { "aria-live": "polite" }, h("span"), h("div.clow-bar", { role: "progressbar" }, fill));
  const problem = h("div.clow-error", { role: "alert" });
  const body = h("div.clow-checks-body");
  el.append(problem, busy, body);

  async function ask(type, payload) {
    problem.hidden = true;
    try {
      return (await messages.request(type, payload)).content;
    } catch (error) {
      problem.hidden = false;
      problem.replaceChildren(error.message);
      return null;
    }
  }

  async function read() {
    const mine = ++load;
    for (;;) {
      const content = await ask("look");
      if (mine !== load) return;
      busy.hidden = !content?.busy;
      if (!content) return draw();
      if (!content.busy) {
        ({ cards, rows } = content);
        return draw();
      }
      busy.firstChild.textContent = [labels().checking, content.text].filter(Boolean).join(" · ");
      fill.style.width = `${100 * (content.share ?? 0)}%`;
      await new Promise((done) => setTimeout(done, PAUSE));
      if (mine !== load) return;
    }
  }

  async function again() {
    cards = [];
    draw();
    await ask("again");
    read();
  }

  function samples({ columns, rows: lines, documents }) {
    const head = h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, name)));
    const table = h("table.clow-table", {}, h("thead", {}, head), h("tbody", {}, ...lines.map((line) => h("tr", {}, ...line.map((cell) => h("td", { title: cell.length > 40 ? cell : null }, cell))))));
    const left = documents - lines.length;
    return h("div.clow-samples", {}, table, left > 0 ? h("div.clow-help", {}, (labels().more ?? "{count}").replace("{count}", left.toLocaleString(locale))) : null);
  }

  async function press(button, type, payload) {
    button.disabled = true;
    await ask(type, payload);
    draw();
  }

  function drawCard(card) {
    const { name, title, severity, level, sentence, remedy, documents } = card;
    const fixed = model.get("fixed").includes(name);
    const last = model.get("last") === name;
    const show = h("button.clow-button", { type: "button", onclick: () => ask("show", { name }) }, labels().show ?? "");
    const fix = h("button.clow-button.clow-primary", { type: "button", onclick: (event) => press(event.currentTarget, "fix", { name }) }, labels().fix ?? "");
    const undo = h("button.clow-button", { type: "button", onclick: (event) => press(event.currentTarget, "undo", { name }) }, labels().undo ?? "");
    const state = fixed ? h("div.clow-good.clow-fixed", {}, `✓ ${labels().fixed ?? ""}`) : h("div.clow-remedy", {}, remedy);
    const count = (labels().documents ?? "{count}").replace("{count}", documents.toLocaleString(locale));
    const toggle = (event) => (event.currentTarget.open ? open.add(name) : open.delete(name));
    const details = h("details.clow-details", { open: open.has(name) ? "" : null, ontoggle: toggle }, h("summary", {}, count), samples(card));
    return h(
      `section.clow-check.clow-check-${severity}${fixed ? ".clow-check-fixed" : ""}`,
      { "data-name": name },
      h("span.clow-check-mark", { title: level, "aria-label": level, role: "img" }, MARKS[severity]),
      h("div.clow-check-main", {}, h("div.clow-check-title", {}, title), h("div", {}, sentence), state, details),
      h("div.clow-check-acts", {}, show, model.get("writes") ? (fixed ? (last ? undo : null) : fix) : null),
    );
  }

  function draw() {
    const [found, fine] = [cards.filter(({ severity }) => severity !== "ok"), cards.filter(({ severity }) => severity === "ok")];
    const words = labels();
    const ok = fine.length ? h("p.clow-note.clow-fine", {}, `✓ ${(words.fine ?? "{names}").replace("{names}", fine.map(({ title }) => title).join(" · "))}`) : "";
    const all = cards.length && !found.length ? h("div.clow-empty", {}, (words.all ?? "{count}").replace("{count}", rows.toLocaleString(locale))) : "";
    const more = cards.length || !problem.hidden ? h("button.clow-button", { type: "button", onclick: again }, words.again ?? "") : "";
    body.replaceChildren(...found.map(drawCard), all, ok, more);
  }

  problem.hidden = true;
  busy.hidden = true;
  model.on("change:fixed change:last change:writes", draw);
  read();
  return () => {
    load += 1;
    model.off("change:fixed change:last change:writes", draw);
    messages.close();
  };
}

export default { render };
