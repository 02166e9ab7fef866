// How a run goes: its buttons, bar, message and error, and its log, which is followed until somebody scrolls up or searches.
import { confirmation, h } from "./dom.mjs";
import { labConfig, openInLab } from "./lab.mjs";
import { announce } from "./live.mjs";
import { createMessages } from "./messages.mjs";
import { atEnd, elapsedText, foundText, percentText } from "./progress.mjs";
import "./ui.css";

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { timeout: 20000, labels });
  const live = announce(messages, () => model.get("active"));
  let notice = "";
  let asking = "";
  let since = Date.now(); // when `seconds` came

  el.classList.add("clow", "clow-run");
  el.dataset.lmSuppressShortcuts = "true";

  const row = h("div.clow-run-row");
  const status = h("span.clow-status");
  const message = h("span.clow-run-message", { "aria-live": "polite" });
  const time = h("span.clow-run-time");
  const fill = h("div.clow-bar-fill");
  const bar = h("div.clow-bar", { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const cells = h("div.clow-run-cells");
  const last = h("pre.clow-log");
  const problem = h("div.clow-error", { role: "alert" });
  const lastWords = h("div.clow-run-last", {}, h("span"), last);
  const find = h("input.clow-search", { type: "search", oninput: () => later(), onkeydown: (e) => e.key === "Enter" && search() });
  const found = h("span.clow-range", { "aria-live": "polite" });
  const earlier = h("button.clow-button", { type: "button", onclick: () => command({ name: "earlier" }) });
  const log = h("pre.clow-log", { tabindex: "0", onscroll: () => drawLog() });
  const hits = h("pre.clow-log.clow-hits", { tabindex: "0" });
  const follow = h("button.clow-button.clow-follow", { type: "button", onclick: () => toEnd() });
  const summary = h("summary");
  const tools = h("div.clow-listing-bar.clow-log-tools", {}, find, found, h("span.clow-spring"), earlier);
  const details = h("details.clow-details", { ontoggle: () => unfold() }, summary, tools, log, hits, follow);
  const place = h("div.clow-run-place");
  const frame = h("div.clow-run-notebook");
  el.append(row, bar, cells, problem, lastWords, details, frame, place);
  details.open = model.get("unfolded");

  async function command({ name, confirm }) {
    if (confirm && asking !== name) {
      asking = name;
      drawRow();
      row.querySelector(".clow-confirm button")?.focus();
      return;
    }
    asking = notice = "";
    try {
      for (const button of row.querySelectorAll("button")) button.disabled = true;
      if (name === "notebook") await openNotebook();
      else await messages.request(name);
    } catch (error) {
      notice = error.message;
    } finally {
      draw();
      live.update();
    }
  }

  async function openNotebook() {
    if (frame.childElementCount) return frame.replaceChildren();
    const config = labConfig();
    const { content } = await messages.request("notebook", { root: config?.serverRoot ?? "" });
    if (content.path && (await openInLab(config, content.path, el))) return;
    const { buffers } = await messages.request("read");
    // A sandbox without any right: what the notebook shows can neither run nor reach anything.
    frame.append(h("iframe", { sandbox: "", srcdoc: new TextDecoder().decode(buffers[0]), title: model.get("place") }));
  }

  let timer = null;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(search, 250);
  }

  async function search() {
    clearTimeout(timer);
    const words = find.value.trim();
    hits.hidden = !words;
    log.hidden = Boolean(words);
    found.textContent = "";
    if (!words) return toEnd();
    try {
      const { content } = await messages.request("find", { words });
      if (words !== find.value.trim()) return;
      found.textContent = foundText(content.count, content.lines.length, labels(), model.get("lang"));
      hits.replaceChildren(...content.lines.flatMap(([number, line]) => [h("span.clow-faint", {}, `${number} `), `${line}\n`]));
    } catch (error) {
      found.textContent = error.message;
    }
    drawFollow();
  }

  function unfold() {
    if (details.open) toEnd();
    lastWords.hidden = !model.get("last") || Boolean(notice) || details.open;
  }

  function toEnd() {
    log.textContent = model.get("tail");
    log.scrollTop = log.scrollHeight;
    drawFollow();
  }

  // What is read further up stays where it is; new lines wait until the end is in sight again.
  function drawLog() {
    if (log.hidden || !details.open) return drawFollow();
    if (atEnd(log) && log.textContent !== model.get("tail")) toEnd();
    drawFollow();
  }

  function drawFollow() {
    follow.hidden = log.hidden || !details.open || (atEnd(log) && log.textContent === model.get("tail"));
  }

  function drawRow() {
    const commands = model.get("commands");
    const buttons = commands.map((each) => {
      if (asking === each.name) {
        const dismiss = () => {
          asking = "";
          drawRow();
        };
        return confirmation(each.confirm, labels(), () => command(each), dismiss);
      }
      const opened = each.name === "notebook" && frame.childElementCount;
      const label = opened ? labels().close : each.label;
      return h(`button.clow-button${each.primary ? ".clow-primary" : ""}`, { type: "button", onclick: () => command(each) }, label);
    });
    row.replaceChildren(...buttons, status, message, time);
  }

  function drawTime() {
    const passed = model.get("active") && model.get("seconds") > 0 ? (Date.now() - since) / 1000 : 0;
    time.textContent = model.get("seconds") > 0 ? elapsedText(model.get("seconds") + passed, labels()) : "";
  }

  function draw() {
    const words = labels();
    const share = percentText(model.get("progress"));
    if (!model.get("commands").some(({ name }) => name === asking)) asking = "";
    drawRow();
    drawTime();
    status.textContent = model.get("status_text");
    status.dataset.status = model.get("status");
    status.hidden = !model.get("status_text");
    message.textContent = model.get("status") === "RUNNING" ? [share, model.get("message")].filter(Boolean).join(" · ") : model.get("message");
    bar.hidden = !model.get("status");
    bar.dataset.status = model.get("status");
    bar.setAttribute("aria-valuenow", parseInt(share, 10));
    fill.style.width = share;
    cells.textContent = model.get("cells");
    cells.hidden = !model.get("cells");
    problem.textContent = notice || model.get("error");
    problem.hidden = !problem.textContent;
    lastWords.firstChild.textContent = words.last ?? "";
    last.textContent = model.get("last");
    summary.textContent = words.log ?? "";
    find.placeholder = words.find ?? "";
    find.setAttribute("aria-label", words.find ?? "");
    earlier.textContent = words.earlier ?? "";
    earlier.hidden = model.get("whole");
    follow.textContent = `${words.follow ?? ""} ↓`;
    details.hidden = !model.get("tail");
    lastWords.hidden = !model.get("last") || Boolean(notice) || details.open;
    drawLog();
    place.textContent = model.get("place");
    place.hidden = !model.get("place");
  }

  const traits = ["commands", "status_text", "progress", "message", "cells", "error", "last", "tail", "whole", "place", "labels"];
  model.on("change:seconds", () => (since = Date.now()));
  model.on(traits.map((trait) => `change:${trait}`).join(" "), draw);
  model.on("change:active", live.update);
  model.on("change:place", () => frame.replaceChildren()); // another run, another notebook
  hits.hidden = true;
  draw();
  const clock = setInterval(drawTime, 1000);
  return () => {
    clearInterval(clock);
    clearTimeout(timer);
    live.close();
    messages.close();
  };
}

export default { render };
