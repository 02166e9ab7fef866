// A picture to look into: zoomed, moved, with what was marked in it drawn over it and its text beside it.
import { hueStyle } from "./colours.mjs";
import { h } from "./dom.mjs";
import { isOn, legendOf, readRegions, readingLayer } from "./regions.mjs";
import { shown } from "./textview.mjs";
import { STEP, around, fitted, kept, zoomed } from "./zoom.mjs";

const SVG = "http://www.w3.org/2000/svg";
const MANY = 40; // labels in the legend

/** `show({url, width, height, found, notes})` draws a picture with what was found in it; `key(event)` is true where a key was for the picture. */
export function createPicture(labels) {
  const image = h("img.clow-picture-image", { alt: "", draggable: "false" });
  const layer = document.createElementNS(SVG, "svg");
  layer.setAttribute("class", "clow-regions");
  const stage = h("div.clow-stage", {}, image, layer);
  const frame = h("div.clow-frame", { tabindex: "0", role: "img", "aria-label": labels.zoom }, stage);
  const about = h("span.clow-faint.clow-picture-about");
  const percent = h("span.clow-percent", { "aria-live": "polite" });
  const button = (words, sign, act) => h("button.clow-button.clow-small", { type: "button", title: words, "aria-label": words, onclick: act }, sign);
  const tools = h(
    "div.clow-picture-tools",
    {},
    button(labels.smaller, "−", () => zoom(1 / STEP)),
    percent,
    button(labels.larger, "+", () => zoom(STEP)),
    button(labels.fit, labels.fit, () => fit()),
    button(labels.exact, "1:1", () => exact()),
    about,
  );
  const legend = h("div.clow-legend");
  const reading = h("ol.clow-reading", { "aria-label": labels.reading });
  const element = h("div.clow-picture", { hidden: "" }, tools, legend, h("div.clow-picture-row", {}, frame, reading));

  let size = { width: 1, height: 1 };
  let view = { scale: 1, x: 0, y: 0 };
  let whole = true; // all of the picture is in sight, and stays so when the frame grows
  let regions = { list: [], inOrder: [] };
  const off = new Set();

  const room = () => ({ width: frame.clientWidth, height: frame.clientHeight });
  const middle = () => ({ x: frame.clientWidth / 2, y: frame.clientHeight / 2 });

  function place(next, all = false) {
    view = kept(next, size, room());
    whole = all;
    stage.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
    stage.style.setProperty("--clow-scale", view.scale);
    stage.classList.toggle("clow-pixels", view.scale >= 3);
    percent.textContent = `${Math.round(view.scale * 100)} %`;
  }
  const fit = () => place(fitted(size, room()), true);
  const zoom = (factor, at = middle()) => place(zoomed(view, factor, at));
  const exact = (at = middle()) => zoom(1 / view.scale, at);
  new ResizeObserver(() => frame.clientWidth && (whole ? fit() : place(view))).observe(frame);

  // --- what is marked

  function drawRegions() {
    layer.replaceChildren(
      ...regions.list.filter((region) => isOn(region, off)).map(({ place: number, form, points, name, text, label }) => {
        const shape = document.createElementNS(SVG, form === "point" ? "circle" : "polygon");
        if (form === "point") for (const [key, value] of Object.entries({ cx: points[0][0], cy: points[0][1], r: Math.max(size.width, size.height) / 150 })) shape.setAttribute(key, value);
        else shape.setAttribute("points", points.map((point) => point.join(",")).join(" "));
        shape.setAttribute("class", "clow-region");
        shape.setAttribute("style", hueStyle(name));
        shape.dataset.place = number;
        const title = document.createElementNS(SVG, "title");
        title.textContent = [label, text].filter(Boolean).join(": ");
        shape.append(title);
        return shape;
      }),
    );
  }

  function drawLegend() {
    const { layers, labels: names } = legendOf(regions.list);
    const entries = [...layers.map((one) => ["layer", ...one]), ...names.slice(0, MANY).map((one) => ["label", ...one])];
    legend.replaceChildren(
      ...entries.map(([kind, name, count]) => {
        const key = `${kind}:${name}`;
        const entry = h(`button.clow-chip.clow-legend-${kind}`, { type: "button", style: hueStyle(name), "aria-pressed": String(!off.has(key)) }, h("bdi", {}, name), h("span.clow-chip-text", {}, count.toLocaleString()));
        entry.addEventListener("click", () => {
          if (!off.delete(key)) off.add(key);
          entry.setAttribute("aria-pressed", String(!off.has(key)));
          drawRegions();
        });
        return entry;
      }),
      ...(names.length > MANY ? [h("span.clow-more", {}, `+${names.length - MANY}`)] : []),
    );
    legend.hidden = !entries.length;
  }

  function drawReading() {
    const read = readingLayer(regions.list);
    const lines = regions.inOrder.filter(({ layer: own, text }) => own === read && text);
    reading.replaceChildren(...lines.map(({ place: number, text }) => h("li", { tabindex: "0", "data-place": number, title: labels.zoom }, ...shown(text))));
    reading.hidden = !lines.length;
  }

  const numberOf = (event) => event.target.closest?.("[data-place]")?.dataset.place;
  function warm(number, scroll = false) {
    for (const hot of element.querySelectorAll(".clow-hot")) hot.classList.remove("clow-hot");
    if (number === undefined) return;
    for (const one of element.querySelectorAll(`[data-place="${Number(number)}"]`)) one.classList.add("clow-hot");
    if (scroll) reading.querySelector(".clow-hot")?.scrollIntoView({ block: "nearest" });
  }
  layer.addEventListener("mouseover", (event) => warm(numberOf(event), true));
  layer.addEventListener("mouseleave", () => warm());
  reading.addEventListener("mouseover", (event) => warm(numberOf(event)));
  reading.addEventListener("focusin", (event) => warm(numberOf(event)));
  const into = (number) => number !== undefined && place(around(regions.list[number].points, room()));
  reading.addEventListener("click", (event) => into(numberOf(event)));
  reading.addEventListener("keydown", (event) => event.key === "Enter" && into(numberOf(event)));

  // --- moved and zoomed

  let drag = null;
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    frame.focus({ preventScroll: true });
    drag = { x: event.clientX - view.x, y: event.clientY - view.y };
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => drag && place({ ...view, x: event.clientX - drag.x, y: event.clientY - drag.y }, whole));
  frame.addEventListener("pointerup", () => (drag = null));
  frame.addEventListener("pointercancel", () => (drag = null));
  const pointer = (event) => ({ x: event.clientX - frame.getBoundingClientRect().left, y: event.clientY - frame.getBoundingClientRect().top });
  frame.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !frame.contains(document.activeElement)) return; // the page is scrolled until one has clicked into the picture
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 400), pointer(event));
  }, { passive: false });
  frame.addEventListener("dblclick", (event) => {
    const found = document.elementsFromPoint(event.clientX, event.clientY).find((one) => one.dataset?.place && layer.contains(one));
    if (found) into(found.dataset.place);
    else if (whole) zoom(Math.max(1 / view.scale, 2), pointer(event));
    else fit();
  });

  function key(event) {
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (event.target !== frame || event.altKey || event.ctrlKey || event.metaKey) return false;
    if (event.key === "+" || event.key === "=") zoom(STEP);
    else if (event.key === "-") zoom(1 / STEP);
    else if (event.key === "0") fit();
    else if (event.key === "1") exact();
    else if (event.key === "Escape" && !whole) fit();
    else if (steps[event.key] && !whole) place({ ...view, x: view.x + steps[event.key][0], y: view.y + steps[event.key][1] });
    else return false;
    return true;
  }

  function show({ url, width, height, found, notes }) {
    size = { width, height };
    regions = readRegions(found);
    image.hidden = !url;
    if (url) image.src = url;
    for (const [name, value] of [["width", width], ["height", height]]) {
      stage.style[name] = `${value}px`;
      layer.setAttribute(name, value);
    }
    layer.setAttribute("viewBox", `0 0 ${width} ${height}`);
    about.textContent = [`${Math.round(width)} × ${Math.round(height)}`, ...notes].join(" · ");
    element.hidden = false;
    drawRegions();
    drawLegend();
    drawReading();
    fit();
  }
  function clear() {
    element.hidden = true;
    image.removeAttribute("src");
  }
  return { element, image, show, clear, key };
}
