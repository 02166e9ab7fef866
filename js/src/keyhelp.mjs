// What the keys do, behind a question mark.
import { h } from "./dom.mjs";

/** A button that shows the keys; `labels().keyboard` are `[keys, what they do]`. */
export function keyHelp(sheet) {
  const { labels } = sheet;
  const show = () => sheet.card(labels().help_title, h("dl.clow-help", {}, ...(labels().keyboard ?? []).flatMap(([keys, does]) => [h("dt", {}, ...keys.split(" / ").map((one) => h("kbd", {}, one))), h("dd", {}, does)])));
  return h("button.clow-button.clow-ask", { type: "button", title: labels().help_title, "aria-label": labels().help_title, onclick: show }, "?");
}
