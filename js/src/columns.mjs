// Pure logic of the columns: which stand where, hidden, pinned and how wide, by key. A layout outlives versions: keys come and go.
import { fold } from "./filters.mjs";
import { columnId } from "./rows.mjs";

/** The columns in the order of a layout, `[{index, key, name, hidden, pinned, width}, …]`; those that it does not know stay behind their neighbour. */
export function arranged(layout, columns) {
  const known = new Map(layout.map((entry) => [entry.key, entry]));
  const whole = columns.map(({ key, name, hint }, index) => ({ hidden: false, pinned: null, width: null, ...known.get(key), index, key, name, hint }));
  const list = layout.map(({ key }) => whole.find((entry) => entry.key === key)).filter(Boolean);
  whole.forEach((entry, index) => {
    if (!known.has(entry.key)) list.splice(index ? list.indexOf(whole[index - 1]) + 1 : 0, 0, entry);
  });
  return list;
}

/** AG Grid's state of columns for an arrangement and a sort. */
export function stateOf(arrangement, sort) {
  const places = new Map(sort.map(([key, direction], place) => [key, { sort: direction < 0 ? "desc" : "asc", sortIndex: place }]));
  return arrangement.map(({ index, key, hidden, pinned, width }) => ({
    colId: columnId(index),
    hide: hidden,
    pinned,
    ...(width ? { width } : {}),
    ...(places.get(key) ?? { sort: null, sortIndex: null }),
  }));
}

/** The layout that AG Grid's state shows; `sized` are the keys whose width people chose. Keys of other versions keep what they had. */
export function layoutOf(state, columns, sized, before = []) {
  const own = state.filter(({ colId }) => /^c\d+$/.test(colId) && columns[Number(colId.slice(1))]);
  const layout = own.map(({ colId, hide, pinned, width }) => {
    const { key } = columns[Number(colId.slice(1))];
    return { key, hidden: Boolean(hide), pinned: side(pinned), width: sized.has(key) ? Math.round(width) : null };
  });
  const keys = new Set(columns.map(({ key }) => key));
  return [...layout, ...before.filter(({ key }) => !keys.has(key))];
}

function side(pinned) {
  return pinned === true ? "left" : pinned || null;
}

/** A list with one of its items at another place. */
export function moved(list, from, to) {
  const rest = list.filter((_, place) => place !== from);
  rest.splice(Math.max(0, Math.min(to, rest.length)), 0, list[from]);
  return rest;
}

/** Those whose name or key holds what was typed. */
export function named(arrangement, text) {
  const wanted = fold(text.trim());
  return arrangement.filter(({ name, key }) => fold(name).includes(wanted) || fold(key).includes(wanted));
}

/** Whether two arrangements show the same. */
export function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
