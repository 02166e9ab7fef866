// The grid to look at.
import { attachCopying } from "./copying.mjs";
import { createGridView } from "./gridview.mjs";

function render(context) {
  const view = createGridView(context, { options: { ensureDomOrder: true } });
  attachCopying({ ...view, model: context.model });
  return view.close;
}

export default { render };
