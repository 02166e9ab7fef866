"""A widget on a page without Jupyter: its real front end and its real handlers, with nothing but the transport between them."""

import base64
from typing import Any

from clow_nb.ui.base import Messenger, answer, static

ADDRESS = "http://127.0.0.1:9/"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="widget.css">
<body style="margin:12px"><div id="widget"></div><script type="module">
import widget from "./widget.js";
const heard = {};
const model = {
  traits: await window.clowTraits(),
  get(name) { return this.traits[name]; },
  set(name, value) {
    if (JSON.stringify(this.traits[name]) === JSON.stringify(value)) return;
    this.traits[name] = this.unsaved[name] = value;
    for (const callback of heard[`change:${name}`] ?? []) callback();
  },
  unsaved: {},
  save_changes() {
    const values = this.unsaved;
    this.unsaved = {};
    return window.clowSave(values);
  },
  on(names, callback) { for (const name of names.split(" ")) (heard[name] ??= new Set()).add(callback); },
  off(names, callback) { for (const name of names.split(" ")) heard[name]?.delete(callback); },
  async send(message, _, sent = []) {
    const given = sent.map((piece) => btoa(new Uint8Array(piece).reduce((text, byte) => text + String.fromCharCode(byte), "")));
    const { content, buffers, traits } = await window.clowAnswer(message, given);
    for (const [name, value] of Object.entries(traits)) {
      if (JSON.stringify(this.traits[name]) === JSON.stringify(value)) continue;
      this.traits[name] = value;
      for (const callback of heard[`change:${name}`] ?? []) callback();
    }
    this.hear(content, buffers.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)));
  },
  hear(content, buffers = []) { for (const callback of [...(heard["msg:custom"] ?? [])]) callback(content, buffers); },
};
window.model = model;
widget.render({ model, el: document.getElementById("widget") });
</script></body></html>"""


def show(page: Any, widget: Messenger) -> None:
    """Open `widget` on a page; what it sends goes to its handlers, and what changes in its traits comes back."""

    def traits() -> dict[str, Any]:
        return {name: value for name, value in widget.get_state().items() if not name.startswith("_")}

    def reply(message: dict[str, Any], sent: list[str]) -> dict[str, Any]:
        content, buffers = answer(widget.handlers(), {**message, "buffers": [base64.b64decode(text) for text in sent]} if sent else message)
        return {"content": content, "buffers": [base64.b64encode(buffer).decode() for buffer in buffers], "traits": traits()}

    files = {
        "": (PAGE.encode(), "text/html"),
        "widget.js": (static(f"{widget.bundle}.js"), "text/javascript"),
        "widget.css": (static(f"{widget.bundle}.css"), "text/css"),
    }

    def serve(route: Any) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        body, kind = files.get(name, (b"", "text/plain"))
        route.fulfill(body=body, content_type=kind, status=200 if name in files else 404)

    page.expose_function("clowTraits", traits)
    page.expose_function("clowSave", widget.set_state)
    page.expose_function("clowAnswer", reply)
    page.route(f"{ADDRESS}**", serve)
    page.goto(ADDRESS)
