// The font comes from the kernel, once a page: no request leaves the machine, no font need be installed.

const FLAG = "clowFont";

/** Asks for the font's faces unless this page has them, and hands them to the browser. */
export async function ensureFont(messages, page = globalThis.document, Face = globalThis.FontFace) {
  if (!page?.fonts || !Face || page.documentElement.dataset[FLAG]) return false;
  page.documentElement.dataset[FLAG] = "asked";
  try {
    const { content, buffers } = await messages.request("font");
    await Promise.all(
      content.faces.map(async ({ family, weight }, i) => {
        page.fonts.add(await new Face(family, buffers[i], { weight: String(weight) }).load());
      }),
    );
    page.documentElement.dataset[FLAG] = "ready";
    return true;
  } catch {
    delete page.documentElement.dataset[FLAG]; // the page is readable without it; the next widget tries again
    return false;
  }
}
