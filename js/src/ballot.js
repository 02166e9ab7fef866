// Queries that two versions answered, voted on by keyboard: the one in hand above, the page of twenty below.
import { deedOf, nextOpen, sureText, suggestions } from "./ballot.mjs";
import { createCombobox } from "./combobox.mjs";
import { h } from "./dom.mjs";
import { createMessages } from "./messages.mjs";
import { pageOf } from "./paging.mjs";
import "./ballot.css";
import "./ui.css";

const TYPED = "input:not([type=checkbox]), textarea, select, [contenteditable=true]";

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });
  const page = el.ownerDocument;
  const alone = Boolean(page.body.dataset.voila); // a page of its own: keys count wherever nothing else has the focus
  let at = 0; // the place of the query in hand
  let timer = null;
  let turn = Promise.resolve(); // one thing after the other, in the order of the keys

  el.classList.add("clow", "clow-ballot");
  el.dataset.lmSuppressShortcuts = "true";

  const only = h("input", { type: "checkbox", onchange: () => look({ only: only.checked, page: 0 }) });
  const onlyWords = h("span");
  const search = h("input.clow-search", { type: "search", oninput: later, onkeydown: hearSearch });
  const range = h("span.clow-range", { "aria-live": "polite" });
  const previous = h("button.clow-button.clow-turn", { type: "button", onclick: () => leaf(-1) }, "‹");
  const next = h("button.clow-button.clow-turn", { type: "button", onclick: () => leaf(1) }, "›");
  const bar = h("div.clow-listing-bar", {}, h("label.clow-only", {}, only, onlyWords), search, h("span.clow-spring"), range, previous, next);

  const done = h("span.clow-progress-words");
  const fill = h("div.clow-bar-fill");
  const meter = h("div.clow-bar", { role: "progressbar", "aria-valuemin": "0" }, fill);
  const progress = h("div.clow-ballot-progress", {}, done, meter);

  const where = h("span.clow-ballot-where");
  const verdict = h("span.clow-status", { "data-status": "SUCCEEDED" });
  const text = h("div.clow-ballot-text", { tabindex: "0" });
  const [left, right] = ["a", "b"].map(answerButton);
  const ways = ["neither", "label", "skip", "undo"].map((deed) => wayButton(deed));
  const other = createCombobox({
    offer: (typed) => suggestions(model.get("known"), typed),
    take: (label) => (other.close(), vote("label", label)),
    leave: () => (other.close(), focusRow()),
  });
  const desk = h("div.clow-desk", { role: "group" }, h("div.clow-desk-head", {}, where, h("span.clow-spring"), verdict), text, h("div.clow-answers", {}, left.button, right.button), h("div.clow-ways", {}, ...ways.map(({ button }) => button)), other.box);

  const head = h("tr");
  const body = h("tbody", { onclick: hearClick });
  const table = h("table.clow-table.clow-rows", { role: "grid" }, h("thead", {}, head), body);
  const scroll = h("div.clow-scroll.clow-listing-box", {}, table);
  const keys = h("div.clow-keys", { role: "list" });
  const nothing = h("div.clow-empty");
  const said = h("div.clow-unseen", { role: "status" });
  const problem = h("div.clow-error", { role: "alert", hidden: true });
  el.append(progress, desk, problem, bar, scroll, nothing, keys, said);

  function answerButton(name) {
    const version = h("span.clow-answer-by");
    const decision = h("b.clow-answer-said");
    const share = h("span.clow-bar-fill");
    const sure = h("span.clow-answer-sure");
    const key = h("kbd", {}, name.toUpperCase());
    const button = h("button.clow-answer-button", { type: "button", onclick: () => vote(name) }, key, h("span.clow-answer-lines", {}, version, decision, h("span.clow-answer-scale", {}, h("span.clow-bar", {}, share), sure)));
    return { button, version, decision, share, sure, name };
  }

  function wayButton(deed) {
    const word = h("span");
    const button = h("button.clow-button", { type: "button", onclick: () => act(deed) }, h("kbd", {}, deed[0].toUpperCase()), word);
    return { button, word, deed };
  }

  // --- what is asked of the kernel

  function ask(type, payload) {
    const made = turn.then(async () => {
      const wish = payload();
      if (!wish) return null;
      complain("");
      el.setAttribute("aria-busy", "true");
      try {
        return (await messages.request(type, wish)).content;
      } catch (error) {
        complain(error.message);
        return null;
      } finally {
        el.removeAttribute("aria-busy");
      }
    });
    turn = made;
    return made;
  }

  function complain(words) {
    problem.textContent = words;
    problem.hidden = !words;
  }

  const look = (change = {}) => ask("look", () => ({ search: search.value, only: only.checked, page: model.get("page"), ...change }));

  function later() {
    clearTimeout(timer);
    timer = setTimeout(() => look({ page: 0 }), 300);
  }

  function hearSearch(event) {
    event.stopPropagation();
    if (event.isComposing || event.keyCode === 229) return;
    if (event.key === "Enter") (clearTimeout(timer), look({ page: 0 }));
    if (event.key === "ArrowDown" || (event.key === "Escape" && !search.value)) (event.preventDefault(), focusRow());
  }

  const leaf = (by) => {
    const wanted = pageOf(model.get("page") + by, model.get("last_page"));
    if (wanted !== model.get("page")) look({ page: wanted });
  };

  function vote(choice, label = null) {
    if (!model.get("votes")) return;
    const made = ask("vote", () => {
      const row = model.get("rows")[at];
      const silent = (choice === "a" || choice === "b") && row?.[choice] === null; // that version has not answered
      if (silent) complain(`${model.get("versions")[choice === "a" ? 0 : 1]}: ${labels().unasked}`);
      return row && !silent ? { id: row.id, choice, label } : null;
    });
    turn = made.then(async (answer) => {
      if (!answer) return;
      said.textContent = answer.said;
      await onward();
    });
  }

  // The next query that nobody has voted on, on this page or the next.
  async function onward() {
    const rows = model.get("rows");
    const open = nextOpen(rows, at);
    if (open >= 0) return go(open);
    if (model.get("page") < model.get("last_page")) {
      await messages.request("look", { search: search.value, only: only.checked, page: model.get("page") + 1 }).catch((error) => complain(error.message));
      return go(Math.max(0, nextOpen(model.get("rows"))));
    }
    go(Math.min(at + 1, rows.length - 1));
  }

  function undo() {
    if (!model.get("votes")) return;
    const made = ask("undo", () => ({}));
    turn = made.then((answer) => {
      if (!answer) return;
      said.textContent = answer.said;
      const place = model.get("rows").findIndex(({ id }) => id === answer.id);
      if (place >= 0) go(place);
    });
  }

  // --- keys

  function act(deed) {
    const rows = model.get("rows");
    if (deed === "search") return search.focus();
    if (!rows.length) return;
    if (deed === "label") return model.get("votes") && other.open({ name: labels().another, yes: labels().vote, dismiss: labels().cancel, text: rows[at]?.label ?? "" });
    if (deed === "undo") return undo();
    if (deed === "next" || deed === "previous") return leaf(deed === "next" ? 1 : -1);
    const places = { down: at + 1, up: at - 1, first: 0, last: rows.length - 1 };
    if (deed in places) return go(Math.min(rows.length - 1, Math.max(0, places[deed])));
    vote(deed);
  }

  function hear(event) {
    const inside = el.contains(event.target);
    if (!inside && !(alone && event.target === page.body)) return;
    if (!el.isConnected || el.offsetParent === null || event.target.closest?.(TYPED) || event.repeat && /^Key/.test(event.code)) return;
    const deed = deedOf(event);
    if (!deed || (event.target === text && /^(Arrow|Page|Home|End)/.test(event.key))) return;
    event.preventDefault();
    act(deed);
  }

  function hearClick(event) {
    const row = event.target.closest("tr");
    if (row) go([...body.rows].indexOf(row));
  }

  function go(place) {
    at = place;
    other.close();
    for (const [index, row] of [...body.rows].entries()) {
      row.tabIndex = index === at ? 0 : -1;
      row.setAttribute("aria-selected", String(index === at));
    }
    drawDesk();
    focusRow();
  }

  function focusRow() {
    const row = body.rows[at];
    row?.focus({ preventScroll: true });
    row?.scrollIntoView({ block: "nearest" });
  }

  // --- what is drawn

  function choiceText({ vote: choice, label, by }) {
    const [a, b] = model.get("versions");
    const words = { a, b, neither: labels().neither, skip: labels().skip, label };
    return { text: choice ? words[choice] : "", hint: by ?? "" };
  }

  function drawAnswer({ button, version, decision, share, sure, name }, row) {
    const value = row?.[`${name}_sure`];
    version.textContent = model.get("versions")[name === "a" ? 0 : 1] ?? "";
    decision.textContent = row?.[name] ?? labels().unasked ?? "";
    decision.classList.toggle("clow-faint", !row?.[name]);
    share.style.width = `${(value ?? 0) * 100}%`;
    sure.textContent = sureText(value);
    sure.parentElement.style.visibility = value === null || value === undefined ? "hidden" : "";
    button.disabled = !model.get("votes") || !row?.[name];
    button.setAttribute("aria-pressed", String(row?.vote === name));
    button.setAttribute("aria-label", `${name.toUpperCase()}: ${version.textContent}, ${decision.textContent} ${sure.textContent}`);
  }

  function drawDesk() {
    const row = model.get("rows")[at];
    desk.hidden = !row;
    if (!row) return;
    const choice = choiceText(row);
    where.textContent = `${row.time} · ${at + 1} / ${model.get("rows").length}`;
    text.textContent = row.text;
    text.scrollTop = 0;
    verdict.textContent = [choice.text, choice.hint].filter(Boolean).join(" · ");
    verdict.hidden = !choice.text;
    verdict.dataset.status = row.vote === "skip" ? "" : "SUCCEEDED";
    for (const answer of [left, right]) drawAnswer(answer, row);
    for (const { button, word, deed } of ways) {
      word.textContent = labels()[deed] ?? deed;
      button.disabled = !model.get("votes");
      if (deed !== "undo") button.setAttribute("aria-pressed", String(row.vote === deed));
    }
  }

  function drawHead() {
    const [a, b] = model.get("versions");
    const names = [["time", labels().time], ["text", labels().query], ["said", a], ["said", b], ["vote", labels().voted]];
    head.replaceChildren(...names.map(([kind, name]) => h(`th.clow-is-${kind}`, { scope: "col" }, name ?? "")));
  }

  function said_(row, name) {
    const decision = row[name];
    return h("td.clow-is-said", {}, h("span.clow-said-word", {}, decision ?? "—"), h("span.clow-said-sure", {}, sureText(row[`${name}_sure`])));
  }

  function drawRow(row, index) {
    const choice = choiceText(row);
    const mark = row.differ ? h("span.clow-differ", { title: labels().differ, "aria-label": labels().differ }, "≠") : "";
    const chip = choice.text ? h("span.clow-status", { "data-status": row.vote === "skip" ? "" : "SUCCEEDED", title: choice.hint }, choice.text) : "";
    const attributes = { "data-id": row.id, tabindex: index === at ? "0" : "-1", "aria-selected": String(index === at) };
    return h("tr", attributes, h("td.clow-is-time", {}, row.time), h("td.clow-is-query", { title: row.text }, mark, row.text), said_(row, "a"), said_(row, "b"), h("td.clow-is-vote", {}, chip));
  }

  function drawRows() {
    const rows = model.get("rows");
    const focused = body.contains(page.activeElement);
    at = Math.min(at, Math.max(0, rows.length - 1));
    body.replaceChildren(...rows.map(drawRow));
    if (focused) focusRow();
  }

  function drawProgress() {
    const { all = 0, judged = 0, words = "" } = model.get("standing");
    progress.hidden = !words;
    done.textContent = words;
    fill.style.width = `${all ? (judged / all) * 100 : 0}%`;
    meter.hidden = !all;
    for (const [name, value] of Object.entries({ "aria-valuenow": judged, "aria-valuemax": all, "aria-label": words })) meter.setAttribute(name, String(value));
  }

  function drawNothing() {
    const { text: words = "", code = "", links = [] } = model.get("nothing");
    const rows = model.get("rows").length;
    const searched = !rows && (model.get("search") || model.get("only"));
    bar.hidden = !rows && !searched;
    scroll.hidden = keys.hidden = !rows;
    nothing.hidden = rows > 0 || (!words && !searched);
    const all = h("button.clow-button", { type: "button", onclick: () => ((search.value = ""), (only.checked = false), look({ page: 0 })) }, labels().clear ?? "");
    const ways = links.map(([name, href]) => h("a", { href }, name));
    nothing.replaceChildren(...(searched && !words ? [labels().none ?? "", " ", all] : [words, ...ways.flatMap((way) => [" ", way]), code ? h("br") : "", code ? h("code", {}, code) : ""]));
  }

  function draw() {
    drawHead();
    drawRows();
    drawDesk();
    drawProgress();
    drawNothing();
    range.textContent = model.get("range");
    if (page.activeElement !== search) search.value = model.get("search");
    only.checked = model.get("only");
    onlyWords.textContent = labels().only ?? "";
    for (const [button, word] of [[search, labels().search], [previous, labels().previous], [next, labels().next], [desk, labels().desk], [table, labels().queries]]) button.setAttribute("aria-label", word ?? "");
    search.placeholder = labels().search ?? "";
    previous.hidden = next.hidden = model.get("last_page") === 0;
    previous.disabled = model.get("page") === 0;
    next.disabled = model.get("page") >= model.get("last_page");
    keys.replaceChildren(...(labels().keyboard ?? []).map(([names, does]) => h("span", { role: "listitem" }, ...names.split(" ").map((one) => h("kbd", {}, one)), does)));
  }

  function newPage() {
    at = Math.max(0, nextOpen(model.get("rows")));
    draw();
    if (alone && (page.activeElement === page.body || body.contains(page.activeElement))) focusRow();
  }

  // The address of the page names what is chosen, so that a reload or a link shows it again.
  function note() {
    if (!alone) return;
    const url = new URL(page.location.href);
    for (const [name, value] of Object.entries(model.get("address"))) value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
    page.defaultView.history.replaceState(page.defaultView.history.state, "", url);
  }

  let shown = model.get("seen");
  let due = false;
  function redraw() {
    if (due) return;
    due = true; // several traits change at once
    queueMicrotask(() => {
      due = false;
      const fresh = model.get("seen") !== shown;
      shown = model.get("seen");
      fresh ? newPage() : draw();
    });
  }

  model.on("change:seen change:rows change:standing change:nothing change:versions change:known change:votes change:range", redraw);
  model.on("change:address", note);
  page.addEventListener("keydown", hear);
  newPage();
  note();
  return () => {
    clearTimeout(timer);
    page.removeEventListener("keydown", hear);
    messages.close();
  };
}

export default { render };
