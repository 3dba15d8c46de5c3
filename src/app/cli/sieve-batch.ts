import { z } from 'zod';
import { type AttemptAnswer, attempt, type AttemptRequest } from '../../flow/sieve/attempt.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { displayAddresses } from '../../mail/message/addresses.ts';

/** Requests of `postern sieve test` as data, and answers. */

const texts = z.record(z.string(), z.string()).default({});

/** One line of `--batch`. */
export const batchLine = z.strictObject({
  /** Given back in the answer. */
  id: z.union([z.string(), z.number()]).optional(),
  script: z.string(),
  message: z.string(),
  /** How `message` is written: text (UTF-8), or octets in base64 or latin1. */
  encoding: z.enum(['utf8', 'latin1', 'base64']).default('utf8'),
  envelope: z
    .strictObject({
      from: z.string().optional(),
      to: z.string().optional(),
      auth: z.string().optional(),
      params: z.record(z.string(), z.string()).optional(),
    })
    .default({}),
  mailboxes: z
    .array(
      z.union([
        z.string(),
        z.strictObject({ name: z.string(), specialUse: z.string().optional(), id: z.string().optional() }),
      ]),
    )
    .optional(),
  addresses: z.array(z.string()).default([]),
  flags: z.array(z.string()).default([]),
  /** Milliseconds since the epoch, or a date as ISO 8601 writes it. */
  now: z.union([z.number(), z.iso.datetime({ offset: true })]).optional(),
  zoneMinutes: z.int().min(-1440).max(1440).default(0),
  spam: z.number().min(0).max(100).optional(),
  virus: z.int().min(0).max(5).optional(),
  seen: z.array(z.string()).default([]),
  include: texts,
  global: texts,
  lists: z.record(z.string(), z.array(z.string())).default({}),
  environment: texts,
  metadata: z.record(z.string(), z.record(z.string(), z.string())).default({}),
});

/** Lines of files mostly end as those of this system do; on the wire they end in CRLF. */
export function wireForm(octets: Buffer): Buffer {
  if (!octets.includes(10) || octets.includes('\r\n')) return octets;
  return Buffer.from(octets.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
}

/** What the message itself says of its envelope, where nobody else does. */
export function envelopeOf(message: Buffer): { from: string; to: string } {
  const header = readHeader(message);
  const first = (...names: string[]): string => {
    for (const name of names) {
      const value = header.first(name);
      const [found] = value === undefined ? [] : displayAddresses(value, 1);
      if (found !== undefined && found.address.includes('@')) return found.address;
    }
    return '';
  };
  const returnPath = header.first('return-path')?.trim();
  const from = returnPath === '<>' ? '' : first('return-path', 'from');
  return { from, to: first('delivered-to', 'to') || 'user@example.org' };
}

export function requestOf(line: z.output<typeof batchLine>, now: number): AttemptRequest {
  const message = wireForm(Buffer.from(line.message, line.encoding));
  const guessed = envelopeOf(message);
  const { auth, params, from = guessed.from, to = guessed.to } = line.envelope;
  return {
    script: line.script,
    message,
    envelope: { from, to, auth, ...(params !== undefined && { params }) },
    addresses: line.addresses,
    mailboxes: line.mailboxes?.map((each) => (typeof each === 'string' ? { name: each } : each)),
    flags: line.flags,
    now: typeof line.now === 'string' ? Date.parse(line.now) : (line.now ?? now),
    zoneMinutes: line.zoneMinutes,
    spamPercent: line.spam,
    virus: line.virus,
    seen: line.seen,
    personal: line.include,
    global: line.global,
    lists: line.lists,
    environment: line.environment,
    metadata: line.metadata,
    detailSeparator: '+',
  };
}

/** As programs read it: messages as text, octets that are no UTF-8 as latin1 with `encoding` saying so. */
export function answerJson(answer: AttemptAnswer): object {
  const { actions, stored, sent, errors, warnings, remember, log } = answer;
  return {
    ok: errors.length === 0,
    actions: actions.map(({ edits, ...action }) => ({ ...action, edited: edits !== undefined })),
    stored: stored.map(({ message, ...each }) => ({ ...each, ...octetsJson(message) })),
    sent: sent.map(({ message, from, to, ...each }) => ({
      ...each,
      envelope: { from, to },
      ...octetsJson(message),
    })),
    errors,
    warnings,
    remember,
    log,
  };
}

function octetsJson(octets: Buffer): { message: string; encoding?: 'latin1' } {
  const text = octets.toString('utf8');
  if (!text.includes('\ufffd')) return { message: text };
  return { message: octets.toString('latin1'), encoding: 'latin1' };
}

/** The answer to one line of `--batch`, as one line. */
export async function answerLine(line: string, now: number): Promise<string> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    return JSON.stringify({ ok: false, problem: 'the line is no JSON' });
  }
  const parsed = batchLine.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const problem = `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not right'}`;
    return JSON.stringify({ ok: false, problem });
  }
  const { id } = parsed.data;
  const answer = answerJson(await attempt(requestOf(parsed.data, now)));
  return JSON.stringify({ ...(id !== undefined && { id }), ...answer });
}
