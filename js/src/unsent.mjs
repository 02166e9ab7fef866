// What was typed and has not reached the kernel: kept by the browser until the kernel has said that it has it.
//
// Each page has a box of its own for a dataset; a reload of the page finds it again, and so does the same cell of a notebook run once more.

const BOX = "clow:unsent";
const MOST = 2_000_000; // characters; a browser keeps some five million for all pages together

/** The id of this browser page, which a reload leaves as it is. */
export function pageId(session = globalThis.sessionStorage) {
  try {
    const known = session.getItem("clow:page");
    if (known) return known;
    const made = Math.random().toString(16).slice(2, 10) + Date.now().toString(16);
    session.setItem("clow:page", made);
    return made;
  } catch {
    return ""; // a browser that keeps nothing
  }
}

/**
 * The box of a page for a dataset: `put(cells)`, `done(cells)`, `cells()`, `at()`, `clear()`, and `others()`: boxes that other pages left.
 *
 * `cells` are `[[id, key, text], …]`; of two texts for one cell the later one stays. `told` is called when something changes.
 */
export function openBox(place, page, { storage = globalThis.localStorage, now = Date.now, told = () => {} } = {}) {
  const name = `${BOX}:${place}:${page}`;

  function read(from = name) {
    try {
      const kept = JSON.parse(storage.getItem(from) ?? "null");
      return Array.isArray(kept?.cells) ? kept : { at: 0, cells: [] };
    } catch {
      return { at: 0, cells: [] };
    }
  }

  function write(cells) {
    try {
      const text = JSON.stringify({ at: now(), cells });
      if (!cells.length) storage.removeItem(name);
      else if (text.length <= MOST) storage.setItem(name, text);
      else return false;
    } catch {
      return false;
    }
    told();
    return true;
  }

  const put = (cells) => {
    const all = new Map([...read().cells, ...cells].map((cell) => [JSON.stringify(cell.slice(0, 2)), cell]));
    return write([...all.values()]);
  };

  const done = (cells) => {
    const sent = new Set(cells.map((cell) => JSON.stringify(cell)));
    const left = read().cells;
    if (left.some((cell) => sent.has(JSON.stringify(cell)))) write(left.filter((cell) => !sent.has(JSON.stringify(cell))));
  };

  function others() {
    const found = [];
    for (let index = 0; index < (storage?.length ?? 0); index++) {
      const key = storage.key(index);
      if (key.startsWith(`${BOX}:${place}:`) && key !== name) found.push({ name: key, ...read(key) });
    }
    return found.filter(({ cells }) => cells.length).sort((a, b) => b.at - a.at);
  }

  /** Puts what another page left into this box. */
  const adopt = (other) => put(read(other).cells) && storage.removeItem(other);
  const drop = (other) => storage.removeItem(other);

  return { put, done, cells: () => read().cells, at: () => read().at, clear: () => write([]), others, adopt, drop };
}

/** The cells that a message to the kernel writes, by the ids of their rows; `untouched` marks those of a block that are left alone. */
export function cellsOf(type, message, idAt, untouched) {
  const cells = [];
  const put = (row, key, text) => text !== untouched && idAt(row) && cells.push([idAt(row), key, text]);
  if (type === "write") for (const [row, key, text] of message.cells) put(row, key, text);
  if (type === "paste") message.texts.forEach((texts, down) => texts.forEach((text, across) => put(message.top + down, message.keys[across], text)));
  if (type === "clear") for (let row = message.top; row <= message.bottom; row++) for (const key of message.keys) put(row, key, null);
  return cells;
}

const NUMERAL = /^-?(0|[1-9]\d{0,14})(\.\d{1,15})?$/;

/** The same as Python: texts and plain numbers as they are, all else read as the page would read it. */
export function asPython(cells, kinds, dataset) {
  const read = ([, key, text]) => (NUMERAL.test(text) && kinds[key] === "number" ? text : `read(${JSON.stringify(text)}, ${JSON.stringify(kinds[key] ?? "json")})`);
  const line = (cell) => {
    const [id, key, text] = cell;
    const target = `${JSON.stringify(id)}, ${JSON.stringify(key)}`;
    if (text === null || text === "") return `edit.unset(${target})`;
    return `edit.set(${target}, ${kinds[key] === "text" ? JSON.stringify(text) : read(cell)})`;
  };
  const lines = cells.map(line);
  const head = lines.some((text) => text.includes("read(")) ? ["from clow_nb.ui.typed import read", ""] : [];
  return [...head, `edit = ${dataset}.edit()`, ...lines, "edit.commit()"].join("\n");
}
