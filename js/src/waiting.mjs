// Keys that were changed in very many rows at once: nothing is found by them until the commit. Who filters or sorts by one gets a way on.
import { h } from "./dom.mjs";

/** Adds a button to the foot that takes such filters and sorts away. */
export function attachWaiting(sheet) {
  const { model, api, labels } = sheet;
  const free = h("button.clow-button", { type: "button", hidden: true, onclick: go });
  sheet.foot.insertBefore(free, sheet.toRefused);

  function found() {
    const waiting = sheet.columns().filter((column) => column.waiting).map(({ key }) => key);
    const used = new Set([...Object.keys(model.get("filters") ?? {}), ...model.get("sort").map(([key]) => key)]);
    return waiting.filter((key) => used.has(key));
  }

  function tell() {
    const keys = found();
    free.hidden = !keys.length;
    free.textContent = (labels().free ?? "").replace("{keys}", keys.join(", "));
  }

  function go() {
    const keys = new Set(found());
    const rest = Object.entries(model.get("filters") ?? {}).filter(([key]) => !keys.has(key));
    model.set("filters", Object.fromEntries(rest));
    model.save_changes();
    const places = sheet.columns().flatMap(({ key }, index) => (keys.has(key) ? [{ colId: `c${index}`, sort: null }] : []));
    api.applyColumnState({ state: places });
    tell();
  }

  model.on("change:columns change:filters change:sort", tell);
  tell();
}
