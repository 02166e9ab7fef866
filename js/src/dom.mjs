// The one way elements are made here: text is set as text, so nothing that a document holds can run.

/** `h("div.note", {title}, child, "text", …)` → an element. */
export function h(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A question with a yes and a no in the place of a button; Escape is a no. */
export function confirmation(question, { yes = "Yes", no = "No" }, agree, dismiss) {
  const hear = (event) => event.key === "Escape" && dismiss();
  return h(
    "span.clow-confirm",
    { role: "group", "aria-label": question, onkeydown: hear },
    h("span", {}, question),
    h("button.clow-button.clow-danger", { type: "button", onclick: agree }, yes),
    h("button.clow-button", { type: "button", onclick: dismiss }, no),
  );
}

/** Copies text; `false` where the browser does not let us (a plain http address). */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h("textarea", { style: "position:fixed;opacity:0" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
