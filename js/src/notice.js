// A line that tells what happened elsewhere; nothing is drawn while there is nothing to tell.
import { h } from "./dom.mjs";
import { announce } from "./live.mjs";
import { createMessages } from "./messages.mjs";
import "./ui.css";

function render({ model, el }) {
  const labels = () => model.get("labels");
  const messages = createMessages(model, { labels });
  const live = announce(messages, () => true);
  let dismissed = "";
  el.classList.add("clow");
  el.setAttribute("role", "status");

  async function go() {
    try {
      await messages.request("go");
    } catch (error) {
      el.firstChild?.append(h("span.clow-bad", {}, error.message));
    }
  }

  function draw() {
    const text = model.get("text");
    if (!text || text === dismissed) return el.replaceChildren();
    const close = () => {
      dismissed = text;
      draw();
    };
    const button = h("button.clow-button", { type: "button", onclick: go }, model.get("label"));
    const cross = h("button.clow-cross", { type: "button", onclick: close, "aria-label": labels().dismiss, title: labels().dismiss }, "×");
    el.replaceChildren(h("div.clow-notice", {}, h("span", {}, text), button, cross));
  }

  model.on("change:text change:label", draw);
  draw();
  return () => {
    model.off("change:text change:label", draw);
    live.close();
    messages.close();
  };
}

export default { render };
