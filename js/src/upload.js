// Files on their way into the kernel: dropped, chosen, or named by where they lie; then what the kernel does with them.
import { rememberAuthor, rememberedAuthor } from "./author.mjs";
import { h } from "./dom.mjs";
import { chosenFiles, droppedFiles } from "./dropped.mjs";
import { createMessages } from "./messages.mjs";
import { bytesText, pieces, shareOf } from "./pieces.mjs";
import { percentText } from "./progress.mjs";
import "./ui.css";
import "./upload.css";

const EVERY = 300; // ms between two looks at what the kernel is at
const TRIES = 3;

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });
  let sending = null; // {files, sizes, received, stopped}
  let failed = null; // what was being sent when the kernel fell silent: it goes on from there
  let notice = "";

  el.classList.add("clow", "clow-upload");
  el.dataset.lmSuppressShortcuts = "true";

  const files = h("input", { type: "file", multiple: "", hidden: "", onchange: () => take(chosenFiles(files.files)) });
  const folder = h("input", { type: "file", webkitdirectory: "", hidden: "", onchange: () => take(chosenFiles(folder.files)) });
  const choose = h("button.clow-button.clow-primary", { type: "button", onclick: () => files.click() });
  const chooseFolder = h("button.clow-button", { type: "button", onclick: () => folder.click() });
  const call = h("div.clow-drop-call");
  const hint = h("div.clow-drop-hint");
  const zone = h("div.clow-drop", {}, call, h("div.clow-drop-buttons", {}, choose, chooseFolder), hint, files, folder);
  const place = h("input.clow-place", { type: "text", spellcheck: "false", onkeydown: (e) => e.key === "Enter" && look() });
  const lookButton = h("button.clow-button", { type: "button", onclick: () => look() });
  const placeLabel = h("label.clow-place-label");
  const places = h("div.clow-places", {}, placeLabel, place, lookButton);
  const summary = h("span.clow-upload-summary");
  const note = h("span.clow-upload-note", { "aria-live": "polite" });
  const cancel = h("button.clow-button", { type: "button", onclick: () => stop() });
  const again = h("button.clow-button", { type: "button", onclick: () => send(failed) });
  const row = h("div.clow-upload-row", {}, summary, note, h("span.clow-spring"), again, cancel);
  const fill = h("div.clow-bar-fill");
  const bar = h("div.clow-bar", { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
  const problem = h("div.clow-error", { role: "alert" });
  el.append(zone, places, row, bar, problem);

  async function attempt(work) {
    notice = "";
    try {
      await work();
    } catch (error) {
      notice = error.message;
    }
    draw();
  }

  // What the same place asks for twice in a row, such as the same file again, is a new wish.
  function take(found) {
    files.value = folder.value = "";
    if (!found.length || busy()) return;
    attempt(async () => {
      failed = null;
      const { content } = await messages.request("announce", { files: found.map(({ path, file }) => ({ path, size: file.size })) });
      const wanted = content.wanted.map((number) => found[number].file);
      await send({ files: wanted, sizes: wanted.map(({ size }) => size), received: wanted.map(() => 0), stopped: false });
    });
  }

  async function send(job) {
    sending = job;
    failed = null;
    notice = "";
    draw();
    try {
      for (let tries = 0; ; ) {
        try {
          for (const parts of pieces(job.sizes, job.received)) {
            if (job.stopped) return;
            await sendPieces(job, parts);
            tries = 0;
          }
          break;
        } catch (error) {
          if ((tries += 1) >= TRIES || job.stopped || error.name === "NotReadableError") throw error;
          job.received = (await messages.request("received")).content.received;
        }
      }
      await messages.request("finish");
    } catch (error) {
      if (!job.stopped) [failed, notice] = [job, error.name === "NotReadableError" ? labels().changed : error.message];
    } finally {
      sending = null;
      follow();
      draw();
    }
  }

  async function sendPieces(job, parts) {
    const buffers = await Promise.all(parts.map(({ file, start, end }) => job.files[file].slice(start, end).arrayBuffer()));
    await messages.request("pieces", { parts: parts.map(({ file, start }) => ({ file, start })) }, buffers);
    for (const { file, end } of parts) job.received[file] = end;
    draw();
  }

  const look = () => place.value.trim() && !busy() && attempt(() => messages.request("look", { place: place.value.trim() }).finally(follow));

  function stop() {
    if (sending) sending.stopped = true;
    failed = null;
    attempt(() => messages.request("cancel"));
  }

  const working = () => ["reading", "importing"].includes(model.get("stage"));
  const busy = () => Boolean(sending) || working();

  let timer = null;
  function follow() {
    if (timer !== null || !working()) return;
    timer = setTimeout(async () => {
      try {
        await messages.request("state");
        notice = "";
      } catch (error) {
        notice = error.message;
      }
      timer = null;
      draw();
      follow();
    }, EVERY);
  }

  function draw() {
    const words = labels();
    const stage = model.get("stage");
    const empty = stage === "empty" && !sending && !failed;
    zone.hidden = places.hidden = !empty;
    places.hidden = !empty || !model.get("places");
    row.hidden = empty;
    call.textContent = words.drop ?? "";
    hint.textContent = words.kinds ?? "";
    choose.textContent = words.files ?? "";
    chooseFolder.textContent = words.folder ?? "";
    placeLabel.textContent = words.place ?? "";
    place.placeholder = words.places ?? "";
    place.setAttribute("aria-label", words.place ?? "");
    lookButton.textContent = words.look ?? "";
    again.textContent = words.again ?? "";
    again.hidden = !failed;
    cancel.textContent = (busy() ? words.cancel : words.other) ?? "";
    const job = sending ?? failed;
    const share = job ? shareOf(job.sizes, job.received) : model.get("share");
    const of = job ? `${bytesText(share * total(job), model.get("lang"))} / ${bytesText(total(job), model.get("lang"))}` : "";
    summary.textContent = job ? named(job) : model.get("summary");
    note.textContent = job ? of : working() ? [model.get("note"), share >= 0 ? percentText(share) : ""].filter(Boolean).join(" · ") : "";
    bar.hidden = !(job || working());
    bar.classList.toggle("clow-bar-unknown", !job && share < 0);
    bar.setAttribute("aria-valuenow", share >= 0 ? parseInt(percentText(share), 10) : "");
    fill.style.width = share >= 0 ? percentText(share) : "";
    problem.textContent = notice || model.get("problem");
    problem.hidden = !problem.textContent;
  }

  const total = (job) => job.sizes.reduce((sum, size) => sum + size, 0);
  const named = ({ files: all }) =>
    all.length === 1 ? all[0].name : (labels().many ?? "{count}").replace("{count}", all.length.toLocaleString(model.get("lang")));

  // Dropping beside the zone must not make the browser leave the page for the file.
  const over = (event) => {
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = busy() ? "none" : "copy";
    zone.classList.toggle("clow-drop-over", event.type === "dragover" && !busy());
  };
  const drop = (event) => {
    over(event);
    if (!busy()) droppedFiles(event.dataTransfer).then(take, (error) => attempt(() => Promise.reject(error)));
  };
  for (const name of ["dragover", "dragleave"]) el.addEventListener(name, over);
  el.addEventListener("drop", drop);

  function remember() {
    if (model.get("asks") && model.get("stage") === "importing") rememberAuthor(model.get("author").trim());
  }
  if (model.get("asks") && !model.get("author") && rememberedAuthor()) {
    model.set("author", rememberedAuthor());
    model.save_changes();
  }
  model.on("change:stage", remember);
  model.on("change:stage change:summary change:note change:share change:problem change:places change:labels", () => {
    draw();
    follow();
  });
  draw();
  follow();
  return () => {
    if (sending) sending.stopped = true;
    clearTimeout(timer);
    messages.close();
  };
}

export default { render };
