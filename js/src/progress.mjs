// Pure logic of the run panel: times and shares in words.

/** Seconds as "7 s", "2 min 05 s", "1 h 02 min" in the units of `labels`. */
export function elapsedText(seconds, labels = {}) {
  const { s = "s", min = "min", h = "h" } = labels;
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} ${s}`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} ${min} ${String(whole % 60).padStart(2, "0")} ${s}`;
  return `${Math.floor(minutes / 60)} ${h} ${String(minutes % 60).padStart(2, "0")} ${min}`;
}

/** A share of 0 … 1 as whole percent; 100 only when it is really over. */
export function percentText(share) {
  const clamped = Math.min(1, Math.max(0, Number(share) || 0));
  return `${clamped === 1 ? 100 : Math.min(99, Math.floor(clamped * 100))}%`;
}

/** Milliseconds until the next question: quick at first, calmer for long runs, slow when nobody answers. */
export function pause(seconds, failures = 0) {
  if (failures) return Math.min(30000, 2000 * 2 ** (failures - 1));
  return seconds < 120 ? 700 : 2000;
}
