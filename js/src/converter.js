// The workbench of converters: which one, its two files, and the four things that can be done with it. What comes of it is shown by Python below.
import { confirmation, h } from "./dom.mjs";
import { createEditor } from "./editor.mjs";
import { createMessages } from "./messages.mjs";
import "./converter.css";
import "./ui.css";

const FILES = { code: "convert.py", requirements: "requirements.txt" };

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });
  el.classList.add("clow", "clow-workbench");
  el.dataset.lmSuppressShortcuts = "true";

  const picker = h("div.clow-bench-row");
  const place = h("div.clow-bench-form"); // a form that was asked for: new, freeze, export, run
  const tabs = h("div.clow-bench-tabs", { role: "tablist" });
  const state = h("span.clow-bench-state", { "aria-live": "polite" });
  const boxes = { code: h("div.clow-bench-file"), requirements: h("div.clow-bench-file") };
  const doing = h("div.clow-bench-row");
  const note = h("span.clow-bench-note", { "aria-live": "polite" });
  const bar = h("div.clow-bar", {}, h("div.clow-bar-fill"));
  const problem = h("div.clow-error", { role: "alert" });
  const desk = h("div", {}, h("div.clow-bench-head", {}, tabs, state), boxes.code, boxes.requirements, doing, bar);
  el.append(picker, place, desk, problem);

  let shown = "code"; // the file on the page
  let asked = ""; // the form on the page
  let limit = "10";
  let ids = "";

  const editors = {};
  for (const [name, file] of Object.entries(FILES)) {
    editors[name] = createEditor(boxes[name], {
      language: name === "code" ? "python" : "requirements",
      label: file,
      phrases: labels().phrases ?? {},
      changed: () => drawState(),
      saved: () => send("save"),
    });
    editors[name].show(model.get(name));
  }

  const text = (name) => editors[name].text();
  const changed = () => Object.keys(FILES).some((name) => text(name) !== model.get(name));

  async function send(type, payload = {}) {
    complain("");
    try {
      await messages.request(type, { code: text("code"), requirements: text("requirements"), ...payload });
      ask("");
    } catch (error) {
      complain(error.message);
    }
  }

  function complain(words) {
    problem.textContent = words;
    problem.hidden = !words;
  }

  const button = (label, act, look = "") => h(`button.clow-button${look}`, { type: "button", onclick: act }, label ?? "");
  const option = (value, words, chosen) => h("option", { value, selected: chosen ? "" : null }, words);
  const field = (label, control) => h("label.clow-bench-field", {}, h("span", {}, label ?? ""), control);

  function drawPicker() {
    const words = labels();
    const name = model.get("name");
    const names = model.get("names");
    const which = h(
      "select.clow-bench-input",
      { "aria-label": words.converter, onchange: () => leave(() => send("open", { name: which.value }), drawPicker) },
      ...names.map((one) => option(one, one, one === name)),
    );
    const version = h(
      "select.clow-bench-input",
      { "aria-label": words.version, onchange: () => leave(() => send("open", { name, version: Number(version.value) }), drawPicker) },
      ...model.get("versions").map(({ number, label }) => option(number, label, number === model.get("version"))),
    );
    const busy = Boolean(model.get("busy"));
    const known = names.length > 0;
    const remove = button(words.remove, () => remove.replaceWith(confirmation(words.sure, words, () => send("delete"), drawPicker)));
    const parts = [
      known ? which : null,
      known ? version : null,
      known && !model.get("frozen") ? button(words.freeze, () => ask("freeze")) : null,
      h("span.clow-spring"),
      button(words.create, () => ask("create")),
      known ? remove : null,
    ].filter(Boolean);
    picker.replaceChildren(...parts);
    for (const one of picker.querySelectorAll("button, select")) one.disabled = busy;
    desk.hidden = !known;
    if (!known && asked !== "create") ask("create");
  }

  // What was typed and not saved is not thrown away without a question.
  function leave(act, stay) {
    if (!changed()) return act();
    picker.after(place);
    place.hidden = false;
    place.replaceChildren(confirmation(labels().lose, labels(), act, () => ((place.hidden = true), stay())));
  }

  const forms = {
    create() {
      const words = labels();
      const name = h("input.clow-bench-input", { type: "text", placeholder: words.naming });
      const about = h("div.clow-bench-about");
      const examples = model.get("examples");
      const from = h(
        "select.clow-bench-input",
        { onchange: () => (about.textContent = examples.find((one) => one.name === from.value)?.description ?? "") },
        option("", words.empty),
        ...examples.map((one) => option(one.name, one.title)),
      );
      const make = () => leave(() => send("create", { name: name.value.trim(), example: from.value }), () => ask("create"));
      name.addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && make());
      return [field(words.name, name), field(words.begin, from), button(words.make, make, ".clow-primary"), about];
    },
    freeze() {
      const words = labels();
      const tag = h("input.clow-bench-input", { type: "text", placeholder: "v1.0" });
      return [field(words.tag, tag), button(words.freeze, () => send("freeze", { tag: tag.value.trim() }), ".clow-primary"), h("div.clow-bench-about", {}, words.frozen)];
    },
    export() {
      const words = labels();
      const folder = h("input.clow-bench-input", { type: "text", value: model.get("folder") });
      const format = h("select.clow-bench-input", {}, ...model.get("formats").map((one) => option(one, one)));
      const rest = onError();
      const go = () => send("export", { folder: folder.value.trim(), format: format.value, on_error: rest.value });
      return [field(words.folder, folder), field(words.format, format), field(words.faulty, rest), button(words.export, go, ".clow-primary")];
    },
    run() {
      const words = labels();
      const to = h("input.clow-bench-input", { type: "text", value: model.get("dataset") });
      const label = h("input.clow-bench-input", { type: "text", placeholder: words.none });
      const rest = onError();
      const go = () => send("run", { to: to.value.trim(), label: label.value.trim(), on_error: rest.value });
      return [field(words.dataset, to), field(words.key, label), field(words.faulty, rest), button(words.run, go, ".clow-primary")];
    },
  };

  function onError() {
    return h("select.clow-bench-input", {}, option("stop", labels().stop), option("skip", labels().skip));
  }

  function ask(form) {
    asked = asked === form ? "" : form;
    if (!asked && !model.get("names").length) asked = "create";
    place.replaceChildren(...(asked ? forms[asked]() : []));
    place.hidden = !asked;
    if (asked === "export" || asked === "run") bar.before(place); // a form stands where it was asked for
    else picker.after(place);
    place.querySelector("input")?.focus();
  }

  function drawTabs() {
    const parts = Object.entries(FILES).map(([name, file]) => {
      const chosen = String(name === shown);
      return h("button.clow-bench-tab", { type: "button", role: "tab", "aria-selected": chosen, onclick: () => turn(name) }, file);
    });
    tabs.replaceChildren(...parts);
    for (const [name, box] of Object.entries(boxes)) box.hidden = name !== shown;
    editors[shown].measure();
  }

  function turn(name) {
    shown = name;
    drawTabs();
    editors[name].focus();
  }

  function drawState() {
    state.textContent = changed() ? (labels().changed ?? "") : "";
  }

  function drawDoing() {
    const words = labels();
    const busy = model.get("busy");
    const first = h("input.clow-bench-input.clow-bench-few", { type: "number", min: "1", max: "1000", value: limit, oninput: () => (limit = first.value) });
    const chosen = h("input.clow-bench-input", { type: "text", placeholder: words.ids, value: ids, oninput: () => (ids = chosen.value) });
    const parts = busy
      ? [note, button(words.cancel, () => send("cancel"))]
      : [
          button(words.test, () => send("test", { limit: Number(limit), ids }), ".clow-primary"),
          field(words.first, first),
          field(words.or, chosen),
          h("span.clow-spring"),
          button(words.dry, () => send("dry_run")),
          button(`${words.export}…`, () => ask("export")),
          button(`${words.run}…`, () => ask("run")),
        ];
    doing.replaceChildren(...parts);
    bar.hidden = !busy;
    drawProgress();
  }

  function drawProgress() {
    note.textContent = model.get("note");
    bar.firstChild.style.width = `${100 * model.get("progress")}%`;
  }

  function drawMark() {
    const { file, line } = model.get("mark");
    for (const name of Object.keys(FILES)) editors[name].mark(file === name ? line : 0);
    if (line && shown !== file) turn(file);
  }

  for (const name of Object.keys(FILES)) {
    model.on(`change:${name}`, () => {
      editors[name].show(model.get(name));
      drawState();
    });
  }
  model.on("change:names change:name change:versions change:version change:frozen", drawPicker);
  model.on("change:busy", () => (drawPicker(), drawDoing()));
  model.on("change:note change:progress", drawProgress);
  model.on("change:mark", drawMark);
  model.on("change:problem", () => complain(model.get("problem")));
  complain(model.get("problem"));
  place.hidden = true;
  drawPicker();
  drawTabs();
  drawDoing();
  drawState();
  drawMark();

  return () => {
    messages.close();
    for (const editor of Object.values(editors)) editor.close();
  };
}

export default { render };
