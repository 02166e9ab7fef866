// What is larger than an answer comes in pieces; how far it is can be seen, and it can be given up.

/** All bytes of `ask(offset)` → `{content: {total}, buffers}`; `told(done, total)` after each piece; `gone()` says that nobody waits any more. */
export async function collect(ask, { told = () => {}, gone = () => false } = {}) {
  const parts = [];
  let done = 0;
  for (;;) {
    const { content, buffers } = await ask(done);
    if (gone()) return null;
    const part = new Uint8Array(buffers[0].buffer, buffers[0].byteOffset, buffers[0].byteLength);
    parts.push(part.slice());
    done += part.length;
    told(done, content.total);
    if (done >= content.total || !part.length) return { content, bytes: joined(parts, done) };
  }
}

function joined(parts, size) {
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
