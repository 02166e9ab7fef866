// Pure logic of the table: what a click on a heading asks for, which page there is, which row is beside another.

/** The order after a click on a heading: up, down, then as it was. */
export function nextSort(key, sort = []) {
  if (sort[0] !== key) return [key, 1];
  return sort[1] > 0 ? [key, -1] : [];
}

/** `page`, or the nearest one that there is. */
export function pageOf(page, last) {
  return Math.min(Math.max(0, page), Math.max(0, last));
}

/** The row `by` places below (or above) another one; undefined beyond the ends. */
export function rowBeside(row, by) {
  const rows = [...row.parentElement.children];
  return rows[rows.indexOf(row) + by];
}
