// The statistics of a dataset: a line a key, of one part or of two over each other; a click on a bar becomes a filter.
import { differs, findLines, nextOrder, sortLines } from "./counts.mjs";
import { classTable, createBubble, histogram, valueBars } from "./distribution.mjs";
import { h } from "./dom.mjs";
import { createMessages } from "./messages.mjs";
import "./ui.css";
import "./statistics.css";

const COLUMNS = ["key", "distribution", "count", "missing", "zeros", "distinct", "distance"];
const AT_ONCE = 100; // keys that are drawn at once
const PAUSE = 300; // milliseconds until the kernel is asked again how far it is

function render({ model, el }) {
  const labels = () => model.get("labels");
  const locale = model.get("lang");
  const messages = createMessages(model, { labels });
  let lines = [];
  let told = { documents: [], classes: {} };
  let order = ["", 1];
  let shown = AT_ONCE;
  let load = 0; // which loading is meant: a later one ends the earlier
  const open = new Set(); // the keys all of whose values are shown

  el.classList.add("clow", "clow-stats");
  el.dataset.lmSuppressShortcuts = "true";
  const choose = h("div.clow-stats-choose");
  const search = h("input.clow-search", { type: "search", oninput: () => draw() });
  const note = h("div.clow-help");
  const fill = h("div.clow-bar-fill");
  const busy = h("div.clow-stats-busy", { "aria-live": "polite" }, h("span"), h("div.clow-bar", { role: "progressbar" }, fill));
  const problem = h("div.clow-error", { role: "alert" });
  const body = h("div.clow-stats-body");
  el.append(h("div.clow-stats-bar", {}, choose, h("span.clow-spring"), search), problem, busy, note, body);
  const bubble = createBubble(el);

  function complain(error) {
    problem.hidden = !error;
    if (error) problem.replaceChildren(error.message, " ", h("button.clow-button", { type: "button", onclick: () => read() }, labels().again ?? ""));
  }

  async function read() {
    const mine = ++load;
    const found = [];
    complain(null);
    try {
      for (;;) {
        const { content, buffers } = await messages.request("look", { start: found.length });
        if (mine !== load) return;
        wait(content);
        if (content.busy) {
          await new Promise((done) => setTimeout(done, PAUSE));
          if (mine !== load) return;
          continue;
        }
        told = content;
        const piece = JSON.parse(new TextDecoder().decode(buffers[0]));
        found.push(...piece);
        if (!piece.length || found.length >= content.total) break;
      }
      lines = found;
      draw();
    } catch (error) {
      if (mine !== load) return;
      wait({ busy: false });
      complain(error);
    }
  }

  function wait({ busy: waits, text, share }) {
    busy.hidden = !waits;
    body.classList.toggle("clow-stale", Boolean(waits));
    busy.firstChild.textContent = text || labels().busy || "";
    fill.style.width = `${100 * (share ?? 0)}%`;
  }

  async function send(type, payload) {
    try {
      complain(null);
      await messages.request(type, payload);
    } catch (error) {
      complain(error);
    }
  }

  // The two sides: each a version and a part of it.
  function drawChoice() {
    const chosen = model.get("chosen");
    const option = ([value, text], now) => h("option", { value: JSON.stringify(value), selected: value === now ? "" : null }, text);
    const select = (name, options, now, hear) =>
      h("select", { "aria-label": name, onchange: (event) => hear(JSON.parse(event.target.value)) }, ...options.map((each) => option(each, now)));
    const change = (side, place, value) => {
      const sides = chosen.map((one) => [...one]);
      if (side === 1 && place === 0 && value === null) sides.pop();
      else if (!sides[side]) sides[side] = [value, ""];
      else sides[side][place] = value;
      send("choose", { sides });
    };
    const versions = model.get("versions");
    const parts = model.get("parts");
    const [a, b] = chosen;
    const words = labels();
    choose.replaceChildren(
      h("label", {}, h("span.clow-key-dot.clow-side-a"), words.a ?? ""),
      select(words.a, versions, a[0], (value) => change(0, 0, value)),
      parts.length > 1 ? select(words.a, parts, a[1], (value) => change(0, 1, value)) : "",
      h("label", {}, h("span.clow-key-dot.clow-side-b"), words.b ?? ""),
      select(words.b, [[null, words.none ?? "–"], ...versions], b ? b[0] : null, (value) => change(1, 0, value)),
      b && parts.length > 1 ? select(words.b, parts, b[1], (value) => change(1, 1, value)) : "",
    );
  }

  function figure(line, column, totals) {
    const words = line.sides.map((side) => side[column]?.toLocaleString(locale) ?? "");
    const click = column === "missing" || (column === "zeros" && line.sides[0].empties);
    const values = words.map((text, side) => {
      const changed = side === 1 && differs(column, line.sides, totals) ? ".clow-differs" : "";
      if (!click || !line.sides[side][column]) return h(`div${changed}`, {}, text === "0" ? h("span.clow-faint", {}, text) : text);
      const narrow = () => send("narrow", { key: line.key, side, name: column });
      return h(`div${changed}`, {}, h("button.clow-plain.clow-gap", { type: "button", title: labels().narrow, onclick: narrow }, text));
    });
    return h("td.clow-n", {}, ...values);
  }

  function picture(line, tell) {
    const { sides, by, key } = line;
    if (sides.length > 1 && !line.of && sides.every(({ count }) => count)) return h("span.clow-faint", {}, sides.some(({ bars }) => bars.length) ? labels().unlike ?? "" : "");
    if (!sides.some(({ bars }) => bars.length)) return "";
    const click = (side, place) => send("narrow", { key, side, name: "bars", place });
    if (by === "bins") return histogram(line, tell, click);
    return valueBars(line, tell, click, open.has(key), () => open.add(key) && draw());
  }

  function drawLine(line, tell) {
    const head = h("th.clow-stats-key", { scope: "row" }, h("div", { title: line.key }, line.key), h("div.clow-faint", { title: line.type }, [line.category, line.type].filter(Boolean).join(" · ")));
    const figures = ["count", "missing", "zeros", "distinct"].map((column) => figure(line, column, tell.totals));
    return h("tr", {}, head, h("td.clow-stats-picture", {}, picture(line, tell)), ...figures, line.sides.length > 1 ? distance(line) : null);
  }

  function distance({ distance: far, of }) {
    if (far === null || far === undefined) return h("td.clow-n");
    const meter = h("span.clow-meter", {}, h("span", { style: `width:${100 * far}%` }));
    const text = h("b", { class: far >= 0.1 ? "clow-differs" : null }, far.toLocaleString(locale, { minimumFractionDigits: 3, maximumFractionDigits: 3 }));
    return h("td.clow-n", {}, meter, text, h("div.clow-faint", {}, labels()[of] ?? ""));
  }

  function drawHead(sides) {
    const cells = COLUMNS.filter((column) => column !== "distance" || sides > 1).map((column) => {
      const kind = column === "key" ? "" : column === "distribution" ? ".clow-stats-picture" : ".clow-n";
      if (column === "distribution") return h(`th${kind}`, { scope: "col" }, labels()[column] ?? "");
      const sorted = order[0] === column ? (order[1] > 0 ? "ascending" : "descending") : "none";
      const sort = () => {
        order = nextOrder(column, order);
        draw();
      };
      const mark = h("span.clow-order", { "aria-hidden": "true" }, { none: "", ascending: "▲", descending: "▼" }[sorted]);
      return h(`th${kind}`, { scope: "col", "aria-sort": sorted }, h("button", { type: "button", onclick: sort }, labels()[column] ?? "", mark));
    });
    return h("thead", {}, h("tr", {}, ...cells));
  }

  function draw() {
    const totals = told.documents;
    const tell = { totals, labels: labels(), locale, bubble };
    const found = sortLines(findLines(lines, search.value), ...order);
    const rows = found.slice(0, shown).map((line) => drawLine(line, tell));
    const table = h("table.clow-table.clow-stats-table", {}, drawHead(totals.length), h("tbody", {}, ...rows));
    const more = () => {
      shown += AT_ONCE;
      draw();
    };
    const left = found.length - rows.length;
    const rest = left > 0 ? h("button.clow-more", { type: "button", onclick: more }, (labels().more ?? "{count}").replace("{count}", left)) : "";
    const click = (place, split) => send("narrow", { key: told.classes.label, name: "class", place, ...(split === null ? {} : { split }) });
    const unfold = () => open.add("\0classes") && draw();
    const classes = told.classes.rows?.length ? classTable(told.classes, tell, totals.length > 1 ? null : click, open.has("\0classes"), unfold) : [];
    body.replaceChildren(h("div.clow-stats-scroll", { tabindex: "0" }, table), rest, ...classes);
    const size = totals.map((count, side) => (totals.length > 1 ? `${"AB"[side]}: ` : "") + (labels().documents ?? "{count}").replace("{count}", count.toLocaleString(locale)));
    const keys = (labels().keys ?? "{count}").replace("{count}", lines.length.toLocaleString(locale));
    note.textContent = lines.length ? [size.join(" / "), keys, labels().exact, totals.length > 1 ? labels().measure : ""].filter(Boolean).join(" · ") : "";
    search.placeholder = labels().find ?? "";
    search.setAttribute("aria-label", labels().find ?? "");
    bubble.hide();
  }

  const again = () => {
    drawChoice();
    read();
  };
  model.on("change:chosen change:versions change:parts", again);
  complain(null);
  again();
  return () => {
    load += 1;
    model.off("change:chosen change:versions change:parts", again);
    messages.close();
  };
}

export default { render };
