// Files cut into messages: pieces of large ones, many small ones together, and from where they left off.

export const LIMIT = 1_000_000; // bytes in one message

/** Messages of `[{file, start, end}, …]`, none larger than `limit` bytes; `received[file]` bytes of each are there already. */
export function* pieces(sizes, received = [], limit = LIMIT) {
  let message = [];
  let room = limit;
  for (const [file, size] of sizes.entries()) {
    let start = received[file] ?? 0;
    while (start < size) {
      const end = Math.min(size, start + room);
      message.push({ file, start, end });
      room -= end - start;
      start = end;
      if (room > 0) continue;
      yield message;
      [message, room] = [[], limit];
    }
  }
  if (message.length) yield message;
}

/** What of all bytes is there, 0 … 1; files without content are there at once. */
export function shareOf(sizes, received) {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return total ? received.reduce((sum, size) => sum + size, 0) / total : 1;
}

/** Bytes as "312 B", "4.1 kB", "200 MB". */
export function bytesText(bytes, locale) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** step;
  return `${value.toLocaleString(locale, { maximumFractionDigits: step && value < 10 ? 1 : 0 })} ${units[step]}`;
}
