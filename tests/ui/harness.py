"""A widget on a page without Jupyter: its real front end and its real handlers, with nothing but the transport between them."""

import base64
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clow_nb.ui.base import Messenger, answer, static

ADDRESS = "http://127.0.0.1:9/"
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><link rel="stylesheet" href="widgets.css">
<body style="margin:12px"><div id="widgets"></div><script type="module">
const models = [];
const make = (place, traits) => { const heard = {}; return {
  traits,
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
    return window.clowSave(place, values);
  },
  on(names, callback) { for (const name of names.split(" ")) (heard[name] ??= new Set()).add(callback); },
  off(names, callback) { for (const name of names.split(" ")) heard[name]?.delete(callback); },
  async send(message, _, sent = []) {
    const given = sent.map((piece) => btoa(new Uint8Array(piece).reduce((text, byte) => text + String.fromCharCode(byte), "")));
    const { content, buffers, traits, told } = await window.clowAnswer(place, message, given);
    models.forEach((model, at) => model.take(traits[at]));
    for (const [at, said] of told) models[at].hear(said);
    this.hear(content, buffers.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer)));
  },
  take(traits) {
    for (const [name, value] of Object.entries(traits)) {
      if (JSON.stringify(this.traits[name]) === JSON.stringify(value)) continue;
      this.traits[name] = value;
      for (const callback of heard[`change:${name}`] ?? []) callback();
    }
  },
  hear(content, buffers = []) { for (const callback of [...(heard["msg:custom"] ?? [])]) callback(content, buffers); },
}; };
const box = document.getElementById("widgets");
const states = await window.clowTraits();
const made = await Promise.all(states.map((_, place) => import(`./widget${place}.js`)));
states.forEach((traits, place) => models.push(make(place, traits)));  // all are there before the first speaks
made.forEach(({ default: widget }, place) => {
  const el = document.createElement("div");
  box.append(el);
  widget.render({ model: models[place], el });
});
box.className = document.querySelector(".clow-viewer") && models.length > 1 ? "clow-beside" : "";
window.model = models[0];
</script></body></html>"""


def take_in(intake: Any, path: Path) -> None:
    """Choose a file in an intake, and start the import when it has been read; comes back when it is over."""
    answer(intake.upload.handlers(), {"type": "look", "uuid": "1", "place": str(path)})
    for stage in ("ready", "empty"):
        end = time.monotonic() + 150
        while intake.upload.stage != stage and time.monotonic() < end:
            answer(intake.upload.handlers(), {"type": "state", "uuid": "1"})
            time.sleep(0.01)
        if stage == "ready":
            intake.start()


def until(page: Any, condition: Callable[[], object]) -> None:
    """Wait for what the handlers come to; what the page sends is heard meanwhile."""
    end = time.monotonic() + 150
    while not condition():
        assert time.monotonic() < end, "it did not come about"
        page.wait_for_timeout(20)


def show(page: Any, *widgets: Messenger) -> None:
    """Open widgets on a page; what each sends goes to its handlers, and what changes in the traits of any comes back."""

    def traits() -> list[dict[str, Any]]:
        return [{name: value for name, value in widget.get_state().items() if not name.startswith("_")} for widget in widgets]

    told: list[tuple[int, Any]] = []  # what widgets say by themselves
    for place, widget in enumerate(widgets):
        widget.send = lambda content, buffers=None, place=place: told.append((place, content))  # type: ignore[method-assign,misc]

    def reply(place: int, message: dict[str, Any], sent: list[str]) -> dict[str, Any]:
        given = {**message, "buffers": [base64.b64decode(text) for text in sent]} if sent else message
        told.clear()
        content, buffers = answer(widgets[place].handlers(), given)
        return {"content": content, "buffers": [base64.b64encode(buffer).decode() for buffer in buffers], "traits": traits(), "told": list(told)}

    files = {
        "": (PAGE.encode(), "text/html"),
        "widgets.css": (b"".join(static(f"{widget.bundle}.css") for widget in widgets), "text/css"),
        **{f"widget{place}.js": (static(f"{widget.bundle}.js"), "text/javascript") for place, widget in enumerate(widgets)},
    }

    def serve(route: Any) -> None:
        name = route.request.url.removeprefix(ADDRESS)
        body, kind = files.get(name, (b"", "text/plain"))
        route.fulfill(body=body, content_type=kind, status=200 if name in files else 404)

    page.expose_function("clowTraits", traits)
    page.expose_function("clowSave", lambda place, values: widgets[place].set_state(values))
    page.expose_function("clowAnswer", reply)
    page.route(f"{ADDRESS}**", serve)
    page.goto(ADDRESS)
