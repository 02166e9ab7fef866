// One document, looked at closely: its picture, its texts, its nested values.
import { collect } from "./collecting.mjs";
import { h } from "./dom.mjs";
import { fieldView } from "./fields.mjs";
import { createFinding } from "./finding.mjs";
import { createMessages } from "./messages.mjs";
import { createPicture } from "./pictureview.mjs";
import "./ui.css";
import "./cells.css";
import "./viewer.css";

const decoder = new TextDecoder();
const read = ({ buffers }) => JSON.parse(decoder.decode(buffers[0]));
const SIZES = [11, 12, 13, 14, 16, 18, 21, 24];

function render({ model, el }) {
  const labels = model.get("labels");
  const messages = createMessages(model, { labels: () => labels });
  const picture = createPicture(labels);
  const finding = createFinding(labels, () => fields);
  let fields = [];
  let row = -1;
  let told = 0;
  let turn = 0; // what was asked for before the last turn is not drawn any more
  let url = null;
  let size = 2;

  const button = (words, sign, act) => h("button.clow-button.clow-small", { type: "button", title: words, "aria-label": words, onclick: act }, sign);
  const back = button(labels.previous, "‹", () => go(row - 1));
  const on = button(labels.next, "›", () => go(row + 1));
  const place = h("span.clow-place");
  const id = h("bdi.clow-viewer-id");
  const closer = button(labels.close, "×", close);
  const several = h("select.clow-several", { hidden: "", onchange: () => drawPicture(pictures[several.selectedIndex]) });
  const problem = h("div.clow-error", { role: "alert", hidden: "" });
  const values = h("div.clow-fields");
  const missing = h("div.clow-faint.clow-missing-keys");
  const resize = (by) => {
    size = Math.max(0, Math.min(SIZES.length - 1, size + by));
    values.style.fontSize = `${SIZES[size]}px`;
  };
  const head = h("div.clow-viewer-head", {}, back, on, place, id, h("span.clow-spring"), several, closer);
  const tools = h("div.clow-viewer-tools", {}, finding.element, h("span.clow-spring"), button(labels.smallerText, "A−", () => resize(-1)), button(labels.largerText, "A+", () => resize(1)));
  const body = h("div.clow-viewer-body", {}, problem, picture.element, tools, values, missing);
  el.classList.add("clow", "clow-viewer");
  el.dataset.lmSuppressShortcuts = "true";
  el.append(h("div.clow-viewer-box", {}, head, body));
  let pictures = [];

  function complain(text) {
    problem.textContent = text;
    problem.hidden = !text;
  }

  async function go(to, { key = "", quiet = false } = {}) {
    const total = model.get("at").total;
    if (to < 0 || (Number.isInteger(total) && to >= Math.max(total, 1))) return;
    const mine = ++turn;
    try {
      const answer = await messages.request("document", { row: to });
      if (mine !== turn) return;
      complain(answer.content.there ? "" : labels.nothing);
      row = to;
      draw(read(answer), key, quiet);
    } catch (error) {
      if (mine === turn && !quiet) complain(error.message);
    }
  }

  function draw(found, key, quiet) {
    const asked = turn;
    const total = model.get("at").total;
    place.textContent = labels.place.replace("{row}", (row + 1).toLocaleString()).replace("{total}", Number.isInteger(total) ? total.toLocaleString() : "…");
    [back.disabled, on.disabled] = [row <= 0, Number.isInteger(total) && row >= total - 1];
    id.textContent = found.id;
    const mine = row;
    const ask = (name, offset) => messages.request("value", { row: mine, key: name, offset });
    fields = found.fields.map((field) => fieldView(field, labels, ask));
    values.replaceChildren(...fields.map(({ element }) => element));
    missing.textContent = found.missing.length ? labels.missing.replace("{keys}", found.missing.join(", ")) : "";
    pictures = found.pictures;
    const wanted = Math.max(0, pictures.findIndex(({ path }) => path[0] === key));
    several.replaceChildren(...pictures.map(({ path, text }) => h("option", {}, `${path.join(" › ")} · ${text}`)));
    several.hidden = pictures.length < 2;
    if (pictures.length) several.selectedIndex = wanted;
    drawPicture(pictures[wanted]).then(() => quiet || (turn === asked && focusOn(key)));
    finding.again();
    if (!quiet) focusOn(key);
  }

  function focusOn(key) {
    for (const { element } of fields) element.classList.toggle("clow-focused", element.dataset.key === key);
    const field = fields.find(({ element }) => element.dataset.key === key)?.element;
    body.scrollTop = 0;
    if (!field || pictures.some(({ path }) => path[0] === key)) return;
    const [top, bottom] = [field.offsetTop - tools.offsetHeight, field.offsetTop + field.offsetHeight];
    if (bottom > body.clientHeight) body.scrollTop = Math.min(top, bottom - body.clientHeight); // as far as needed: the picture stays in sight
  }

  async function drawPicture(one) {
    const mine = turn;
    const path = one?.path ?? [];
    picture.element.classList.add("clow-loading");
    try {
      const answer = await (one ? collect((offset) => messages.request("picture", { row, path, offset }), { gone: () => mine !== turn }) : null);
      if (mine !== turn) return;
      const about = answer?.content;
      const size = about ? [about.width, about.height] : null;
      const told = await collect((offset) => messages.request("regions", { row, path, size, offset }), { gone: () => mine !== turn });
      if (mine !== turn) return;
      const found = read({ buffers: [told.bytes] });
      forget();
      if (!about && !found.regions.length) return picture.clear();
      if (answer) url = URL.createObjectURL(new Blob([answer.bytes], { type: about.media }));
      const [width, height] = about ? [about.width, about.height] : found.size;
      const notes = [about && !about.whole ? labels.shrunk : "", found.all ? "" : labels.some.replace("{count}", found.regions.length.toLocaleString())];
      picture.show({ url, width, height, found, notes: notes.filter(Boolean) });
    } catch (error) {
      if (mine !== turn) return;
      picture.clear();
      complain(error.message);
    } finally {
      if (mine === turn) picture.element.classList.remove("clow-loading");
    }
  }
  picture.image.addEventListener("error", () => picture.image.getAttribute("src") && complain(labels.broken));

  function forget() {
    if (url) URL.revokeObjectURL(url);
    url = null;
  }

  function close() {
    if (!model.get("closable")) return;
    turn++;
    model.set("opened", false);
    showing();
    messages.request("close").catch(() => {});
  }

  function showing() {
    el.classList.toggle("clow-closed", !model.get("opened"));
    closer.hidden = !model.get("closable");
    el.style.setProperty("--clow-viewer-height", `${model.get("height")}px`);
  }

  el.addEventListener("keydown", (event) => {
    const writes = event.target.closest("input, select, textarea");
    if (picture.key(event)) event.preventDefault();
    else if (event.key === "Escape") close();
    else if (!writes && (event.key === "PageDown" || event.key === "]")) go(row + 1);
    else if (!writes && (event.key === "PageUp" || event.key === "[")) go(row - 1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });

  const follow = () => {
    const at = model.get("at");
    showing();
    if (!model.get("opened")) return;
    if (at.row === row && at.key && at.turn === told) return focusOn(at.key);
    told = at.turn; // by another filter or sort the same row is another document
    go(at.row, { key: at.key });
  };
  model.on("change:at", follow);
  model.on("change:opened", () => {
    showing();
    if (!model.get("opened")) return;
    el.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" }); // below the grid where there is no room beside
    if (row < 0) follow();
  });
  model.on("change:height", showing);
  model.on("change:version", () => model.get("opened") && row >= 0 && go(row, { quiet: true }));
  follow();
  return () => {
    forget();
    finding.close();
    messages.close();
  };
}

export default { render };
