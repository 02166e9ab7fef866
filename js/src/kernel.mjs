// Whether the kernel behind a widget is there: what JupyterLab's and Voilà's widget managers know of it.
//
// A kernel that restarts has forgotten its widgets: for them it is gone for good. One that cannot be reached (a sleeping laptop) may come back.

const ENDED = new Set(["dead", "restarting", "autorestarting", "terminating"]);

/** What a page may expect of a kernel: `"there" | "busy" | "away" | "gone"`; `"there"` where nobody knows. */
export function stateOf(kernel) {
  if (!kernel) return "there";
  if (kernel.isDisposed || ENDED.has(kernel.status)) return "gone";
  if (kernel.connectionStatus && kernel.connectionStatus !== "connected") return "away";
  return kernel.status === "busy" ? "busy" : "there";
}

/** Calls `tell(state)` when it changes; `"gone"` is the last word. Returns `{state, close}`. */
export function watchKernel(model, tell = () => {}) {
  const kernel = kernelOf(model);
  const signals = ["statusChanged", "connectionStatusChanged", "disposed"].map((name) => kernel?.[name]).filter(Boolean);
  let state = stateOf(kernel);

  function look() {
    const now = state === "gone" ? state : stateOf(kernel);
    if (now === state) return;
    state = now;
    tell(state);
  }

  for (const signal of signals) signal.connect(look);
  return {
    state: () => (look(), state),
    close: () => signals.forEach((signal) => signal.disconnect(look)),
  };
}

function kernelOf(model) {
  try {
    return model.widget_manager?.kernel ?? null;
  } catch {
    return null; // a manager without a session
  }
}
