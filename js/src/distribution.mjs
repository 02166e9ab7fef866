// Draws the bars of a key: a histogram whose bins are told by mouse and arrow keys, or the values that come most.
import { h } from "./dom.mjs";
import { barText, ends, heights, percent, visible } from "./counts.mjs";

const NS = "http://www.w3.org/2000/svg";
const WIDTH = 240;
const HEIGHT = 44;
const FEW = 5;

function svg(name, attributes) {
  const element = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** One bubble for all bars: `show(element, lines)`, `hide()`. */
export function createBubble(el) {
  const box = h("div.clow-bubble", { role: "status", hidden: "" });
  el.append(box);
  function show(x, y, lines) {
    const frame = el.getBoundingClientRect();
    box.replaceChildren(...lines.map((line) => h("div", {}, line)));
    box.hidden = false;
    const left = Math.min(x - frame.left + 12, frame.width - box.offsetWidth - 8);
    box.style.left = `${Math.max(0, left)}px`;
    box.style.top = `${y - frame.top - box.offsetHeight - 10}px`;
  }
  return { show, hide: () => (box.hidden = true) };
}

/** The bars of `line` over each other. `click(side, place)` hears which was meant; `tell` are totals, labels, locale and bubble. */
export function histogram(line, tell, click) {
  const { sides } = line;
  const count = Math.max(...sides.map(({ bars }) => bars.length));
  const step = WIDTH / count;
  const tall = heights(sides);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "clow-histogram", tabindex: "0", role: "img", "aria-label": line.key });
  tall.forEach((heightsOfSide, side) =>
    heightsOfSide.forEach((share, place) => {
      const inset = side ? step * 0.28 : 0.5;
      const height = share ? Math.max(share * (HEIGHT - 2), 1.5) : 0;
      const at = { x: place * step + inset, y: HEIGHT - height, width: Math.max(step - 2 * inset, 0.8), height };
      picture.append(svg("rect", { ...at, class: `clow-side-${"ab"[side]}` }));
    }),
  );
  const mark = svg("rect", { y: 0, height: HEIGHT, width: step, class: "clow-bin-mark", visibility: "hidden" });
  picture.append(mark);
  let at = -1;

  const sideOf = (place) => (sides[0].bars[place]?.[1] ? 0 : sides.length - 1);
  const clickable = (place) => sides[sideOf(place)].bars[place]?.[2] && click;

  function point(place, x, y) {
    at = Math.min(count - 1, Math.max(0, place));
    mark.setAttribute("x", at * step);
    mark.setAttribute("visibility", "visible");
    picture.style.cursor = clickable(at) ? "pointer" : "default";
    const lines = barText(sides, at, tell.totals, tell.labels, tell.locale);
    tell.bubble.show(x, y, clickable(at) ? [...lines, tell.labels.narrow ?? ""] : lines);
  }

  function leave() {
    at = -1;
    mark.setAttribute("visibility", "hidden");
    tell.bubble.hide();
  }

  function hearMouse(event) {
    const frame = picture.getBoundingClientRect();
    point(Math.floor(((event.clientX - frame.left) / frame.width) * count), event.clientX, frame.top);
  }

  function hearKey(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Enter" && at >= 0 && clickable(at)) click(sideOf(at), at);
    if (!by) return;
    event.preventDefault();
    const frame = picture.getBoundingClientRect();
    const place = at < 0 ? 0 : at + by;
    point(place, frame.left + ((Math.min(count - 1, Math.max(0, place)) + 0.5) * frame.width) / count, frame.top);
  }

  picture.addEventListener("mousemove", hearMouse);
  picture.addEventListener("mouseleave", leave);
  picture.addEventListener("blur", leave);
  picture.addEventListener("keydown", hearKey);
  picture.addEventListener("click", (event) => {
    hearMouse(event);
    if (clickable(at)) click(sideOf(at), at);
  });
  const [low, high] = ends(sides.find(({ bars }) => bars.length).bars);
  const spread = sides.map((side) => side.spread).find(Boolean) ?? "";
  const foot = h("div.clow-histogram-foot", {}, h("span", {}, low), h("span.clow-faint", { title: spread }, sides.length > 1 ? "" : spread), h("span", {}, high));
  return h("div.clow-distribution", {}, picture, foot);
}

