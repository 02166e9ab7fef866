// Text with marked parts: offsets count code points, as Python does; JavaScript counts halves of some of them.

/** Code point offsets as offsets of a JavaScript string; those beyond its end are its end. */
export function unitsOf(text, offsets) {
  const wanted = [...new Set(offsets)].sort((a, b) => a - b);
  const found = new Map();
  let unit = 0;
  let point = 0;
  for (const offset of wanted) {
    while (point < offset && unit < text.length) {
      unit += text.codePointAt(unit) > 0xffff ? 2 : 1;
      point++;
    }
    found.set(offset, unit);
  }
  return found;
}

/** The text in pieces `{text, spans}`, cut wherever a span begins or ends; `spans` are the places of those that cover it. */
export function segments(text, spans) {
  const units = unitsOf(text, spans.flatMap(({ start, end }) => [start, end]));
  const cuts = [...new Set([0, ...units.values(), text.length])].sort((a, b) => a - b);
  const pieces = [];
  for (let n = 0; n + 1 < cuts.length; n++) {
    const covering = spans.flatMap(({ start, end }, place) =>
      units.get(start) <= cuts[n] && units.get(end) >= cuts[n + 1] && start < end ? [place] : [],
    );
    pieces.push({ text: text.slice(cuts[n], cuts[n + 1]), spans: covering });
  }
  return pieces;
}

// What can't be seen and may deceive: named, so that it is seen.
const NAMES = {
  0x7f: "DEL", 0xa0: "NBSP", 0xad: "SHY", 0x61c: "ALM", 0x115f: "HCF", 0x1160: "HJF", 0x180e: "MVS",
  0x200b: "ZWSP", 0x200c: "ZWNJ", 0x200d: "ZWJ", 0x200e: "LRM", 0x200f: "RLM", 0x2028: "LSEP", 0x2029: "PSEP",
  0x202a: "LRE", 0x202b: "RLE", 0x202c: "PDF", 0x202d: "LRO", 0x202e: "RLO", 0x2060: "WJ",
  0x2066: "LRI", 0x2067: "RLI", 0x2068: "FSI", 0x2069: "PDI", 0x3000: "IDSP", 0x3164: "HF", 0xfeff: "BOM", 0xffa0: "HHF", 0xfffd: "?",
}; // prettier-ignore
const CONTROLS = "NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US".split(" ");
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u00a0\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\u3000\u3164\ufeff\uffa0\ufffd\u{e0000}-\u{e007f}]/gu;
const PICTOGRAPH = /\p{Extended_Pictographic}\ufe0f?\p{Emoji_Modifier}?$/u;

/** The text in pieces `{text}` and `{text, name}`: those with a name can't be seen otherwise. A joiner inside of an emoji is none. */
export function visible(text) {
  const pieces = [];
  let from = 0;
  for (const { 0: character, index } of text.matchAll(HIDDEN)) {
    const code = character.codePointAt(0);
    if (code === 0x0d && text[index + 1] === "\n") continue;
    if (code === 0x200d && PICTOGRAPH.test(text.slice(Math.max(0, index - 8), index))) continue;
    if (index > from) pieces.push({ text: text.slice(from, index) });
    const name = NAMES[code] ?? CONTROLS[code] ?? `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    pieces.push({ text: character, name });
    from = index + character.length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** How many characters a text has, as Python counts them. */
export function countPoints(text) {
  let count = text.length;
  for (let unit = 0; unit < text.length; unit++) {
    const code = text.charCodeAt(unit);
    if (code >= 0xd800 && code < 0xdc00 && (text.charCodeAt(unit + 1) & 0xfc00) === 0xdc00) count--;
  }
  return count;
}
