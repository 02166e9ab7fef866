// Set …: one value for many rows at once: those ticked, else those of the block. How many is said before it is done.
import { choice, kindsOf, line } from "./card.mjs";
import { h } from "./dom.mjs";
import { helperFor } from "./helpers.mjs";
import { composing } from "./pen.mjs";

const NEW = "\u0000new";

/** Adds to the sheet `openSet`. */
export function attachSetting(sheet) {
  const { labels, model } = sheet;
  const number = (many) => many.toLocaleString(model.get("lang"));

  function openSet() {
    const target = sheet.targetNow();
    if (!target) return sheet.complain(labels().none_chosen);
    const columns = sheet.columns().filter(({ editable }) => editable);
    const focus = sheet.selection && sheet.columns()[sheet.placeOf(sheet.selection.focus.col)];
    const key = choice([...columns.map((column) => [column.key, column.name]), [NEW, labels().new_key]]);
    const name = h("input.clow-input", { type: "text", placeholder: labels().key_name, autocomplete: "off" });
    const kind = choice(kindsOf(labels()));
    const area = h("textarea.clow-input", { rows: 1, spellcheck: "false", "aria-label": labels().value });
    const gone = h("input", { type: "checkbox" });
    const help = h("div.clow-set-help");
    const says = h("div.clow-card-says", { "aria-live": "polite" });
    const go = h("button.clow-button.clow-primary", { type: "submit" }, labels().set_do);
    const fresh = h("span.clow-card-pair", { hidden: true }, name, kind);
    const card = sheet.card(
      labels().set_title,
      line(labels().key, key, fresh),
      line(labels().value, area),
      help,
      h("label.clow-card-check", {}, gone, labels().set_missing),
      says,
      h("div.clow-card-foot", {}, go),
    );
    let helper = null;

    const isNew = () => key.value === NEW;
    const kindNow = () => (isNew() ? kind.value : columns.find((column) => column.key === key.value)?.kind);
    const wanted = () => {
      const text = gone.checked ? null : (helper?.text() ?? area.value);
      return { target, key: isNew() ? name.value : key.value, kind: isNew() ? kind.value : null, text: text === "" ? null : text };
    };

    function turn() {
      fresh.hidden = !isNew();
      area.value = "";
      const choices = async () => (isNew() ? [] : sheet.choices(key.value, kindNow()));
      const options = { pen: area, labels, lang: model.get("lang"), choices, take: () => (count(), go.focus()), place: () => {} };
      helper = helperFor(kindNow(), options);
      help.replaceChildren(...(helper ? [helper.el] : []));
      helper?.start("");
      count();
    }

    // What is asked last is what is answered last.
    let asked = 0;
    async function count() {
      const mine = ++asked;
      const answer = await sheet.ask("count", wanted());
      if (!answer || mine !== asked || !card.there()) return;
      card.complain(answer.problem ?? "");
      const empty = wanted().text === null && !gone.checked;
      go.disabled = Boolean(answer.problem) || !answer.count || (empty && !isNew());
      const words = empty ? labels().set_chosen : gone.checked ? labels().set_unsets : labels().set_counts;
      const bulk = answer.bulk ? ` ${(labels().set_bulk ?? "").replace("{key}", wanted().key)}` : "";
      says.textContent = answer.problem ? "" : words.replace("{count}", number(answer.count)) + bulk;
    }

    async function done() {
      clearTimeout(timer);
      const mine = asked + 1;
      await count(); // what was typed just now
      if (mine !== asked || go.disabled) return;
      const answer = await sheet.ask("set", wanted());
      if (!answer) return;
      card.close();
      sheet.adopt(answer);
      sheet.say((labels().set_done ?? "").replace("{count}", number(answer.count)));
    }

    let timer;
    // What was typed last is checked when it is done too, so nothing keeps anybody from pressing Enter at once.
    const soon = () => ((go.disabled = false), clearTimeout(timer), (timer = setTimeout(count, 250)));
    area.addEventListener("input", () => (helper?.update(), (gone.checked = false), soon()));
    area.addEventListener("keydown", (event) => {
      if (composing(event)) return;
      if (helper?.key(event)) return event.preventDefault(), soon();
      if (event.key === "Enter" && !event.altKey && !event.shiftKey) return event.preventDefault(), done();
    });
    gone.addEventListener("change", count);
    name.addEventListener("input", soon);
    kind.addEventListener("change", turn);
    key.addEventListener("change", turn);
    card.el.addEventListener("submit", done);

    if (focus?.editable) key.value = focus.key;
    turn();
    area.focus();
  }

  Object.assign(sheet, { openSet });
}
