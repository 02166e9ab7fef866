// Cells that others have changed too: whose value stays is chosen by a click on it, for one cell or for all.
import { h } from "./dom.mjs";
import { createMessages } from "./messages.mjs";
import "./conflicts.css";

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });
  const lines = () => model.get("lines");
  let ours = new Set(model.get("ours"));

  el.classList.add("clow", "clow-conflicts");
  el.dataset.lmSuppressShortcuts = "true";
  const said = h("span.clow-muted", { role: "status" });
  const problem = h("span.clow-bad", { role: "alert" });
  const all = (mine, name) => h("button.clow-button", { type: "button", onclick: () => choose(mine ? lines().map((_, index) => index) : [], true) }, name);
  const table = h("table.clow-table");
  const rows = [];

  function choose(indexes, whole = false) {
    ours = whole ? new Set(indexes) : ours;
    draw();
    messages.request("choose", { ours: [...ours] }).then(() => (problem.textContent = ""), (error) => (problem.textContent = error.message));
  }

  function one(index, mine, focus = true) {
    if (mine) ours.add(index);
    else ours.delete(index);
    choose();
    if (focus) rows[index][mine ? 1 : 0].focus();
  }

  function option(index, mine) {
    const line = lines()[index];
    const by = mine ? null : h("small", {}, line.by);
    const button = h("button.clow-choice-of", { type: "button", role: "radio", title: mine ? line.mine : line.theirs, onclick: () => one(index, mine) }, h("span", {}, mine ? line.mine : line.theirs), by);
    button.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") one(index, event.key === "ArrowRight");
      else if (step) rows[index + step]?.[ours.has(index + step) ? 1 : 0].focus();
      else return;
      event.preventDefault();
    });
    return button;
  }

  function draw() {
    rows.forEach(([theirs, mine], index) => {
      const chosen = ours.has(index);
      theirs.setAttribute("aria-checked", String(!chosen));
      mine.setAttribute("aria-checked", String(chosen));
      theirs.tabIndex = chosen ? -1 : 0;
      mine.tabIndex = chosen ? 0 : -1;
    });
    const number = (count) => count.toLocaleString(model.get("lang"));
    said.textContent = (labels().counts ?? "").replace("{theirs}", number(lines().length - ours.size)).replace("{mine}", number(ours.size));
  }

  const head = ["id", "key", "before", "theirs", "mine"].map((name) => h("th", { scope: "col" }, labels()[name] ?? ""));
  const body = lines().map((line, index) => {
    const pair = [option(index, false), option(index, true)];
    rows.push(pair);
    const group = { role: "radiogroup", "aria-label": `${line.id} ${line.key}` };
    return h("tr", group, h("td.clow-conflict-id", { title: line.id }, line.id), h("td", {}, line.key), h("td.clow-conflict-before", { title: line.before }, line.before), ...pair.map((button) => h("td.clow-conflict-value", {}, button)));
  });
  table.append(h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body));
  el.append(
    h("div.clow-conflicts-head", {}, h("b", {}, model.get("title")), h("span.clow-spring", {}), said, all(false, labels().all_theirs), all(true, labels().all_mine)),
    h("div.clow-conflicts-rows", { tabindex: "-1" }, table),
    model.get("more") ? h("div.clow-muted", {}, model.get("more")) : "",
    problem,
  );
  draw();
  return () => messages.close();
}

export default { render };
