// Which rows are ticked: `_id`s, or a rule ("all that match") and the `_id`s that it does not mean. Never a list of ten million.

/** No row. */
export function none() {
  return { rule: null, ids: new Set() };
}

/** All rows that match what was asked (`{query, filters}`), `total` of them. */
export function all(asked, total) {
  return { rule: { asked, total }, ids: new Set() };
}

export function has({ rule, ids }, id) {
  return ids.has(id) !== Boolean(rule);
}

/** The ticks after some rows were ticked (`on`) or not any more. */
export function ticked(ticks, some, on) {
  const ids = new Set(ticks.ids);
  for (const id of some) on === Boolean(ticks.rule) ? ids.delete(id) : ids.add(id);
  return { rule: ticks.rule, ids };
}

/** How many rows. */
export function count({ rule, ids }) {
  return rule ? Math.max(0, rule.total - ids.size) : ids.size;
}

/** What a message to the kernel says of them. */
export function target({ rule, ids }) {
  return rule ? { ...rule.asked, less: [...ids] } : { ids: [...ids] };
}

/** The ticks when something else is asked: a rule is about what was asked before, `_id`s are what they are. */
export function asking(ticks, asked) {
  return ticks.rule && JSON.stringify(ticks.rule.asked) !== JSON.stringify(asked) ? none() : ticks;
}
