// The head of every view: what is shown, where it lies, the same as code, and what went wrong.
import { copyText, h } from "./dom.mjs";
import { ensureFont } from "./font.mjs";
import { createMessages } from "./messages.mjs";
import "./evaluation.css";
import "./service.css";
import "./ui.css";

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });
  ensureFont(messages);

  el.classList.add("clow", "clow-head");
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab's single-key shortcuts stay out of the widgets

  let open = false; // whether the code is on the page

  function draw() {
    const code = model.get("code");
    const path = model.get("path");
    const pre = h("pre.clow-code", { hidden: open ? null : "" }, code);
    const copy = h("button.clow-button", { type: "button", "aria-expanded": String(open) }, labels().copy ?? "");
    copy.addEventListener("click", async () => {
      open = !open;
      pre.hidden = !open;
      copy.setAttribute("aria-expanded", String(open));
      if (!open || !(await copyText(code))) return;
      copy.textContent = labels().copied ?? "";
      setTimeout(() => (copy.textContent = labels().copy ?? ""), 2000);
    });
    const facts = model.get("facts").map(([name, value, tone]) =>
      h(`span.clow-fact${tone ? `.clow-${tone}` : ""}`, {}, h("b", {}, value), h("span", {}, name)),
    );
    const error = model.get("error");
    el.replaceChildren(
      h(
        "div.clow-head-row",
        {},
        h(
          "div.clow-head-main",
          {},
          h("div.clow-over", {}, model.get("kind")),
          h("div.clow-title", { role: "heading", "aria-level": "2" }, model.get("title")),
          model.get("description") ? h("div.clow-about", {}, model.get("description")) : null,
        ),
        h(
          "div.clow-head-side",
          {},
          code ? copy : null,
          path ? h("div.clow-path", { title: path }, h("span", {}, labels().workspace ?? ""), h("bdi", {}, path)) : null,
        ),
      ),
      facts.length ? h("div.clow-facts", {}, ...facts) : "",
      code ? pre : "",
      error ? h("div.clow-error", { role: "alert" }, error) : "",
    );
  }

  function name() {
    // Only a dashboard is a page of its own; JupyterLab keeps its own title.
    if (document.body.dataset.voila && model.get("page_title")) document.title = model.get("page_title");
    if (document.body.dataset.voila && model.get("lang")) document.documentElement.lang = model.get("lang");
  }

  for (const trait of ["title", "kind", "description", "facts", "path", "code", "error", "labels"]) {
    model.on(`change:${trait}`, draw);
  }
  draw();
  name();
  return () => messages.close();
}

export default { render };
