import assert from "node:assert/strict";
import { test } from "node:test";
import { KernelError, createMessages } from "../src/messages.mjs";

/** A model as anywidget gives it, with the other end in the hand. */
function fakeModel() {
  const listeners = new Set();
  const sent = [];
  return {
    sent,
    listeners,
    on: (event, listener) => event === "msg:custom" && listeners.add(listener),
    off: (event, listener) => listeners.delete(listener),
    send: (content) => sent.push(content),
    answer: (content, buffers) => [...listeners].forEach((listener) => listener(content, buffers)),
  };
}

test("a request carries type and uuid, the answer finds its way back", async () => {
  const model = fakeModel();
  const { request } = createMessages(model, { uuid: () => "u1" });
  const promise = request("rows", { start: 0 });
  assert.deepEqual(model.sent, [{ start: 0, type: "rows", uuid: "u1" }]);
  model.answer({ type: "rows", uuid: "u1", total: 3 }, ["page"]);
  assert.deepEqual(await promise, { content: { type: "rows", uuid: "u1", total: 3 }, buffers: ["page"] });
});

test("a payload cannot take the place of type or uuid", async () => {
  const model = fakeModel();
  createMessages(model, { uuid: () => "u1", timeout: 1 }).request("rows", { type: "x", uuid: "y" }).catch(() => {});
  assert.deepEqual(model.sent, [{ type: "rows", uuid: "u1" }]);
});

test("answers out of order reach their own requests, strangers are left alone", async () => {
  const model = fakeModel();
  let n = 0;
  const { request } = createMessages(model, { uuid: () => `u${(n += 1)}` });
  const [first, second] = [request("a"), request("b")];
  model.answer({ uuid: "u9", type: "a" });
  model.answer(undefined);
  model.answer({ uuid: "u2", type: "b", value: 2 });
  model.answer({ uuid: "u1", type: "a", value: 1 });
  assert.equal((await first).content.value, 1);
  assert.equal((await second).content.value, 2);
});

test("a question that was lost on its way is asked once more, one that was answered is not", async () => {
  const model = fakeModel();
  let n = 0;
  const { ask, request } = createMessages(model, { patience: 5, timeout: 1000, uuid: () => `u${(n += 1)}` });
  const [lost, heard, order] = [ask("rows", { start: 3 }), ask("rows"), request("write")];
  model.answer({ uuid: "u2" });
  await new Promise((done) => setTimeout(done, 30));
  assert.deepEqual(model.sent.slice(3), [{ start: 3, type: "rows", uuid: "u1" }]);
  for (const uuid of ["u1", "u3"]) model.answer({ uuid });
  await Promise.all([lost, heard, order]);
});

test("an error of the kernel rejects with the kernel's own words", async () => {
  const model = fakeModel();
  const { request } = createMessages(model, { uuid: () => "u1" });
  const promise = request("rows");
  model.answer({ error: "key는 없습니다", uuid: "u1" });
  await assert.rejects(promise, (error) => error instanceof KernelError && error.message === "key는 없습니다");
});

test("a silent kernel rejects in time, in the page's language; a late answer is nobody's", async () => {
  const model = fakeModel();
  const { request } = createMessages(model, { uuid: () => "u1", timeout: 5, labels: () => ({ silent: "대답이 없습니다" }) });
  await assert.rejects(request("rows"), { message: "대답이 없습니다" });
  model.answer({ type: "rows", uuid: "u1" });
});

test("closing leaves no listener", () => {
  const model = fakeModel();
  const { close } = createMessages(model);
  assert.equal(model.listeners.size, 1);
  close();
  assert.equal(model.listeners.size, 0);
});

/** A signal as JupyterLab has them, and a kernel whose end is in the hand. */
function fakeKernel() {
  const signal = () => {
    const slots = new Set();
    return { connect: (slot) => slots.add(slot), disconnect: (slot) => slots.delete(slot), slots };
  };
  const kernel = { status: "idle", connectionStatus: "connected", statusChanged: signal(), connectionStatusChanged: signal(), disposed: signal() };
  kernel.become = (status) => ((kernel.status = status), [...kernel.statusChanged.slots].forEach((slot) => slot(kernel, status)));
  return kernel;
}

test("a kernel that stops rejects what waits at once, and what is asked after", async () => {
  const model = { ...fakeModel(), widget_manager: { kernel: fakeKernel() } };
  const { request, gone, close } = createMessages(model, { labels: () => ({ gone: "커널이 멈췄습니다" }) });
  const promise = request("rows");
  model.widget_manager.kernel.become("autorestarting");
  await assert.rejects(promise, { message: "커널이 멈췄습니다", gone: true });
  model.widget_manager.kernel.become("idle"); // another kernel by now: it knows nothing of this widget
  await assert.rejects(request("rows"), { gone: true });
  assert.equal(gone(), true);
  assert.equal(model.sent.length, 1);
  close();
  assert.equal(model.widget_manager.kernel.statusChanged.slots.size, 0);
});

test("a busy kernel is waited for; one that is idle and says nothing is not", async () => {
  const kernel = fakeKernel();
  const model = { ...fakeModel(), widget_manager: { kernel } };
  const { request } = createMessages(model, { timeout: 5, uuid: () => "u1" });
  kernel.become("busy");
  const promise = request("rows");
  await new Promise((resolve) => setTimeout(resolve, 30));
  model.answer({ uuid: "u1", type: "rows", total: 1 });
  assert.equal((await promise).content.total, 1);
  kernel.become("idle");
  await assert.rejects(request("rows"), { message: "The kernel does not answer.", gone: false });
});
