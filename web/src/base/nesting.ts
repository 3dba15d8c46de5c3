/**
 * HTML of strangers before any parser of the browser sees it: parsers take time by the square of the depth, so that
 * 300 KB of "<b><i>" hold the page for a minute. Not the place where HTML is made harmless, which comes behind it.
 */

/** Elements that may be open at a time; those of conversations of years are a hundred or two. */
const MOST_OPEN = 250;
/** Begins of elements in all. */
const MOST_BEGINS = 60_000;
/** Elements that hold none, or that the next one of their kind ends. */
const FLAT: ReadonlySet<string> = new Set(
  `area base body br col colgroup dd dt embed head hr html img input li link meta option optgroup p param rp rt source
  tbody td tfoot th thead tr track wbr`.split(/\s+/),
);

/** The same, with elements that lie too deep made empty ones; `cut`: there was too much, and the end is missing. */
export function limitNesting(html: string): { readonly html: string; readonly cut: boolean } {
  const open = new Map<string, number>();
  let depth = 0;
  let begins = 0;
  let out = '';
  let from = 0;
  for (const match of html.matchAll(/<(\/?)([a-z][^\s/>]{0,50})/gi)) {
    const [all, slash, written = ''] = match;
    const name = written.toLowerCase();
    if (slash === '' && ++begins > MOST_BEGINS)
      return { html: out + html.slice(from, match.index), cut: true };
    if (FLAT.has(name)) continue;
    const now = open.get(name) ?? 0;
    if (slash !== '') {
      if (now === 0) continue;
      open.set(name, now - 1);
      depth--;
    } else if (depth >= MOST_OPEN) {
      out += `${html.slice(from, match.index)}<wbr`;
      from = match.index + all.length;
    } else {
      open.set(name, now + 1);
      depth++;
    }
  }
  return { html: out + html.slice(from), cut: false };
}
