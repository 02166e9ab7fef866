// A page says that it shows a live widget, now and then, and says goodbye; the kernel sends news only to those who look.

const EVERY = 20000;

/** Says `here` now and every 20 seconds while `active()`, and `gone` when closed; `update` after `active` may have changed. */
export function announce(messages, active, { every = EVERY, page = String(Math.random()).slice(2) } = {}) {
  let timer = null;

  const say = (word) => messages.request(word, { page }).catch(() => {}); // a silent kernel is said where it matters

  function update() {
    if (active() && timer === null) {
      say("here");
      timer = setInterval(() => say("here"), every);
    } else if (!active() && timer !== null) {
      stop();
    }
  }

  function stop() {
    clearInterval(timer);
    timer = null;
  }

  function close() {
    if (timer !== null) say("gone");
    stop();
  }

  update();
  return { update, close };
}
