// The field under a header: Enter applies what was typed, Escape takes it away, and what was chosen is said in words.
import { h } from "./dom.mjs";
import { hintOf, shownText, wordsFor } from "./filters.mjs";

/** AG Grid wants a filter for a field; ours are the kernel's, so this one lets all through. */
export class Passing {
  init() {
    this.gui = h("div");
  }
  getGui() {
    return this.gui;
  }
  isFilterActive() {
    return false;
  }
  doesFilterPass() {
    return true;
  }
  getModel() {
    return null;
  }
  setModel() {}
}

const CHOSEN = new Set(["text", "bool", "list"]);

/**
 * The class of the fields of one grid.
 *
 * `apply(key, text)` asks the kernel and gives the sentence that refuses, or ""; `pick(key, field)` opens the choice of values.
 */
export function headFilter({ model, labels, apply, pick, refuse }) {
  return class HeadFilter {
    init(params) {
      this.field = h("input.clow-filter-text", { type: "text", spellcheck: "false", autocomplete: "off" });
      this.chooser = h("button.clow-filter-pick", { type: "button", tabindex: "-1", "aria-haspopup": "dialog" }, "▾");
      this.clearer = h("button.clow-filter-clear", { type: "button", tabindex: "-1" }, "×");
      this.gui = h("div.clow-filter", { role: "group" }, this.field, this.clearer, this.chooser);
      this.field.addEventListener("keydown", (event) => this.hear(event));
      this.field.addEventListener("input", () => this.touched());
      this.field.addEventListener("click", () => this.field.readOnly && this.open());
      this.chooser.addEventListener("click", () => this.open());
      this.clearer.addEventListener("click", () => (this.take(""), this.field.focus()));
      this.renew = () => this.draw();
      model.on("change:filters", this.renew);
      this.refresh(params);
    }
    getGui() {
      return this.gui;
    }
    refresh({ column }) {
      this.column = model.get("columns")[Number(column.getColId().slice(1))];
      if (this.column) this.draw();
    }
    onParentModelChanged() {}
    destroy() {
      model.off("change:filters", this.renew);
    }

    draw() {
      const { key, name, kind, role, waiting } = this.column;
      const words = labels();
      const { text, typed } = shownText(this.applied(), wordsFor(kind, words));
      this.field.value = text;
      this.field.title = waiting ?? (typed ? "" : text);
      this.field.readOnly = !typed;
      this.field.disabled = this.chooser.disabled = Boolean(waiting);
      this.field.placeholder = hintOf(this.column, words);
      this.field.setAttribute("aria-label", (words.filterOf ?? "{name}").replace("{name}", name));
      this.chooser.setAttribute("aria-label", (words.choose ?? "{name}").replace("{name}", name));
      this.chooser.title = (words.choose ?? "{name}").replace("{name}", name);
      this.chooser.hidden = key === "_id" || !(CHOSEN.has(kind) || role === "label");
      this.gui.classList.toggle("clow-filter-few", role === "label" || kind === "bool");
      this.clearer.title = words.clear ?? "";
      this.clearer.setAttribute("aria-label", `${words.clear ?? ""}: ${name}`);
      this.gui.classList.toggle("clow-filter-set", Boolean(this.applied()));
      this.touched();
    }
    applied() {
      return model.get("filters")[this.column.key] ?? "";
    }
    touched() {
      const pending = !this.field.readOnly && this.field.value.trim() !== this.applied();
      this.gui.classList.toggle("clow-filter-pending", pending);
      this.clearer.hidden = !this.applied() && !this.field.value;
      this.refused("");
    }
    hear(event) {
      if (event.isComposing || event.keyCode === 229) return;
      if (event.key === "Enter" && !this.field.readOnly) this.take(this.field.value.trim());
      else if (event.key === "Escape" && (this.applied() || this.field.value)) this.take("");
      else if ((event.key === "ArrowDown" && event.altKey) || (event.key === "Enter" && this.field.readOnly)) this.open();
      else if (this.field.readOnly && ["Backspace", "Delete"].includes(event.key)) this.take("");
      else return;
      event.preventDefault();
      event.stopPropagation();
    }
    open() {
      if (!this.chooser.hidden && !this.chooser.disabled) pick(this.column, this.field);
    }
    async take(text) {
      if (text === "") this.field.value = "";
      if (text === this.applied()) return this.draw();
      this.gui.classList.add("clow-filter-busy");
      const sentence = await apply(this.column.key, text);
      this.gui.classList.remove("clow-filter-busy");
      this.refused(sentence);
    }
    refused(sentence) {
      const before = this.gui.classList.toggle("clow-filter-refused", Boolean(sentence));
      this.field.setAttribute("aria-invalid", String(before));
      refuse(this.field, sentence);
    }
  };
}
