// Texts that cells did not take: kept by `_id` and key, so that they are still there after sorting, with the sentence that says why.

export function createRefusals() {
  const kept = new Map(); // _id → key → {text, sentence, row}

  function put(id, key, refusal) {
    if (!kept.has(id)) kept.set(id, new Map());
    kept.get(id).set(key, refusal);
  }

  function drop(id, key) {
    const there = kept.get(id);
    if (there?.delete(key) && !there.size) kept.delete(id);
  }

  const get = (id, key) => kept.get(id)?.get(key);
  const list = () => [...kept.values()].flatMap((there) => [...there].map(([key, refusal]) => ({ key, ...refusal })));
  const size = () => [...kept.values()].reduce((sum, there) => sum + there.size, 0);

  /** A row as it is shown: what was refused stands in its cells. Remembers where the row is. */
  function shown(id, data, row, keys) {
    for (const [key, refusal] of kept.get(id) ?? []) {
      refusal.row = row;
      const place = keys.indexOf(key);
      if (place >= 0) data[place] = refusal.text;
    }
    return data;
  }

  /** Rows have other numbers now. */
  function moved() {
    for (const there of kept.values()) for (const refusal of there.values()) refusal.row = null;
  }

  /** The next one after a cell, in the order of reading; where none is known, `null`. */
  function next(row, place, keys) {
    const known = list().filter((one) => one.row !== null && keys.includes(one.key));
    const order = (one) => one.row * keys.length + keys.indexOf(one.key);
    known.sort((a, b) => order(a) - order(b));
    return known.find((one) => order(one) > row * keys.length + place) ?? known[0] ?? null;
  }

  return { put, drop, get, size, shown, moved, next, clear: () => kept.clear() };
}
