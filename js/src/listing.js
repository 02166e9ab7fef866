// The one table: the kernel searches, sorts and cuts into pages; here it is drawn and the keyboard is heard.
import { confirmation, h } from "./dom.mjs";
import { announce } from "./live.mjs";
import { createMessages } from "./messages.mjs";
import { nextSort, pageOf, rowBeside } from "./paging.mjs";
import "./ui.css";

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });
  const live = announce(messages, () => model.get("live"));
  let asking = null; // the {id, name} of the button that waits for a yes
  let timer = null;

  el.classList.add("clow", "clow-listing");
  el.dataset.lmSuppressShortcuts = "true";
  const search = h("input.clow-search", { type: "search", oninput: () => later(), onkeydown: hearSearch });
  const range = h("span.clow-range", { "aria-live": "polite" });
  const previous = h("button.clow-button.clow-turn", { type: "button", onclick: () => turn(-1) }, "‹");
  const next = h("button.clow-button.clow-turn", { type: "button", onclick: () => turn(1) }, "›");
  const head = h("tr");
  const body = h("tbody", { onclick: hearClick, onkeydown: hearKey });
  const table = h("table.clow-table.clow-rows", {}, h("thead", {}, head), body);
  const scroll = h("div.clow-scroll.clow-listing-box", {}, table);
  const nothing = h("div.clow-empty");
  const problem = h("div.clow-error", { role: "alert" });
  const bar = h("div.clow-listing-bar", {}, search, h("span.clow-spring"), range, previous, next);
  el.append(bar, scroll, nothing, problem);

  async function send(type, payload) {
    try {
      complain("");
      await messages.request(type, payload);
    } catch (error) {
      complain(error.message);
    }
  }

  function complain(text) {
    problem.textContent = text;
    problem.hidden = !text;
  }

  const look = (change = {}) =>
    send("look", { search: search.value, sort: model.get("sort"), page: model.get("page"), ...change });

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => look({ page: 0 }), 200);
  }

  function hearSearch(event) {
    if (event.key === "Enter" && !event.isComposing) look({ page: 0 });
    if (event.key === "ArrowDown") body.querySelector("tr")?.focus();
  }

  function turn(by) {
    const page = pageOf(model.get("page") + by, model.get("last_page"));
    if (page !== model.get("page")) look({ page });
  }

  function hearClick(event) {
    const row = event.target.closest("tr");
    const chosen = String(el.ownerDocument.getSelection());
    if (row && model.get("opens") && !event.target.closest("button, a, label, .clow-confirm") && !chosen) open(row);
  }

  function hearKey(event) {
    const row = event.target.closest("tr");
    if (event.target !== row) return;
    if (event.key === "Enter") open(row);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") rowBeside(row, event.key === "ArrowDown" ? 1 : -1)?.focus();
    else if (event.key === " " && model.get("picks")) send("pick", { id: row.dataset.id });
    else if (event.key === "PageDown" || event.key === "PageUp") turn(event.key === "PageDown" ? 1 : -1);
    else return;
    event.preventDefault();
  }

  function open(row) {
    if (model.get("opens")) send("open", { id: row.dataset.id });
    else row.querySelector("a")?.click();
  }

  function press(id, { name, confirm }) {
    if (confirm && !(asking?.id === id && asking.name === name)) {
      asking = { id, name };
      drawRows();
      body.querySelector(".clow-confirm button")?.focus();
      return;
    }
    asking = null;
    drawRows();
    send("act", { id, name });
  }

  function dismiss() {
    const id = asking?.id;
    asking = null;
    drawRows();
    [...body.rows].find((row) => row.dataset.id === id)?.focus();
  }

  function drawHead() {
    const [key, sign] = model.get("sort");
    const cells = model.get("columns").map((column) => {
      const order = column.key !== key ? "none" : sign < 0 ? "descending" : "ascending";
      const sort = () => look({ sort: nextSort(column.key, model.get("sort")), page: 0 });
      const mark = h("span.clow-order", { "aria-hidden": "true" }, { none: "", ascending: "▲", descending: "▼" }[order]);
      const button = h("button", { type: "button", onclick: sort, "data-at": `sort ${column.key}` }, column.name, mark);
      return h(`th.clow-is-${column.kind}`, { scope: "col", "aria-sort": order }, button);
    });
    const acts = model.get("rows").some(({ actions }) => actions.length);
    const pick = model.get("picks") ? h("th.clow-pick", { scope: "col" }, h("span.clow-unseen", {}, labels().pick ?? "")) : "";
    head.replaceChildren(pick, ...cells, acts ? h("th.clow-acts", { scope: "col" }, h("span.clow-unseen", {}, labels().actions ?? "")) : "");
  }

  function drawCell(cell, kind, href) {
    const { text, hint, status, chips, share } = typeof cell === "object" ? cell : { text: cell };
    let inner = text;
    if (status !== undefined) inner = h("span.clow-status", { "data-status": status }, text);
    if (chips) inner = h("span.clow-chips", {}, ...chips.map(([name, word]) => h("span.clow-status", { "data-status": name }, word)));
    if (href) inner = h("a", { href }, text);
    const bar = share === undefined ? null : h("span.clow-bar", {}, h("span.clow-bar-fill", { style: `width:${share * 100}%` }));
    return h(`td.clow-is-${kind}`, { title: hint ?? (kind === "text" ? text : null) }, bar, inner);
  }

  function drawPick({ id }) {
    const chosen = model.get("picked").includes(id);
    const box = h("input", { type: "checkbox", onchange: () => send("pick", { id }), "data-at": `pick ${id}`, "aria-label": `${labels().pick ?? ""} ${id}` });
    box.checked = chosen;
    return h("td.clow-pick", {}, h("label", {}, box));
  }

  function drawActions({ id, actions }) {
    const asked = asking?.id === id && actions.find(({ name }) => name === asking.name);
    if (asked) return h("td.clow-acts", {}, confirmation(asked.confirm, labels(), () => press(id, asked), dismiss));
    const buttons = actions.map((action) =>
      h("button.clow-button", { type: "button", onclick: () => press(id, action), "data-at": `${id} ${action.name}` }, action.label),
    );
    return h("td.clow-acts", {}, ...buttons);
  }

  function drawRows() {
    const columns = model.get("columns");
    const rows = model.get("rows");
    const acts = rows.some(({ actions }) => actions.length);
    const at = el.contains(document.activeElement) ? document.activeElement.dataset.at : null;
    body.replaceChildren(
      ...rows.map((row) => {
        const first = (i) => (i === 0 ? row.href : "");
        const cells = row.cells.map((cell, i) => drawCell(cell, columns[i]?.kind ?? "text", first(i)));
        const attributes = { "data-id": row.id, "data-at": `row ${row.id}`, tabindex: "0" };
        return h("tr", attributes, model.get("picks") ? drawPick(row) : null, ...cells, acts ? drawActions(row) : null);
      }),
    );
    if (at) [...el.querySelectorAll("[data-at]")].find((each) => each.dataset.at === at)?.focus();
  }

  function draw() {
    drawHead();
    drawRows();
    const rows = model.get("rows").length;
    const blank = !rows && !model.get("search");
    bar.hidden = blank;
    scroll.hidden = !rows;
    nothing.hidden = rows > 0;
    range.textContent = model.get("range");
    search.placeholder = labels().search ?? "";
    search.setAttribute("aria-label", labels().search ?? "");
    previous.setAttribute("aria-label", labels().previous ?? "");
    next.setAttribute("aria-label", labels().next ?? "");
    previous.hidden = next.hidden = model.get("last_page") === 0;
    previous.disabled = model.get("page") === 0;
    next.disabled = model.get("page") >= model.get("last_page");
    table.classList.toggle("clow-opens", model.get("opens"));
    if (!rows) drawNothing(blank);
  }

  function drawNothing(blank) {
    const { text, code } = model.get("nothing");
    const clear = () => {
      search.value = "";
      look({ page: 0 });
    };
    const all = h("button.clow-button", { type: "button", onclick: clear }, labels().clear ?? "");
    nothing.replaceChildren(
      ...(blank ? [text || "", code ? h("br") : "", code ? h("code", {}, code) : ""] : [labels().none ?? "", " ", all]),
    );
  }

  search.value = model.get("search");
  model.on("change:columns change:rows change:sort change:page change:last_page change:range change:opens change:picked", draw);
  complain("");
  draw();
  return () => {
    clearTimeout(timer);
    live.close();
    messages.close();
  };
}

export default { render };
