// Pure logic of the statistics: which lines, in which order, how tall a bar, what a figure says.

/** The lines whose key holds all words, in NFC and without case. */
export function findLines(lines, words) {
  const wanted = plain(words).split(/\s+/).filter(Boolean);
  return wanted.length ? lines.filter(({ key }) => wanted.every((word) => plain(key).includes(word))) : lines;
}

function plain(text) {
  return text.normalize("NFC").toLowerCase();
}

/** The lines by a column, `sign` 1 or -1; by none, as the keys came. What has no figure is last either way. */
export function sortLines(lines, column, sign) {
  if (!column) return lines;
  const figure = ({ key, distance, sides }) => (column === "key" ? plain(key) : column === "distance" ? distance : sides.at(-1)[column]);
  const known = lines.filter((line) => isKnown(figure(line)));
  known.sort((a, b) => sign * (figure(a) < figure(b) ? -1 : figure(a) > figure(b) ? 1 : 0));
  return [...known, ...lines.filter((line) => !isKnown(figure(line)))];
}

function isKnown(figure) {
  return figure !== null && figure !== undefined;
}

/** The next order of a column: first the way that is looked for most, then the other, then none. */
export function nextOrder(column, [current, sign]) {
  const first = column === "key" ? 1 : -1;
  if (current !== column) return [column, first];
  return sign === first ? [column, -first] : ["", 1];
}

/**
 * The heights of the bars of each side, 0 to 1, over the same places: by count for one side, by share for two, so that a small
 * split can be laid over a large one.
 */
export function heights(sides) {
  const shares = sides.map(({ bars }) => {
    const total = sides.length > 1 ? bars.reduce((sum, [, count]) => sum + count, 0) || 1 : 1;
    return bars.map(([, count]) => count / total);
  });
  const most = Math.max(...shares.flat(), 0) || 1;
  return shares.map((side) => side.map((share) => share / most));
}

/** The words of a bar: "1,234 documents (12.3 %)", a part for each side. */
export function barText(sides, place, totals, labels, locale) {
  const [text] = (sides[0].bars[place] ?? sides[1]?.bars[place]);
  const parts = sides.map(({ bars }, side) => {
    const count = bars[place]?.[1] ?? 0;
    const said = (labels.documents ?? "{count}").replace("{count}", count.toLocaleString(locale));
    return `${sides.length > 1 ? `${"AB"[side]}: ` : ""}${said} (${percent(count, totals[side], locale)})`;
  });
  return [text, parts.join(" · ")];
}

/** "12.3 %" of a total; what is there but tiny is never 0. */
export function percent(count, total, locale) {
  const share = total ? count / total : 0;
  if (share > 0 && share < 0.001) return "< 0.1 %";
  return `${(100 * share).toLocaleString(locale, { maximumFractionDigits: 1 })} %`;
}

/** Whether a figure of two sides differs in a way that should be seen: its value, or its share where the sides are of different size. */
export function differs(column, [a, b], totals) {
  if (totals[0] === totals[1]) return a[column] !== b[column];
  if (column === "distinct") return false;
  return Math.abs(a[column] / (totals[0] || 1) - b[column] / (totals[1] || 1)) >= 0.01;
}

/** A text whose spaces at the ends, and line breaks, can be seen. */
export function visible(text) {
  return text.replace(/^[^\S\n]+|[^\S\n]+$/g, (spaces) => "␣".repeat(spaces.length)).replace(/\r?\n/g, "↵");
}

/** The left and the right end of a histogram, from the words of its first and last bar. */
export function ends(bars) {
  if (!bars.length) return ["", ""];
  return [bars[0][0].split(" – ")[0], bars.at(-1)[0].split(" – ").at(-1)];
}
