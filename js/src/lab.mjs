// Opening a file in the JupyterLab that the page belongs to, if it belongs to one.

/** JupyterLab's own settings on the page (`serverRoot`, `baseUrl`, …); null anywhere else. */
export function labConfig(page = globalThis.document) {
  try {
    const config = JSON.parse(page.getElementById("jupyter-config-data").textContent);
    return config.appName === "JupyterLab" ? config : null;
  } catch {
    return null;
  }
}

/** Opens `path` as a document of this JupyterLab; false if it does not serve it (a hidden folder, another place). */
export async function openInLab(config, path, el, ask = globalThis.fetch) {
  const address = path.split("/").map(encodeURIComponent).join("/");
  const answer = await ask(`${config.baseUrl}api/contents/${address}?content=0`, { credentials: "same-origin" });
  if (!answer.ok) return false;
  // JupyterLab listens for clicks on elements that name one of its commands.
  const link = el.ownerDocument.createElement("span");
  link.dataset.commandlinkerCommand = "docmanager:open";
  link.dataset.commandlinkerArgs = JSON.stringify({ path });
  el.append(link);
  link.click();
  link.remove();
  return true;
}
