// What was dropped on the page, folders and all: `[{path, file}, …]`.

const readAll = async (reader) => {
  const found = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)); // at most 100 at a time
    if (!some.length) return found;
    found.push(...some);
  }
};

async function walk(entry, path, found) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    found.push({ path, file });
  } else {
    for (const inner of await readAll(entry.createReader())) await walk(inner, `${path}/${inner.name}`, found);
  }
}

/** The files of a drop; a browser gives its entries only while the event lasts, so they are taken before anything is awaited. */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry?.());
  if (!entries.length || entries.some((entry) => !entry)) return chosenFiles(transfer.files);
  const found = [];
  for (const entry of entries) await walk(entry, entry.name, found);
  return found;
}

/** The files of an input; those of a folder come with their path in it. */
export function chosenFiles(files) {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}
