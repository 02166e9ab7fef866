// A colour for a label: the same one everywhere and always, told from its letters.

const HUES = 24;

/** The hue of a label, in degrees: the same for a composed and a decomposed spelling. */
export function hueOf(label) {
  let hash = 0x811c9dc5;
  for (const character of String(label).normalize("NFC")) hash = Math.imul(hash ^ character.codePointAt(0), 0x01000193);
  hash ^= hash >>> 15;
  return ((hash >>> 0) % HUES) * (360 / HUES);
}

/** For `style`: the stylesheet makes of it a colour that is readable in light and in dark. */
export function hueStyle(label) {
  return `--clow-hue: ${hueOf(label)}`;
}
