/** Lists and braces in the names of tables (postconf(5), "pcre:{ ... }"). */

/** What stands between the braces around the whole text; undefined when there are none, or more after them. */
export function stripBraces(text: string): string | undefined {
  const trimmed = text.trim();
  return trimmed.startsWith('{') && closing(trimmed, 0) === trimmed.length - 1
    ? trimmed.slice(1, -1).trim()
    : undefined;
}

/**
 * Items apart by commas or white space; what is in braces is one. Undefined where braces do not fit together. A table
 * such as `static:{a b}` is one item, too.
 */
export function splitList(text: string): string[] | undefined {
  const items: string[] = [];
  let item = '';
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === '{') {
      const end = closing(text, at);
      if (end === undefined) return undefined;
      item += text.slice(at, end + 1);
      at = end;
    } else if (char === '}') return undefined;
    else if (char !== ',' && !/\s/.test(char)) item += char;
    else if (item !== '') {
      items.push(item);
      item = '';
    }
  }
  if (item !== '') items.push(item);
  return items;
}

function closing(text: string, open: number): number | undefined {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    if (text[at] === '{') depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  return undefined;
}
