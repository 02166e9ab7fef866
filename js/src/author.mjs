// The name that somebody gave on a page of many people's: this browser remembers it.
const NAME = "clow:author";

export function rememberedAuthor() {
  try {
    return localStorage.getItem(NAME) ?? "";
  } catch {
    return ""; // a browser that keeps nothing
  }
}

export function rememberAuthor(name) {
  try {
    if (name) localStorage.setItem(NAME, name);
  } catch {
    // asked again the next time
  }
}
