/** Plain text of messages: its quotations and its paragraphs (RFC 3676). */

/** Lines of one depth of quotation. */
export interface Block {
  readonly depth: number;
  readonly text: string;
}

/** Lines that are looked at; texts longer than this are cut elsewhere. */
const MOST_DEPTH = 30;
/** Blocks of a text; what comes behind them stands in the last one as it is. */
const MOST_BLOCKS = 2000;

/** How deep a line is quoted, and what is left of it. */
function quoted(line: string, flowed: boolean): { depth: number; text: string } {
  let depth = 0;
  let at = 0;
  while (depth < MOST_DEPTH && line[at] === '>') {
    depth++;
    at++;
    // Others than RFC 3676 have it put a space between.
    if (!flowed && line[at] === ' ' && line[at + 1] === '>') at++;
  }
  // Space-stuffing (RFC 3676 section 4.4), and the space after ">".
  if (line[at] === ' ' && (flowed || depth > 0)) at++;
  return { depth, text: line.slice(at) };
}

/**
 * Blocks of a text. With `flowed`, lines that end in a space go on in the next one of the same depth (RFC 3676 section
 * 4.1); `delSp`: that space goes.
 */
export function textBlocks(text: string, flowed = false, delSp = false): Block[] {
  const blocks: { depth: number; lines: string[] }[] = [];
  let joining = false;
  for (const raw of text.replaceAll('\r\n', '\n').replace(/\n$/, '').split('\n')) {
    let block = blocks.at(-1);
    if (block !== undefined && blocks.length >= MOST_BLOCKS) {
      block.lines.push(raw);
      continue;
    }
    const { depth, text: line } = quoted(raw, flowed);
    if (block === undefined || block.depth !== depth) {
      joining = false;
      blocks.push((block = { depth, lines: [] }));
    }
    const signature = line === '-- ';
    const flows = flowed && !signature && line.endsWith(' ');
    const kept = flows && delSp ? line.slice(0, -1) : line;
    if (joining && !signature) block.lines.push((block.lines.pop() ?? '') + kept);
    else block.lines.push(kept);
    joining = flows;
  }
  return blocks.map(({ depth, lines }) => ({ depth, text: lines.join('\n') }));
}

export interface SplitText {
  readonly body: readonly Block[];
  /** A quotation at the end with the line that announces it, to be folded. */
  readonly quote: readonly Block[];
}

/** The line before a quotation: "On Monday, Ann wrote:". */
const ANNOUNCES = /:\s*$/;

export function splitQuote(blocks: readonly Block[]): SplitText {
  let end = blocks.length;
  while (end > 0 && blocks[end - 1]?.depth === 0 && blocks[end - 1]?.text.trim() === '') end--;
  const last = blocks[end - 1];
  if (last === undefined || last.depth === 0) return { body: blocks, quote: [] };
  let start = end - 1;
  while (start > 0 && (blocks[start - 1]?.depth ?? 0) > 0) start--;
  const before = blocks[start - 1];
  if (before === undefined || before.text.trim() === '') return { body: blocks, quote: [] };
  const lines = before.text.split('\n');
  let from = lines.length;
  while (from > 0 && lines[from - 1]?.trim() === '') from--;
  let first = from;
  if (from > 0 && ANNOUNCES.test(lines[from - 1] ?? '')) {
    first = from - 1;
    // It may go over two lines.
    if (
      first > 0 &&
      !/^(?:On|Am|Le|El|Il|Den|Op)\b/.test(lines[first] ?? '') &&
      /^(?:On|Am|Le|El|Il|Den|Op)\b/.test(lines[first - 1] ?? '')
    )
      first--;
  }
  const announcement = lines.slice(first, from).join('\n');
  const rest = lines.slice(0, first).join('\n').trimEnd();
  if (rest === '' && start <= 1) return { body: blocks, quote: [] };
  return {
    body: [...blocks.slice(0, start - 1), { depth: 0, text: rest }],
    quote: [...(announcement === '' ? [] : [{ depth: 0, text: announcement }]), ...blocks.slice(start)],
  };
}

/** A parameter of a Content-Type field as it stands there. */
export function typeParameter(field: string | undefined, name: string): string | undefined {
  const match = new RegExp(`;\\s*${name}\\s*=\\s*"?([^";\\s]{1,100})`, 'i').exec(
    (field ?? '').slice(0, 1000),
  );
  return match?.[1]?.toLowerCase();
}
