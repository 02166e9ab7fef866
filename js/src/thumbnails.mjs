// Small pictures, asked for when their cells come into sight, a few at a time, and kept while the page lives.

const AT_ONCE = 24;
const REACH = 900; // rows between the first and the last of one question

/**
 * `want(token, row, key, draw)` calls `draw({url})` or `draw({problem})` once; what it returns takes the wish back.
 *
 * `ask({cells})` → `{content: {made: [[place, size, problem], …]}, buffers}`; `makeUrl(bytes)` and `dropUrl(url)` are the browser's.
 */
export function createThumbnails({ ask, makeUrl, dropUrl, most = 400, wait = 60 }) {
  const known = new Map(); // token → {url} or {problem}, the last used last
  const wanted = new Map(); // token → {row, key, draws}
  let timer = null;
  let busy = false;

  function want(token, row, key, draw) {
    if (known.has(token)) {
      const found = known.get(token);
      known.delete(token);
      known.set(token, found);
      draw(found);
      return () => {};
    }
    const entry = wanted.get(token) ?? { draws: new Set() };
    Object.assign(entry, { row, key });
    entry.draws.add(draw);
    wanted.set(token, entry);
    timer ??= setTimeout(flush, wait);
    return () => {
      entry.draws.delete(draw);
      if (!entry.draws.size && wanted.get(token) === entry) wanted.delete(token);
    };
  }

  async function flush() {
    timer = null;
    if (busy) return;
    busy = true;
    while (wanted.size) {
      const sorted = [...wanted].sort(([, a], [, b]) => a.row - b.row);
      const batch = sorted.filter(([, { row }]) => row - sorted[0][1].row < REACH).slice(0, AT_ONCE);
      await fetchSome(batch);
    }
    busy = false;
  }

  async function fetchSome(batch) {
    let answer;
    try {
      answer = await ask({ cells: batch.map(([, { row, key }]) => [row, key]) });
    } catch {
      for (const [token] of batch) wanted.delete(token); // asked again when the rows are drawn again
      return;
    }
    let from = 0;
    for (const [place, size, problem] of answer.content.made) {
      const [token, entry] = batch[place];
      const bytes = size ? new Uint8Array(answer.buffers[0].buffer, answer.buffers[0].byteOffset + from, size) : null;
      from += size;
      const found = bytes ? { url: makeUrl(bytes) } : { problem };
      keep(token, found);
      wanted.delete(token);
      for (const draw of entry.draws) draw(found);
    }
  }

  function keep(token, found) {
    known.set(token, found);
    for (const [oldest, { url }] of known) {
      if (known.size <= most) break;
      known.delete(oldest);
      if (url) dropUrl(url);
    }
  }

  function close() {
    clearTimeout(timer);
    wanted.clear();
    for (const { url } of known.values()) if (url) dropUrl(url);
    known.clear();
  }
  return { want, close };
}
