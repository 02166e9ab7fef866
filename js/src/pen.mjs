// What a key means to somebody who selects cells, and to somebody who writes in one.

const LEAVES = { Enter: "Enter", Tab: "Tab" };
const STEPS = new Set(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]);
const JUMPS = new Set(["Home", "End", "PageUp", "PageDown"]);
const WITH_CTRL = { z: "undo", y: "redo", d: "fill" };

/** A key that belongs to a composition (Hangul) is always the browser's. */
export function composing({ isComposing, keyCode }) {
  return Boolean(isComposing) || keyCode === 229;
}

/** The letter of a shortcut, also where the keyboard writes Hangul: then `key` is ㅋ and only `code` knows the Z. */
export function letterOf({ key, code = "" }) {
  return /^[a-z]$/i.test(key) || !code.startsWith("Key") ? key.toLowerCase() : code[3].toLowerCase();
}

/**
 * While cells are selected: `{do, ...}`, or `null` where the browser shall do what it does (a letter begins to write, Ctrl+C copies).
 * `kind` is that of the column.
 */
export function selecting(event, kind = "text") {
  const { key, ctrlKey, metaKey, altKey, shiftKey } = event;
  if (composing(event)) return null;
  if (altKey) return key === "ArrowDown" ? { do: "edit" } : null;
  if (ctrlKey || metaKey) return withCtrl(letterOf(event), key, shiftKey);
  if (key === " ") return { do: shiftKey ? "tick" : kind === "bool" ? "toggle" : "look" };
  if (key === "F2") return { do: "edit" };
  if (key === "Delete" || key === "Backspace") return { do: "clear" };
  if (key === "Escape") return { do: "collapse" };
  return STEPS.has(key) || LEAVES[key] || JUMPS.has(key) ? { do: "move" } : null;
}

function withCtrl(letter, key, shiftKey) {
  if (letter === "z" && shiftKey) return { do: "redo" };
  if (WITH_CTRL[letter]) return { do: WITH_CTRL[letter] };
  return letter === "a" || STEPS.has(key) || key === "Home" || key === "End" ? { do: "move" } : null;
}

/**
 * While a cell is written: Enter and Tab take it and go on, Escape leaves it as it was, Alt+Enter is a line break. Arrows leave a cell that
 * was begun by typing (`typed`), and move through the text of one that was opened.
 */
export function writing(event, { typed = false } = {}) {
  const { key, altKey, ctrlKey, metaKey } = event;
  if (composing(event)) return null;
  if (key === "Escape") return { do: "cancel" };
  if (key === "Enter" && (altKey || ctrlKey || metaKey)) return { do: "break" };
  if (LEAVES[key]) return { do: "take", then: key };
  return typed && STEPS.has(key) && !ctrlKey && !metaKey ? { do: "take", then: key } : null;
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

/** Where a pen and what helps it lie in a frame of `width` and `height`, both over a cell and nothing of them outside where it fits. */
export function laid({ x, y, height }, pen, help, frame, gap = 2) {
  const inside = (at, size, room) => Math.max(0, Math.min(at, room - size));
  const left = inside(x, pen.width, frame.width);
  const below = y + pen.height + gap;
  const fits = below + help.height <= frame.height;
  const above = y - help.height - gap;
  const top = fits || above < 0 ? inside(y, pen.height, Math.max(frame.height, y + height)) : y;
  return { left, top, helpLeft: inside(left, help.width, frame.width), helpTop: fits || above < 0 ? top + pen.height + gap : above };
}
