// The message rule of every widget:
//   request  {type, uuid, ...} (+ buffers)
//   answer   {type, uuid, ...} + buffers   or   {error, uuid}
import { watchKernel } from "./kernel.mjs";

/** What went wrong: `answered` in the kernel's own words; or it is `gone`, and nothing will ever be answered. */
export class KernelError extends Error {
  constructor(message, { answered = false, gone = false } = {}) {
    super(message);
    Object.assign(this, { answered, gone });
  }
}

/**
 * Speaks the message rule over an anywidget model.
 *
 * `request(type, payload)` resolves to `{content, buffers}`; it rejects with a `KernelError`: the kernel's own words, `labels.gone` at
 * once where the kernel has stopped, or `labels.silent` when no answer came within `timeout` milliseconds although nothing else keeps it busy.
 * `ask` is a request that changes nothing: it is sent once more where an idle kernel leaves it without an answer for `patience` milliseconds.
 * `gone()` tells whether it has stopped.
 */
export function createMessages(model, { timeout = 60000, patience = 5000, uuid = newUuid, labels = () => ({}) } = {}) {
  const waiting = new Map();
  const kernel = watchKernel(model, (state) => state === "gone" && leave());
  const gone = () => new KernelError(labels().gone ?? "The kernel has stopped.", { gone: true });

  function leave() {
    for (const id of [...waiting.keys()]) take(id).reject(gone());
  }

  function take(id) {
    const entry = waiting.get(id);
    waiting.delete(id);
    clearTimeout(entry?.timer);
    return entry;
  }

  // A kernel with other work, or out of reach for now, is waited for.
  function expire(id) {
    if (kernel.state() === "there") take(id).reject(new KernelError(labels().silent ?? "The kernel does not answer."));
    else if (waiting.has(id)) waiting.get(id).timer = setTimeout(() => expire(id), timeout);
  }

  function receive(content, buffers) {
    const entry = content && take(content.uuid);
    if (!entry) return;
    if (content.error) entry.reject(new KernelError(content.error, { answered: true }));
    else entry.resolve({ content, buffers: buffers ?? [] });
  }

  function request(type, payload = {}, buffers = undefined, id = uuid()) {
    return new Promise((resolve, reject) => {
      if (kernel.state() === "gone") return reject(gone());
      waiting.set(id, { resolve, reject, timer: setTimeout(() => expire(id), timeout) });
      model.send({ ...payload, type, uuid: id }, undefined, buffers);
    });
  }

  // A message is lost where the connection breaks while it is on its way.
  function ask(type, payload = {}) {
    const id = uuid();
    const again = () => {
      if (!waiting.has(id)) return;
      if (kernel.state() === "there") model.send({ ...payload, type, uuid: id });
      else setTimeout(again, patience);
    };
    setTimeout(again, patience);
    return request(type, payload, undefined, id);
  }

  function close() {
    kernel.close();
    model.off("msg:custom", receive);
    for (const entry of waiting.values()) clearTimeout(entry.timer);
    waiting.clear();
  }

  model.on("msg:custom", receive);
  return { request, ask, close, gone: () => kernel.state() === "gone" };
}

function newUuid() {
  // randomUUID exists only in secure contexts; a dashboard on a plain http address is none.
  if (globalThis.crypto?.randomUUID) return globalThis.crypto.randomUUID();
  return Array.from({ length: 4 }, () => Math.random().toString(16).slice(2, 10).padEnd(8, "0")).join("-");
}
