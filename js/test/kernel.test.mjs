import assert from "node:assert/strict";
import { test } from "node:test";
import { stateOf, watchKernel } from "../src/kernel.mjs";

test("what a page may expect of a kernel", () => {
  const idle = { status: "idle", connectionStatus: "connected" };
  assert.equal(stateOf(null), "there");
  assert.equal(stateOf(idle), "there");
  assert.equal(stateOf({ ...idle, status: "busy" }), "busy");
  assert.equal(stateOf({ ...idle, connectionStatus: "connecting" }), "away");
  for (const status of ["dead", "restarting", "autorestarting"]) assert.equal(stateOf({ ...idle, status }), "gone");
  assert.equal(stateOf({ ...idle, isDisposed: true }), "gone");
});

test("a page without a widget manager has a kernel that is there", () => {
  const watched = watchKernel({ get widget_manager() { throw new Error("no session"); } });
  assert.equal(watched.state(), "there");
  watched.close();
});
