// The run panel: one button, one bar, the message and log of the run, asked for as long as the run lives.
import { h } from "./dom.mjs";
import { createMessages } from "./messages.mjs";
import { elapsedText, pause, percentText } from "./progress.mjs";
import "./ui.css";

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { timeout: 20000, labels });
  let timer = null;
  let failures = 0;
  let notice = "";

  el.classList.add("clow", "clow-run");
  el.dataset.lmSuppressShortcuts = "true";

  const start = h("button.clow-button.clow-primary", { type: "button", onclick: () => command("run") });
  const stop = h("button.clow-button", { type: "button", onclick: () => command("cancel") });
  const status = h("span.clow-status");
  const message = h("span.clow-run-message", { "aria-live": "polite" });
  const time = h("span.clow-run-time");
  const fill = h("div.clow-bar-fill");
  const bar = h("div.clow-bar", { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const log = h("pre.clow-log");
  const summary = h("summary");
  const details = h("details.clow-details", {}, summary, log);
  const place = h("div.clow-run-place");
  const problem = h("div.clow-error", { role: "alert" });
  el.append(h("div.clow-run-row", {}, start, stop, status, message, time), bar, problem, details, place);

  async function command(type) {
    try {
      notice = "";
      start.disabled = stop.disabled = true;
      await messages.request(type);
      failures = 0;
    } catch (error) {
      notice = error.message;
    } finally {
      start.disabled = stop.disabled = false;
      draw();
      watch();
    }
  }

  async function ask() {
    timer = null;
    try {
      await messages.request("poll");
      failures = 0;
      notice = "";
    } catch (error) {
      failures += 1;
      notice = error.message;
    }
    draw();
    watch();
  }

  function watch() {
    if (timer === null && model.get("active")) timer = setTimeout(ask, pause(model.get("seconds"), failures));
  }

  function draw() {
    const words = labels();
    const share = percentText(model.get("progress"));
    start.textContent = words.run ?? "";
    stop.textContent = words.cancel ?? "";
    start.hidden = model.get("active");
    stop.hidden = !model.get("active");
    status.textContent = model.get("status_text");
    status.dataset.status = model.get("status");
    status.hidden = !model.get("status_text");
    message.textContent = model.get("active") ? [share, model.get("message")].filter(Boolean).join(" · ") : model.get("message");
    time.textContent = model.get("seconds") > 0 ? elapsedText(model.get("seconds"), words) : "";
    bar.hidden = !model.get("status");
    bar.dataset.status = model.get("status");
    bar.setAttribute("aria-valuenow", parseInt(share, 10));
    fill.style.width = share;
    problem.textContent = notice || model.get("error");
    problem.hidden = !problem.textContent;
    summary.textContent = words.log ?? "";
    details.hidden = !model.get("log");
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    log.textContent = model.get("log");
    if (atEnd) log.scrollTop = log.scrollHeight;
    place.textContent = model.get("place");
    place.hidden = !model.get("place");
  }

  const traits = ["active", "status", "status_text", "progress", "message", "seconds", "error", "log", "place", "labels"];
  for (const trait of traits) model.on(`change:${trait}`, draw);
  model.on("change:active", watch);
  draw();
  watch();
  return () => {
    clearTimeout(timer);
    messages.close();
  };
}

export default { render };
