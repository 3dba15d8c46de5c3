/** Texts that stand in sources, for tests that hold catalogues against them. */

export interface Literal {
  readonly text: string;
  /** Where it ends in the source. */
  readonly end: number;
}

/** The string or template literal that is opened at a place; what is filled in becomes "X1". */
export function literalAt(source: string, open: number): Literal {
  const quote = source[open];
  let text = '';
  let at = open + 1;
  while (at < source.length && source[at] !== quote) {
    if (source[at] === '\\') {
      text += source[at + 1] === 'n' ? '\n' : (source[at + 1] ?? '');
      at += 2;
    } else if (quote === '`' && source.startsWith('${', at)) {
      let depth = 1;
      at += 2;
      for (; depth > 0 && at < source.length; at++)
        depth += source[at] === '{' ? 1 : source[at] === '}' ? -1 : 0;
      text += 'X1';
    } else text += source[at++];
  }
  return { text, end: at };
}

/** String and template literals from a place up to the end of the call or statement. */
export function literalsFrom(source: string, from: number): string[] {
  const found: string[] = [];
  for (let at = from, depth = 0; at < source.length && depth >= 0; at++) {
    const char = source[at] ?? '';
    if ('([{'.includes(char)) depth++;
    else if (')]}'.includes(char)) depth--;
    else if (char === ';' && depth === 0) break;
    else if (char === '/' && source[at + 1] === '/') at = source.indexOf('\n', at);
    else if (char === "'" || char === '"' || char === '`') {
      const { text, end } = literalAt(source, at);
      found.push(text);
      at = end;
    }
  }
  return found;
}

/** A pattern, where a slash cannot divide: quotes in it open nothing. */
const PATTERN = /[(,=:!&|?;\s]\/(?![/*\s])(?:[^\\/\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\//y;

/** Every string and template literal of a source. */
export function literalsIn(source: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < source.length; at++) {
    const char = source[at] ?? '';
    PATTERN.lastIndex = at;
    const pattern = PATTERN.exec(source);
    if (pattern !== null) at += pattern[0].length - 1;
    else if (source.startsWith('//', at)) at = source.indexOf('\n', at);
    else if (source.startsWith('/*', at)) at = source.indexOf('*/', at) + 1;
    else if (char === "'" || char === '"' || char === '`') {
      const { text, end } = literalAt(source, at);
      found.push(text);
      at = end;
    }
  }
  return found;
}
