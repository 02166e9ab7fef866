import assert from "node:assert/strict";
import { test } from "node:test";
import { endWhenLeft, endingAddress } from "../src/leaving.mjs";

test("the address at which a dashboard's kernel is ended", () => {
  assert.equal(endingAddress({ baseUrl: "/x/" }, { id: "k1" }, "?a=1&token=a%20b"), "/x/voila/api/shutdown/k1?token=a%20b");
  assert.equal(endingAddress({ baseUrl: "/" }, { id: "k1" }, "?a=1"), null);
  assert.equal(endingAddress({}, { id: "k1" }, "?token=t"), null);
  assert.equal(endingAddress({ baseUrl: "/" }, undefined, "?token=t"), null);
});

test("a page of Voilà ends its kernel when it is left, once; JupyterLab's does not", () => {
  const sent = [];
  const page = (voila) => {
    const heard = [];
    return {
      heard,
      document: { body: { dataset: voila ? { voila: "1" } : {} }, getElementById: () => ({ textContent: '{"baseUrl":"/"}' }) },
      location: { search: "?token=t" },
      addEventListener: (name, act) => heard.push([name, act]),
      navigator: { sendBeacon: (address) => sent.push(address) },
    };
  };
  const model = { widget_manager: { kernel: { id: "k1" } } };
  const [dashboard, lab] = [page(true), page(false)];
  endWhenLeft(model, dashboard);
  endWhenLeft(model, dashboard);
  endWhenLeft(model, lab);
  assert.deepEqual([dashboard.heard.length, lab.heard.length], [1, 0]);
  dashboard.heard[0][1]({ persisted: true });
  dashboard.heard[0][1]({ persisted: false });
  assert.deepEqual(sent, ["/voila/api/shutdown/k1?token=t"]);
});
