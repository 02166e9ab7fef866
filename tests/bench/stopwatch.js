// In the page that is measured: how long until something is painted, and how many bytes have come by websockets.
(() => {
  const clock = (window.clock = { bytes: 0, began: 0, answered: {} });
  const decoder = new TextDecoder();

  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        clock.bytes += data.byteLength ?? data.size ?? data.length;
        if (!(data.byteLength < 200_000)) return;
        const type = /"method": ?"custom".{0,2000}"type": ?"(\w+)"/s.exec(decoder.decode(data))?.[1];
        if (type) clock.answered[type] = performance.now(); // the kernel's answer to a widget
      });
    }
  };
  for (const name of ["keydown", "mousedown"]) window.addEventListener(name, () => (clock.began = performance.now()), true);

  /** Ask in each frame; milliseconds from the last key, click or `start()` to the end of the frame in which it holds. */
  clock.until = (holds, limit) =>
    new Promise((resolve) => {
      const asked = performance.now();
      const look = () => {
        if (holds()) setTimeout(() => resolve(performance.now() - clock.began));
        else if (performance.now() - asked > limit) resolve(null);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
  clock.start = () => (clock.began = performance.now());

  /** Something is drawn on a canvas: more than a few colours in its upper part. */
  clock.inked = (canvas) => {
    if (!canvas?.width || !canvas.getBoundingClientRect().height) return false;
    const { data } = canvas.getContext("2d").getImageData(0, 0, Math.min(canvas.width, 600), Math.min(canvas.height, 200));
    const colours = new Set();
    for (let at = 0; at < data.length; at += 4) if (data[at + 3]) colours.add((data[at] << 16) | (data[at + 1] << 8) | data[at + 2]);
    return colours.size > 20;
  };

  /** Rows with text cover the whole of a grid (as far as it has rows), and nothing lies over them. */
  clock.painted = (box, { row, cell, view, head }) => {
    const whole = box?.querySelector(view)?.getBoundingClientRect();
    if (!whole?.height) return false;
    const top = box.querySelector(head)?.getBoundingClientRect().bottom ?? whole.top;
    const frame = new DOMRect(whole.left, top, whole.width, whole.bottom - top);
    const tops = new Map();
    for (const one of box.querySelectorAll(row)) {
      const { top, bottom, height } = one.getBoundingClientRect();
      if (bottom <= frame.top || top >= frame.bottom || !height) continue;
      const text = [...one.querySelectorAll(cell)].some((each) => each.textContent.trim());
      tops.set(Math.round(top), [bottom - top, Boolean(text) || tops.get(Math.round(top))?.[1]]);
    }
    const rows = [...tops];
    const seen = rows.reduce((sum, [top, [height]]) => sum + Math.min(top + height, frame.bottom) - Math.max(top, frame.top), 0);
    if (!rows.length || !rows.every(([, [, text]]) => text) || seen < frame.height - 20) return false;
    const middle = document.elementFromPoint(frame.left + 60, rows[Math.floor(rows.length / 3)][0] + 8);
    return Boolean(middle && box.contains(middle) && middle.closest(row));
  };
})();
