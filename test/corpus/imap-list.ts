/** A value of IMAP's lists: NIL is null, strings (quoted or literal) and atoms are text, lists are arrays. */
export type ImapValue = string | null | readonly ImapValue[];

/** Read one value of a response at `from`. Throws where there is none. */
export function readImapValue(text: string, from: number): { value: ImapValue; end: number } {
  const first = text[from];
  if (first === '(') return readList(text, from + 1);
  if (first === '"') return readQuoted(text, from + 1);
  const literal = /~?\{(\d+)\}\r?\n/y;
  literal.lastIndex = from;
  const counted = literal.exec(text);
  if (counted !== null) {
    const start = from + counted[0].length;
    const end = start + Number(counted[1]);
    return { value: text.slice(start, end), end };
  }
  const atom = /[^\s()"]+/y;
  atom.lastIndex = from;
  const found = atom.exec(text)?.[0];
  if (found === undefined) throw new Error(`no value in ${JSON.stringify(text.slice(from, from + 100))}`);
  return { value: found.toUpperCase() === 'NIL' ? null : found, end: from + found.length };
}

function readList(text: string, from: number): { value: ImapValue; end: number } {
  const values: ImapValue[] = [];
  let at = from;
  for (;;) {
    while (text[at] === ' ') at++;
    if (text[at] === ')') return { value: values, end: at + 1 };
    const { value, end } = readImapValue(text, at);
    values.push(value);
    at = end;
  }
}

function readQuoted(text: string, from: number): { value: ImapValue; end: number } {
  let value = '';
  for (let at = from; at < text.length; at++) {
    if (text[at] === '"') return { value, end: at + 1 };
    if (text[at] === '\\') at++;
    value += text[at];
  }
  throw new Error('a quoted string without end');
}

/** The value that follows an item's name in a FETCH response. */
export function fetchedItem(response: string, name: string): ImapValue {
  const at = response.indexOf(`${name} `);
  if (at < 0) throw new Error(`no ${name} in ${response.slice(0, 100)}`);
  return readImapValue(response, at + name.length + 1).value;
}
