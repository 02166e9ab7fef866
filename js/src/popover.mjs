// A small box over a widget: it closes by Escape, by a click elsewhere, and gives the focus back.
import { h } from "./dom.mjs";

/** `open(anchor, name, content, {side})` shows `content` at an element; `close()` takes it away. One is open at a time. */
export function createPopover(root) {
  let shown = null;

  function open(anchor, name, content, { wide = false, onClose = () => {} } = {}) {
    close();
    const box = h("div.clow-popover", { role: "dialog", "aria-label": name }, content);
    box.classList.toggle("clow-popover-wide", wide);
    box.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key !== "Escape" || event.isComposing) return;
      event.preventDefault();
      close();
      anchor.focus();
    });
    root.append(box);
    const frame = root.getBoundingClientRect();
    const rect = anchor.getBoundingClientRect();
    const top = rect.bottom - frame.top + 4;
    box.style.top = `${top}px`;
    box.style.maxHeight = `${Math.max(160, frame.height - top - 8)}px`;
    box.style.left = `${Math.max(6, Math.min(rect.left - frame.left, frame.width - box.offsetWidth - 6))}px`;
    const outside = ({ target }) => !box.contains(target) && !anchor.contains(target) && close();
    document.addEventListener("mousedown", outside, true);
    shown = { box, anchor, leave: () => (document.removeEventListener("mousedown", outside, true), onClose()) };
    return box;
  }

  function close() {
    const before = shown;
    shown = null;
    before?.leave();
    before?.box.remove();
  }

  return { open, close, anchor: () => shown?.anchor ?? null };
}
