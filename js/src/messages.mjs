// The message rule of every widget:
//   request  {type, uuid, ...}
//   answer   {type, uuid, ...} + buffers   or   {error, uuid}

export class KernelError extends Error {}

/**
 * Speaks the message rule over an anywidget model.
 *
 * `request(type, payload)` resolves to `{content, buffers}`; it rejects with a `KernelError` that carries the
 * kernel's own words, or with `labels.silent` when no answer came within `timeout` milliseconds.
 */
export function createMessages(model, { timeout = 60000, uuid = newUuid, labels = () => ({}) } = {}) {
  const waiting = new Map();

  function receive(content, buffers) {
    const entry = content && waiting.get(content.uuid);
    if (!entry) return;
    waiting.delete(content.uuid);
    clearTimeout(entry.timer);
    if (content.error) entry.reject(new KernelError(content.error));
    else entry.resolve({ content, buffers: buffers ?? [] });
  }

  function request(type, payload = {}) {
    return new Promise((resolve, reject) => {
      const id = uuid();
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new KernelError(labels().silent ?? "The kernel does not answer."));
      }, timeout);
      waiting.set(id, { resolve, reject, timer });
      model.send({ ...payload, type, uuid: id });
    });
  }

  function close() {
    model.off("msg:custom", receive);
    for (const entry of waiting.values()) clearTimeout(entry.timer);
    waiting.clear();
  }

  model.on("msg:custom", receive);
  return { request, close };
}

function newUuid() {
  // randomUUID exists only in secure contexts; a dashboard on a plain http address is none.
  if (globalThis.crypto?.randomUUID) return globalThis.crypto.randomUUID();
  return Array.from({ length: 4 }, () => Math.random().toString(16).slice(2, 10).padEnd(8, "0")).join("-");
}
