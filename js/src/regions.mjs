// What was marked in a picture: its layers and labels, which of them are on, and the text in reading order.

/** `[form, points, label, text, layer]` as objects; a region without a label is called by its layer. */
export function readRegions({ regions, order }) {
  const list = regions.map(([form, points, label, text, layer], place) => ({ place, form, points, label, text, layer, name: label || layer }));
  const inOrder = order.map((place) => list[place]);
  return { list, inOrder };
}

/** The layers, and the labels, with how many regions each has; `[name, count]`, in the order of the document. */
export function legendOf(list) {
  const count = (of) => {
    const counts = new Map();
    for (const region of list) counts.set(of(region), (counts.get(of(region)) ?? 0) + 1);
    return [...counts];
  };
  const layers = count(({ layer }) => layer);
  const labels = count(({ label }) => label).filter(([label]) => label);
  return { layers: layers.length > 1 ? layers : [], labels };
}

/** Whether a region is on: neither its layer nor its label was turned off. */
export function isOn({ layer, label }, off) {
  return !off.has(`layer:${layer}`) && !(label && off.has(`label:${label}`));
}

/** The layer whose texts are read: the one that says most (lines, not some of their words). */
export function readingLayer(list) {
  const said = new Map();
  for (const { layer, text } of list) if (text) said.set(layer, (said.get(layer) ?? 0) + text.length);
  return [...said].sort(([, a], [, b]) => b - a)[0]?.[0] ?? null;
}
