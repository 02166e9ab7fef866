// The grid to look at.
import { createGridView } from "./gridview.mjs";

function render(context) {
  return createGridView(context).close;
}

export default { render };
