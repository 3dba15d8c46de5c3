/** Message identifiers in Message-ID, In-Reply-To and References (RFC 5322 3.6.4). */

/** Identifiers of one field that are kept: the newest of a long thread's References are the last. */
const MAX_IDS = 1000;
/** Octets of an identifier; a line has no more (RFC 5322 2.1.1). Longer ones are dropped. */
const MAX_ID = 998;
/** Octets of a field that are read: room for more identifiers than anybody follows, and never a millisecond's work. */
const MAX_FIELD = 8192;

function cleanId(text: string): string | undefined {
  const id = text.replace(/[\s\0]+/g, '');
  return id === '' || id.length > MAX_ID ? undefined : id;
}

/**
 * The identifiers of a field's value in order, without angle brackets and without the white space that folding put
 * into them, each once. Where there are no brackets, words with an "@" are taken. Of a longer field the first 8,192
 * octets are read.
 */
export function messageIds(value: string): string[] {
  return idsIn(value.slice(0, MAX_FIELD));
}

/**
 * The same from the last 8,192 octets of a longer field, without the identifier that is cut there: for References,
 * where the nearest ancestors stand last.
 */
export function newestMessageIds(value: string): string[] {
  if (value.length <= MAX_FIELD) return idsIn(value);
  const tail = value.slice(-MAX_FIELD);
  const open = tail.indexOf('<');
  const space = tail.search(/[\s,;]/);
  return idsIn(tail.slice(Math.max(0, open === -1 ? space : open)));
}

function idsIn(value: string): string[] {
  const ids = new Set<string>();
  let open = value.indexOf('<');
  if (open === -1) {
    for (const word of value.split(/[\s,;]+/, MAX_IDS))
      if (word.includes('@') && word.length <= MAX_ID) ids.add(word);
    return [...ids];
  }
  while (open !== -1 && ids.size < MAX_IDS) {
    const close = value.indexOf('>', open);
    if (close === -1) break;
    // "<a <b@c>": the last opening bracket counts.
    const start = value.lastIndexOf('<', close);
    const id = cleanId(value.slice(start + 1, close));
    if (id !== undefined) ids.add(id);
    open = value.indexOf('<', close);
  }
  return [...ids];
}
