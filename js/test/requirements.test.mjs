import assert from "node:assert/strict";
import test from "node:test";
import { requirementToken } from "../src/requirements.mjs";

/** The part of CodeMirror's StringStream that the tokens need. */
function streamOf(string) {
  return {
    string,
    pos: 0,
    sol() {
      return this.pos === 0;
    },
    peek() {
      return string[this.pos];
    },
    next() {
      return string[this.pos++];
    },
    eatSpace() {
      return this.match(/^\s+/);
    },
    skipToEnd() {
      this.pos = string.length;
    },
    match(pattern) {
      const found = string.slice(this.pos).match(pattern);
      if (!found || found.index) return false;
      this.pos += found[0].length;
      return true;
    },
  };
}

function tokens(line) {
  const stream = streamOf(line);
  const found = [];
  while (stream.pos < line.length) {
    const from = stream.pos;
    const kind = requirementToken(stream);
    assert.ok(stream.pos > from, `no progress at ${from} of ${line}`);
    if (kind) found.push([kind, line.slice(from, stream.pos)]);
  }
  return found;
}

test("a name, extras, a version and a comment", () => {
  assert.deepEqual(tokens("pandas[excel]>=2,<3  # frames"), [
    ["keyword", "pandas"],
    ["meta", "[excel]"],
    ["operator", ">="],
    ["number", "2"],
    ["operator", ","],
    ["operator", "<"],
    ["number", "3"],
    ["comment", "# frames"],
  ]);
});

test("a URL with a fragment is one text, a marker has texts", () => {
  assert.deepEqual(tokens("a @ file:///b#sha"), [
    ["keyword", "a"],
    ["string", "@ file:///b#sha"],
  ]);
  assert.deepEqual(tokens("a; os_name == 'posix'").at(-1), ["string", "'posix'"]);
});

test("nothing stops it", () => {
  for (const line of ["", "   ", "한글==1", "[", "'", "@", "===", "\u{1f600}"]) tokens(line);
});
