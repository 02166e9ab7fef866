// Keys …: what the documents have: add a key, give it another name, another type, or remove it.
import { choice, kindsOf, line } from "./card.mjs";
import { h } from "./dom.mjs";

/** Adds to the sheet `openKeys`. */
export function attachKeys(sheet) {
  const { labels, model } = sheet;
  const number = (many) => many.toLocaleString(model.get("lang"));
  const words = (name, values = {}) => Object.entries(values).reduce((text, [key, value]) => text.replace(`{${key}}`, value), labels()[name] ?? "");
  const button = (name, act, style = "") => h(`button.clow-button${style}`, { type: "button", onclick: act }, labels()[name]);

  function openKeys() {
    const name = h("input.clow-input", { type: "text", autocomplete: "off", "aria-label": labels().key_name, placeholder: labels().key_name });
    const kind = choice(kindsOf(labels()), { "aria-label": labels().type });
    const value = h("input.clow-input", { type: "text", autocomplete: "off", "aria-label": labels().default_value, placeholder: labels().default_value });
    const add = h("button.clow-button.clow-primary", { type: "submit" }, labels().add);
    const list = h("div.clow-keylist");
    const card = sheet.card(labels().keys_title, h("div.clow-keylist-add", {}, name, kind, value, add), list);

    async function act(does, payload, { show = true } = {}) {
      const answer = await sheet.ask("key", { does, ...payload });
      if (!answer) return false;
      sheet.adopt(answer);
      if (show && card.there()) draw();
      return true;
    }

    card.el.addEventListener("submit", async () => {
      const text = value.value === "" ? null : value.value;
      if (!(await act("add", { key: name.value, kind: kind.value, text }))) return;
      name.value = value.value = "";
      list.scrollTop = list.scrollHeight;
      name.focus();
    });

    function draw() {
      list.replaceChildren(...sheet.columns().filter(({ role }) => role !== "id").map(row));
    }

    function row(column) {
      const { key, editable } = column;
      const el = h("div.clow-keyline", { "data-key": key });
      const back = () => el.replaceWith(row(column));
      const tool = (name, parts) => button(name, () => el.replaceChildren(...parts()));
      const rest = h(
        "span.clow-keyline-tools",
        {},
        tool("rename", () => renaming(key, back)),
        tool("retype", () => retyping(column, back)),
        tool("drop", () => dropping(key, back)),
      );
      const kind = labels().kinds?.[column.kind === "moment" ? "datetime" : column.kind] ?? column.kind;
      el.append(h("span.clow-keyline-name", { title: key }, column.name), h("span.clow-muted", {}, kind), editable ? rest : h("span.clow-muted", {}, column.fixed ?? labels().fixed));
      return el;
    }

    function renaming(key, back) {
      const to = h("input.clow-input", { type: "text", value: key, autocomplete: "off", "aria-label": labels().key_name });
      const done = () => act("rename", { key, to: to.value });
      to.addEventListener("keydown", (event) => {
        if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
        event.preventDefault();
        event.stopPropagation();
        if (event.key === "Enter") done();
        else back();
      });
      setTimeout(() => to.select());
      return [to, button("rename", done, ".clow-primary"), button("cancel", back)];
    }

    // What would not convert is counted first; what becomes of it is asked where there is some.
    function retyping({ key, kind }, back) {
      const to = choice(Object.entries(labels().types ?? {}), { "aria-label": labels().type });
      if (kind in (labels().types ?? {})) to.value = kind;
      const rest = choice(["keep", "null", "unset"].map((way) => [way, labels()[`else_${way}`]]), { hidden: "", "aria-label": labels().else_title });
      const says = h("span.clow-card-says", { "aria-live": "polite" });
      const go = button("retype_do", () => act("retype", { key, kind: to.value, errors: rest.hidden ? "raise" : rest.value }), ".clow-primary");
      async function look() {
        says.textContent = labels().counting;
        go.disabled = true;
        const answer = await sheet.ask("trial", { key, kind: to.value });
        if (!answer || !says.isConnected) return;
        const { count, bad, such } = answer;
        rest.hidden = !bad;
        go.disabled = !count;
        says.textContent = bad ? words("misfits", { bad: number(bad), count: number(count), such }) : words("all_fit", { count: number(count) });
      }
      to.addEventListener("change", look);
      setTimeout(look);
      return [h("span.clow-keyline-name", {}, key), to, says, rest, go, button("cancel", back)];
    }

    function dropping(key, back) {
      return [h("span", {}, words("drop_sure", { key })), button("drop", () => act("drop", { key }), ".clow-danger"), button("cancel", back)];
    }

    draw();
    name.focus();
  }

  Object.assign(sheet, { openKeys });
}
