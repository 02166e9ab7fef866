// A CodeMirror editor in the colours of the page: Python, or the lines of a requirements.txt.
import { indentWithTab } from "@codemirror/commands";
import { python } from "@codemirror/lang-python";
import { HighlightStyle, StreamLanguage, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, EditorView, keymap } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";
import { requirementToken } from "./requirements.mjs";

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--clow-muted)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: "var(--clow-code-keyword)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--clow-code-text)" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], color: "var(--clow-code-value)" },
  { tag: [tags.function(tags.definition(tags.variableName)), tags.definition(tags.className), tags.meta], color: "var(--clow-accent)" },
]);

const theme = EditorView.theme({
  "&": { backgroundColor: "var(--clow-surface)", color: "var(--clow-text)", fontSize: "13px", height: "100%" },
  ".cm-scroller": { fontFamily: "var(--clow-mono)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--clow-text)" },
  ".cm-cursor": { borderLeftColor: "var(--clow-text)" },
  ".cm-gutters": { backgroundColor: "var(--clow-soft)", borderRight: "1px solid var(--clow-line)", color: "var(--clow-muted)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--clow-hover)" },
  "&.cm-focused": { outline: "none" },
  ".cm-faulty": { backgroundColor: "color-mix(in srgb, var(--clow-bad) 14%, transparent)", boxShadow: "inset 3px 0 var(--clow-bad)" },
  ".cm-panels": { backgroundColor: "var(--clow-soft)", color: "var(--clow-text)" },
});

const mark = StateEffect.define();
const faulty = StateField.define({
  create: () => Decoration.none,
  update(marked, transaction) {
    for (const effect of transaction.effects) {
      if (!effect.is(mark)) continue;
      const line = effect.value;
      if (!line || line > transaction.state.doc.lines) return Decoration.none;
      const at = transaction.state.doc.line(line).from;
      return Decoration.set([Decoration.line({ class: "cm-faulty" }).range(at)]);
    }
    return transaction.docChanged ? Decoration.none : marked;
  },
  provide: (field) => EditorView.decorations.from(field),
});

const LANGUAGES = {
  python: () => [python(), indentUnit.of("    ")],
  requirements: () => StreamLanguage.define({ name: "requirements", token: requirementToken }),
};

/** An editor in `parent`; `changed(text)` hears what is typed, `saved()` Ctrl+S. */
export function createEditor(parent, { language, label, phrases, changed, saved }) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        basicSetup,
        keymap.of([{ key: "Mod-s", preventDefault: true, run: () => (saved(), true) }, indentWithTab]),
        LANGUAGES[language](),
        syntaxHighlighting(colours),
        theme,
        faulty,
        EditorState.phrases.of(phrases),
        EditorView.contentAttributes.of({ "aria-label": label }),
        EditorView.updateListener.of((update) => update.docChanged && changed(view.state.doc.toString())),
      ],
    }),
  });
  return {
    text: () => view.state.doc.toString(),
    show(text) {
      if (text === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    mark(line) {
      const known = line && line <= view.state.doc.lines;
      const effects = [mark.of(line)];
      if (known) effects.push(EditorView.scrollIntoView(view.state.doc.line(line).from, { y: "center" }));
      view.dispatch({ effects });
    },
    measure: () => view.requestMeasure(),
    focus: () => view.focus(),
    close: () => view.destroy(),
  };
}
