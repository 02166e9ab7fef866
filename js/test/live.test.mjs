import assert from "node:assert/strict";
import { test } from "node:test";
import { labConfig, openInLab } from "../src/lab.mjs";
import { announce } from "../src/live.mjs";

function listener() {
  const said = [];
  return { said, request: (word, { page }) => (said.push(`${word} ${page}`), Promise.reject(new Error("silent"))) };
}

test("a page says here while there is something to follow, and gone when it leaves", async () => {
  const messages = listener();
  let active = true;
  const live = announce(messages, () => active, { every: 5, page: "p" });
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.ok(messages.said.length > 1 && messages.said.every((word) => word === "here p"));
  active = false;
  live.update();
  const before = messages.said.length;
  live.close();
  assert.equal(messages.said.length, before); // nothing was followed any more
  active = true;
  live.update();
  live.close();
  assert.deepEqual(messages.said.slice(before), ["here p", "gone p"]);
});

test("only JupyterLab is JupyterLab", () => {
  const page = (text) => ({ getElementById: () => (text === null ? null : { textContent: text }) });
  assert.equal(labConfig(page(null)), null);
  assert.equal(labConfig(page('{"appName": "Voila"}')), null);
  assert.equal(labConfig(page('{"appName": "JupyterLab", "baseUrl": "/"}')).baseUrl, "/");
});

test("a file that the server does not serve is not opened", async () => {
  const asked = [];
  const ask = async (address) => (asked.push(address), { ok: false });
  assert.equal(await openInLab({ baseUrl: "/" }, ".clow/a b.ipynb", null, ask), false);
  assert.deepEqual(asked, ["/api/contents/.clow/a%20b.ipynb?content=0"]);
});
