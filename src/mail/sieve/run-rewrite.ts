/** replace, enclose and extracttext (RFC 5703 6, 7, 8). */
import { MessageScanner } from '../message/scanner.ts';
import { applyEdits } from './edits.ts';
import { MAX_REWRITE_BYTES } from './limits.ts';
import { sieveMessage } from './message.ts';
import { setValue } from './modifiers.ts';
import { type Node, numberOf } from './program.ts';
import { encloseMessage, givenEntity, replaceContent, textEntity, withSplices } from './rewrite.ts';
import {
  type Draft,
  editsOf,
  fail,
  note,
  type Run,
  setVariable,
  snapshot,
  spend,
  type Splice,
  tagText,
  text,
  texts,
} from './run.ts';
import { checkFromAddress } from './string-checks.ts';
import type { MessageEdits, SievePart } from './types.ts';

/** Octets scanned between two turns of the event loop: about a millisecond. */
const SCAN_CHUNK = 512 * 1024;
/** How often a script may replace parts or all of a message. */
const MAX_REWRITES = 64;

/** The message as a draft has it, without its header edits. */
async function contentOf(run: Run, draft: Draft, original: () => Promise<Buffer>): Promise<Buffer> {
  if (run.message.size > MAX_REWRITE_BYTES)
    fail(run, `a message of more than ${MAX_REWRITE_BYTES} octets cannot be changed`);
  return withSplices(draft.content ?? (await original()), draft.splices);
}

function wholeOf(run: Run): () => Promise<Buffer> {
  const { message } = run;
  return () => message.whole?.() ?? fail(run, 'the content of this message cannot be changed');
}

/** Makes the edits of drafts; reads the message only for those that change its content. */
export function rewriteWith(run: Run, original: Run['message']): (draft: Draft) => Promise<MessageEdits> {
  const whole = (): Promise<Buffer> =>
    original.whole?.() ?? fail(run, 'the content of this message cannot be changed');
  return async (draft) => {
    const touched = draft.content !== undefined || draft.splices.length > 0;
    return editsOf(draft, touched ? await contentOf(run, draft, whole) : undefined);
  };
}

/** Goes on with another message: tests see it, header edits begin anew. */
async function become(run: Run, content: Buffer): Promise<void> {
  const { draft } = run;
  const scanner = new MessageScanner();
  for (let at = 0; at < content.length; at += SCAN_CHUNK) {
    scanner.push(content.subarray(at, at + SCAN_CHUNK));
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  run.message = await sieveMessage(scanner.end(), (start, end) => content.subarray(start, end), content);
  run.part = undefined;
  draft.fields = run.message.root.fields;
  draft.header = [];
  draft.splices = [];
  draft.content = content;
  draft.shot = undefined;
}

async function current(run: Run): Promise<Buffer> {
  const content = await contentOf(run, run.draft, wholeOf(run));
  spend(run, content.length / 64);
  return applyEdits(content, { header: run.draft.header, content: undefined });
}

export async function replace(run: Run, node: Node): Promise<void> {
  const given = text(run, node.args[0]);
  // RFC 5703 6: an entity of the script's own says all itself.
  const mime = node.tags.has('mime');
  const entity = mime ? givenEntity(given) : textEntity(given);
  const subject = mime ? undefined : tagText(run, node, 'subject');
  const from = mime ? undefined : tagText(run, node, 'from');
  if (from !== undefined && checkFromAddress(from) !== undefined)
    fail(run, `:from "${from.slice(0, 100)}" is not an address`);
  const { part } = run;
  if (part !== undefined && part !== run.message.root) replacePart(run, node, part, entity);
  else await become(run, replaceContent(await current(run), entity, { subject, from }));
}

function covers(outer: Splice, inner: Splice): boolean {
  return outer.start >= inner.start && outer.end <= inner.end;
}

/** A part of the message becomes another one; a part of a part that was replaced is gone. */
function replacePart(run: Run, node: Node, part: SievePart, entity: Buffer): void {
  const { draft } = run;
  if (part.range === undefined || !contains(run, part)) {
    note(run, node, 'replace: this part is no longer in the message');
    return;
  }
  if (draft.splices.length >= MAX_REWRITES) fail(run, `more than ${MAX_REWRITES} parts are replaced`);
  const { start, end, total } = part.range;
  const splice: Splice = { start: total - start, end: total - end, octets: withoutLastLineEnd(entity) };
  const same = (one: Splice): boolean => one.start === splice.start && one.end === splice.end;
  if (draft.splices.some((one) => !same(one) && covers(one, splice))) {
    note(run, node, 'replace: this part is no longer in the message');
    return;
  }
  draft.splices = [...draft.splices.filter((one) => !covers(splice, one)), splice];
  draft.shot = undefined;
}

function contains(run: Run, part: SievePart): boolean {
  const among = (parts: readonly SievePart[]): boolean =>
    parts.some((one) => one === part || among(one.children));
  return among(run.message.root.children);
}

/** The line end before a delimiter is not of the body (RFC 2046 5.1.1). */
function withoutLastLineEnd(entity: Buffer): Buffer {
  const tail = entity.subarray(-2).toString('latin1');
  return tail === '\r\n' ? entity.subarray(0, -2) : entity;
}

export async function enclose(run: Run, node: Node): Promise<void> {
  const headers = node.tags.has('headers') ? texts(run, node.tags.get('headers')) : [];
  // RFC 5703 7: a redirect sends the message on as it was before.
  run.beforeEnclose ??= { draft: snapshot(run) };
  const [from = run.envelope.to] = run.world.addresses;
  const subject = tagText(run, node, 'subject');
  const enclosing = { subject, headers, from, now: run.world.now };
  const enclosed = encloseMessage(await current(run), text(run, node.args[0]), enclosing);
  await become(run, enclosed);
}

/** RFC 5703 8: the text of the current part, empty for what is no text. */
export async function extractText(run: Run, node: Node): Promise<void> {
  const first = numberOf(node.tags.get('first')) ?? run.limits.variableLength;
  const { part } = run;
  const value = part?.type === 'text' ? await part.text(Math.min(first, run.limits.variableLength)) : '';
  spend(run, value.length);
  setVariable(run, text(run, node.args[0]), setValue(run, node, value));
}
