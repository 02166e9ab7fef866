// Pure logic of the run panel: times and shares in words.

/** Seconds as "7 s", "2 min 05 s", "1 h 02 min", by the templates of `labels`. */
export function elapsedText(seconds, labels = {}) {
  const { seconds: short = "{s} s", minutes: middle = "{m} min {s} s", hours: long = "{h} h {m} min" } = labels;
  const whole = Math.max(0, Math.round(seconds));
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const fill = (template, parts) => template.replace(/\{(\w)\}/g, (_, name) => parts[name]);
  const two = (number) => String(number).padStart(2, "0");
  if (whole < 60) return fill(short, { s });
  if (whole < 3600) return fill(middle, { m, s: two(s) });
  return fill(long, { h, m: two(m) });
}

/** A share of 0 … 1 as whole percent; 100 only when it is really over. */
export function percentText(share) {
  const clamped = Math.min(1, Math.max(0, Number(share) || 0));
  return `${clamped === 1 ? 100 : Math.min(99, Math.floor(clamped * 100))}%`;
}

/** Whether the end of a scrolled box is in sight. */
export function atEnd({ scrollTop, clientHeight, scrollHeight }) {
  return scrollTop + clientHeight >= scrollHeight - 4;
}

/** How many lines were found, and how many of them are shown if that is not all. */
export function foundText(count, shown, labels, locale) {
  const template = shown < count ? (labels.first ?? "{count}, {shown} shown") : (labels.found ?? "{count} lines");
  return template.replace("{count}", count.toLocaleString(locale)).replace("{shown}", shown.toLocaleString(locale));
}
