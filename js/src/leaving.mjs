// A dashboard that is closed ends its kernel. Voilà asks for that too, but without the token it is refused, and the kernel would live on.

/** The address at which Voilà ends a kernel; `null` where the page is none of Voilà's, or was opened without a token. */
export function endingAddress(config, kernel, search = "") {
  const token = new URLSearchParams(search).get("token");
  if (!kernel?.id || !config?.baseUrl || !token) return null;
  return `${config.baseUrl}voila/api/shutdown/${kernel.id}?token=${encodeURIComponent(token)}`;
}

/** Ends the kernel of a dashboard when its page is left; once a page, whoever asks for it. */
export function endWhenLeft(model, page = globalThis) {
  if (!page.document?.body?.dataset.voila || page.clowEnds) return;
  page.clowEnds = true;
  const config = JSON.parse(page.document.getElementById("jupyter-config-data")?.textContent || "{}");
  const address = endingAddress(config, model.widget_manager?.kernel, page.location.search);
  if (address) page.addEventListener("pagehide", ({ persisted }) => persisted || page.navigator.sendBeacon(address));
}
