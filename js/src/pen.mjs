// What a key means to somebody who selects cells, and to somebody who writes in one.

const LEAVES = { Enter: "Enter", Tab: "Tab" };
const STEPS = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]);

/**
 * While cells are selected: `{do, ...}`, or `null` where the browser shall do what it does (a letter begins to write, Ctrl+C copies).
 * A key that belongs to a composition (Hangul) is always the browser's.
 */
export function selecting(event) {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (composing(event) || altKey) return null;
  if (ctrlKey || metaKey) {
    const lower = key.toLowerCase();
    if (lower === "z") return { do: shiftKey ? "redo" : "undo" };
    if (lower === "y") return { do: "redo" };
    return lower === "a" || STEPS.has(key) || key === "Home" || key === "End" ? { do: "move" } : null;
  }
  if (key === "F2") return { do: "edit" };
  if (key === "Delete" || key === "Backspace") return { do: "clear" };
  if (key === "Escape") return { do: "collapse" };
  return STEPS.has(key) || LEAVES[key] || ["Home", "End", "PageUp", "PageDown"].includes(key) ? { do: "move" } : null;
}

/**
 * While a cell is written: Enter and Tab take it and go on, Escape leaves it as it was, Alt+Enter is a line break. Arrows leave a cell that
 * was begun by typing (`typed`), and move through the text of one that was opened; with choices shown they choose.
 */
export function writing(event, { typed = false, choosing = false } = {}) {
  const { key, altKey, ctrlKey, metaKey } = event;
  if (composing(event)) return null;
  if (key === "Escape") return { do: "cancel" };
  if (key === "Enter" && (altKey || ctrlKey || metaKey)) return { do: "break" };
  if (LEAVES[key]) return { do: "take", then: key };
  if (choosing && (key === "ArrowUp" || key === "ArrowDown")) return { do: "choose", by: key === "ArrowDown" ? 1 : -1 };
  return typed && STEPS.has(key) && !ctrlKey && !metaKey ? { do: "take", then: key } : null;
}

function composing({ isComposing, keyCode }) {
  return Boolean(isComposing) || keyCode === 229;
}

/** The choices that hold what was typed, those that begin with it first; Hangul is found composed or decomposed, in any case. */
export function choicesFor(text, choices, most = 8) {
  const wanted = fold(text);
  const found = choices.map((choice) => ({ choice, at: fold(choice.text).indexOf(wanted) })).filter(({ at }) => at >= 0);
  found.sort((a, b) => Math.min(a.at, 1) - Math.min(b.at, 1) || b.choice.count - a.choice.count);
  return found.slice(0, most).map(({ choice }) => choice);
}

function fold(text) {
  return text.normalize("NFC").toLowerCase();
}
