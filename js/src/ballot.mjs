// Pure logic of the ballot: what a key asks for, which query comes next, which labels are offered for what is typed.

const LETTERS = { a: "a", b: "b", n: "neither", l: "label", s: "skip", u: "undo" };
const OTHERS = { ArrowDown: "down", ArrowUp: "up", PageDown: "next", PageUp: "previous", Home: "first", End: "last", "/": "search" };

/** What a key asks for; `""` for nothing. A letter counts by its place too, so that 한글 mode makes no difference. */
export function deedOf({ key, code = "", ctrlKey, metaKey, altKey, isComposing, keyCode }) {
  if (ctrlKey || metaKey || altKey || isComposing || keyCode === 229) return "";
  if (OTHERS[key]) return OTHERS[key];
  const typed = key?.length === 1 ? key.toLowerCase() : "";
  const letter = /^[a-z]$/.test(typed) ? typed : typed > "\u007f" ? code.replace(/^Key/, "").toLowerCase() : "";
  return LETTERS[letter] ?? "";
}

/** The place of the first query after `at` that nobody has voted on; -1 where there is none. */
export function nextOpen(rows, at = -1) {
  return rows.findIndex(({ vote }, index) => index > at && !vote);
}

/** The labels that fit what is typed: those that begin with it, then those that hold it. */
export function suggestions(known, typed, most = 8) {
  const plain = (text) => text.normalize("NFC").toLowerCase();
  const wanted = plain(typed.trim());
  const begin = known.filter((label) => plain(label).startsWith(wanted));
  const hold = known.filter((label) => !begin.includes(label) && plain(label).includes(wanted));
  return [...begin, ...hold].slice(0, most);
}

/** How sure: `0.93`; nothing where nobody knows. */
export function sureText(value) {
  return value === null || value === undefined ? "" : Number(value).toFixed(2);
}