/** The values that come most, a bar each; `more` is what a click on "5 more" does. */
export function valueBars(line, tell, click, open, more) {
  const { sides } = line;
  const tall = heights(sides);
  const most = Math.max(...sides.map(({ bars }) => bars.length));
  const places = Array.from({ length: open ? most : Math.min(FEW, most) }, (_, place) => place);
  const countsAt = (place) => sides.map(({ bars }) => (bars[place]?.[1] ?? 0).toLocaleString(tell.locale)).join(" · ");
  const room = Math.max(...places.map((place) => countsAt(place).length)); // so that all bars begin at one place
  const rows = places.map((place) => {
    const [text] = sides[0].bars[place] ?? sides[1].bars[place];
    const side = sides[0].bars[place]?.[1] ? 0 : sides.length - 1;
    const clickable = sides[side].bars[place]?.[2] && click;
    const bars = tall.map((one, i) => h(`span.clow-value-bar.clow-side-${"ab"[i]}`, { style: `width:${100 * (one[place] ?? 0)}%` }));
    const counts = countsAt(place);
    const words = barText(sides, place, tell.totals, tell.labels, tell.locale);
    const attributes = {
      type: "button",
      style: `--clow-count: ${room}ch`,
      disabled: clickable ? null : "",
      onclick: () => click(side, place),
      onmousemove: (event) => tell.bubble.show(event.clientX, event.currentTarget.getBoundingClientRect().top, clickable ? [...words, tell.labels.narrow ?? ""] : words),
      onmouseleave: () => tell.bubble.hide(),
      "aria-label": words.join(" "),
    };
    return h("button.clow-value", attributes, h("span.clow-value-text", {}, visible(text) || "\u00a0"), h("span.clow-value-bars", {}, ...bars), h("span.clow-value-count", {}, counts));
  });
  const left = most - places.length;
  const rest = left > 0 ? h("button.clow-more", { type: "button", onclick: more }, (tell.labels.more ?? "{count}").replace("{count}", left)) : null;
  return h("div.clow-distribution", {}, ...rows, rest);
}

/** The classes of the label: a bar and counts, a column a split or side; `click(place, column)`. */
export function classTable({ label, columns, rows, more }, tell, click, open, unfold) {
  const shown = open ? rows : rows.slice(0, 20);
  const both = columns.length === 2 && columns[0] === "A" && tell.totals.length === 2;
  const sums = columns.map((_, i) => rows.reduce((sum, [, numbers]) => sum + numbers[i], 0));
  const total = sums.reduce((a, b) => a + b, 0);
  const share = ([, numbers]) => (both ? Math.max(...numbers.map((n, i) => n / (sums[i] || 1))) : numbers.reduce((a, b) => a + b, 0));
  const most = Math.max(...rows.map(share), 0) || 1;
  const words = { "": tell.labels.without ?? "" };
  const cell = (count, of, place, split) => {
    const text = [h("b", {}, count.toLocaleString(tell.locale)), h("span.clow-faint", {}, percent(count, of, tell.locale))];
    return h("td.clow-n", {}, click && count && !both ? h("button.clow-plain", { type: "button", title: tell.labels.narrow, onclick: () => click(place, split) }, ...text) : h("span.clow-plain", {}, ...text));
  };
  const lines = shown.map(([text, numbers], place) => {
    const sum = numbers.reduce((a, b) => a + b, 0);
    const parts = numbers.map((n, i) => h(`span.clow-class-part.${both ? `clow-side-${"ab"[i]}` : `clow-part-${i % 4}`}`, { style: `width:${(100 * (both ? n / (sums[i] || 1) : n)) / most}%`, title: columns[i] || null }));
    const name = click ? h("button.clow-plain", { type: "button", title: tell.labels.narrow, onclick: () => click(place, null) }, visible(text)) : visible(text);
    const cells = columns.length > 1 ? numbers.map((n, i) => cell(n, sums[i], place, columns[i])) : [];
    return h("tr", {}, h("th.clow-class-name", { scope: "row" }, name), h(`td.clow-class-bar${both ? ".clow-both" : ""}`, {}, ...parts), both ? null : cell(sum, total, place, null), ...cells);
  });
  const heads = columns.length > 1 ? columns.map((name, i) => h("th.clow-n", { scope: "col" }, h(`span.clow-key-dot.${both ? `clow-side-${"ab"[i]}` : `clow-part-${i % 4}`}`), words[name] ?? name)) : [];
  const head = h("tr", {}, h("th", { scope: "col" }, tell.labels.class ?? ""), h("th", { scope: "col" }), both ? null : h("th.clow-n", { scope: "col" }, tell.labels.count ?? ""), ...heads);
  const left = rows.length - shown.length + more;
  const rest = left ? h("button.clow-more", { type: "button", onclick: unfold, disabled: open ? "" : null }, (tell.labels.more ?? "{count}").replace("{count}", left.toLocaleString(tell.locale))) : "";
  const title = h("div.clow-section", { role: "heading", "aria-level": "3" }, (tell.labels.classes ?? "{label}").replace("{label}", label));
  return [title, h("div.clow-stats-scroll", {}, h("table.clow-table.clow-classes", {}, h("thead", {}, head), h("tbody", {}, ...lines))), rest];
}
