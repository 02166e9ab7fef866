// The colours of a requirements.txt, one token after the other; `stream` is CodeMirror's StringStream.

/** The name of the next token: comment, keyword (a name), operator, number (a version), meta (extras), string (a URL). */
export function requirementToken(stream) {
  if (stream.eatSpace()) return null;
  if (stream.peek() === "#" && (stream.sol() || /\s/.test(stream.string[stream.pos - 1]))) {
    stream.skipToEnd();
    return "comment";
  }
  const start = !stream.string.slice(0, stream.pos).trim();
  if (start && stream.match(/^[\w.-]+/)) return "keyword";
  if (stream.match(/^\[[^\]]*\]?/)) return "meta";
  if (stream.match(/^@\s*/)) {
    stream.match(/^\S+/);
    return "string";
  }
  if (stream.match(/^(===|[=!~<>]=|[<>,;()])/)) return "operator";
  if (stream.match(/^("[^"]*"?|'[^']*'?)/)) return "string";
  if (stream.match(/^\d[\w.*+!-]*/)) return "number";
  if (!stream.match(/^[\w.-]+/)) stream.next();
  return null;
}
