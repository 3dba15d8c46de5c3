/** The body test (RFC 5173). */
import { guessText } from '../charset.ts';
import { htmlText } from './html-text.ts';
import { matchValues } from './match.ts';
import type { Node } from './program.ts';
import { type Run, spend, texts } from './run.ts';
import { loadParts, partsBelow } from './run-mime.ts';
import type { SieveMessage, SievePart } from './types.ts';

/** Parts whose text one test looks at. */
const MAX_PARTS = 200;

const cache = new WeakMap<SieveMessage, Map<string, string[]>>();

/** Values of a transform, made once a run: several tests ask for the same. */
async function remembered(run: Run, key: string, make: () => Promise<string[]>): Promise<string[]> {
  let known = cache.get(run.message);
  if (known === undefined) {
    known = new Map();
    cache.set(run.message, known);
  }
  let values = known.get(key);
  if (values === undefined) {
    values = await make();
    known.set(key, values);
  }
  return values;
}

export async function body(run: Run, node: Node): Promise<boolean> {
  if (node.tags.has('content')) await loadParts(run);
  const values = await bodyValues(run, node);
  // RFC 5173 6: wildcards of body tests set no match variables.
  return matchValues(run, node, values, node.args[0], { keepVariables: true });
}

function bodyValues(run: Run, node: Node): Promise<string[]> {
  const { root } = run.message;
  const max = run.limits.bodyCharacters;
  if (node.tags.has('raw')) return remembered(run, 'raw', async () => [guessText(await root.raw(max))]);
  if (node.tags.has('content')) {
    const types = texts(run, node.tags.get('content')).map((type) => type.toLowerCase());
    return remembered(run, `content ${types.join(' ')}`, () =>
      collect(run, (part) => types.some((type) => isType(part, type)), contentOf),
    );
  }
  return remembered(run, 'text', () => collect(run, (part) => part.type === 'text', readableOf));
}

/** RFC 5173 5.2: "" is every part, "text" all of a type, "text/html" one. */
function isType(part: SievePart, wanted: string): boolean {
  if (wanted === '') return true;
  const [type, subtype, more] = wanted.split('/');
  if (more !== undefined || type === '' || subtype === '') return false;
  return part.type === type && (subtype === undefined || part.subtype === subtype);
}

async function collect(
  run: Run,
  wanted: (part: SievePart) => boolean,
  give: (part: SievePart, max: number) => Promise<string>,
): Promise<string[]> {
  const values: string[] = [];
  let room = run.limits.bodyCharacters;
  for (const part of partsBelow(run.message.root)) {
    if (room <= 0 || values.length >= MAX_PARTS) break;
    if (!wanted(part)) continue;
    const value = await give(part, room);
    spend(run, value.length);
    room -= value.length;
    values.push(value);
  }
  return values;
}

/** RFC 5173 5.2: of a message inside the message its header, of a multipart what stands between its parts: not looked at. */
async function contentOf(part: SievePart, max: number): Promise<string> {
  if (part.type === 'multipart') return '';
  const inner = part.type === 'message' ? part.children[0] : undefined;
  if (inner !== undefined)
    return inner.fields
      .map((field) => `${field.name}: ${field.value}\r\n`)
      .join('')
      .slice(0, max);
  return part.text(max);
}

async function readableOf(part: SievePart, max: number): Promise<string> {
  const text = await part.text(max);
  return part.subtype === 'html' ? htmlText(text) : text;
}
