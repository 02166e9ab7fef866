// Says hello as soon as a page shows it. By then the page has all widgets around it: what the kernel draws from now on is not missed.
import { createMessages } from "./messages.mjs";

function render({ model }) {
  const messages = createMessages(model);
  messages.request("hello", { load: String(performance.timeOrigin) }).catch(() => {}); // a silent kernel is said where it matters
  return () => messages.close();
}

export default { render };
