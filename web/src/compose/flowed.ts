import { trimEndOf } from '../base/trim.ts';
import { unquote } from './plain-text.ts';

/** format=flowed (RFC 3676): lines that flow together again where there is room. */

/** Characters of a line, so that it fits after some quoting (RFC 3676 section 4.2: 78 at most, 72 in practice). */
const WIDTH = 72;

/** Text of the composer as flowed text: paragraphs are cut at spaces, each cut line ends with one. */
export function encodeFlowed(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .split('\n')
    .flatMap((line) => flowLine(line))
    .join('\n');
}

function flowLine(line: string): string[] {
  // The mark of a signature keeps its space (section 4.3).
  if (line === '-- ') return [line];
  const { depth, rest } = unquote(line);
  const quote = '>'.repeat(depth);
  const clean = trimEndOf(rest, ' ');
  if (clean === '') return [quote];
  const out: string[] = [];
  let left = clean;
  const room = Math.max(20, WIDTH - depth);
  while (left.length > room) {
    // At the last space that fits; a word that is longer than the line stays whole.
    let cut = left.lastIndexOf(' ', room);
    if (cut <= 0) cut = left.indexOf(' ', room);
    if (cut <= 0 || cut === left.length - 1) break;
    out.push(left.slice(0, cut + 1));
    left = left.slice(cut + 1);
  }
  out.push(left);
  return out.map((each) => (depth > 0 ? `${quote} ${each}` : stuff(each)));
}

/** Space-stuffing (section 4.4): what begins like a quote, a space or "From " gets a space before it. */
function stuff(line: string): string {
  return /^(?:>| |From )/.test(line) ? ` ${line}` : line;
}

/** Flowed text as its paragraphs. `delSp`: the space at the end of a cut line is not the text's (section 4.1). */
export function decodeFlowed(text: string, delSp = false): string {
  const out: string[] = [];
  let open: { depth: number; text: string } | undefined;
  const end = (): void => {
    if (open !== undefined)
      out.push(open.depth > 0 ? `${'>'.repeat(open.depth)} ${open.text}`.trimEnd() : open.text);
    open = undefined;
  };
  for (const raw of text.replace(/\r\n?/g, '\n').split('\n')) {
    const depth = /^>*/.exec(raw)?.[0].length ?? 0;
    const line = raw.slice(depth).replace(/^ /, '');
    const flows = line.endsWith(' ') && line !== '-- ';
    if (open !== undefined && (open.depth !== depth || line === '-- ')) end();
    open = { depth, text: (open?.text ?? '') + (flows && delSp ? line.slice(0, -1) : line) };
    if (!flows) end();
  }
  end();
  return out.join('\n');
}
