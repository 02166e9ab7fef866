// JSON while it is typed: whether it is some, and where it stops being some.

/** `{ok}`, and for a text that begins as JSON and is none `{ok: false, line, column}`. Other text is text. */
export function lint(text) {
  if (!/^\s*[[{"]/.test(text)) return { ok: true };
  try {
    JSON.parse(text);
    return { ok: true };
  } catch (error) {
    const found = /position (\d+)/.exec(error.message);
    const before = text.slice(0, found ? Number(found[1]) : text.length);
    return { ok: false, line: before.split("\n").length, column: before.length - before.lastIndexOf("\n") };
  }
}

/** JSON set out over lines where it is long; a text that is none stays. */
export function pretty(text, width = 60) {
  if (text.length <= width || !lint(text).ok || !/^\s*[[{]/.test(text)) return text;
  return exact(text) ? JSON.stringify(JSON.parse(text), null, 2) : text;
}

// A number with more digits than JavaScript keeps would come back as another one.
function exact(text) {
  return !/\d{16}/.test(text);
}

/** The line break after `at` in a text, with as many spaces as the line before it has, and two more inside of a bracket. */
export function lineBreak(text, at) {
  const line = text.slice(0, at).split("\n").at(-1);
  const indent = /^ */.exec(line)[0];
  return `\n${indent}${/[[{]\s*$/.test(line) ? "  " : ""}`;
}
