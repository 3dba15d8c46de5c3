import { z } from 'zod';
import { inWords } from '../../../flow/explain/in-words.ts';
import type { Step } from '../../../flow/explain/steps.ts';
import { said } from '../said.ts';
import type { JournalData, JournalRow } from '../../../data/journal/types.ts';

/** Shapes that several operations share. Times are milliseconds since the epoch, sizes octets. */

export const domainName = z.string().min(1).max(255).describe('A domain name, in ASCII or Unicode');
export const address = z.string().min(1).max(320).describe('An e-mail address');
export const role = z.enum(['user', 'domain-admin', 'admin']);
export const password = z.string().max(1024);
export const quota = z.number().int().min(0).describe('Octets; 0 for no limit');
export const queueId = z.string().min(1).max(64);
const time = z.number();

export const domain = z.object({
  name: z.string(),
  aliasOf: z.string().optional(),
  catchAll: z.string().optional(),
  createdAt: time,
});

export const account = z.object({
  address: z.string(),
  displayName: z.string(),
  role,
  status: z.enum(['active', 'suspended', 'removed']),
  removedAt: time.optional(),
  quota: z.number(),
  used: z.number(),
  emails: z.number(),
  recipientsPerHour: z.number().optional(),
  createdAt: time,
  /** Nobody logs in to it. */
  shared: z.boolean(),
  /** It administers domains beside its own. */
  delegated: z.boolean().exactOptional(),
});

export const groupSenders = z
  .enum(['anyone', 'domain', 'members'])
  .describe('Who may send to a group: everybody, accounts of its domain, its members');

export const alias = z.object({
  address: z.string(),
  targets: z.array(z.string()).readonly(),
  /** What makes a group of it. */
  group: z.object({ description: z.string(), senders: groupSenders }).exactOptional(),
});

/** The public half only; the private key never leaves the store. */
export const dkimKey = z.object({
  domain: z.string(),
  selector: z.string(),
  algorithm: z.enum(['rsa-sha256', 'ed25519-sha256']),
  publicKey: z.string(),
  state: z.enum(['pending', 'active', 'retired', 'revoked']),
});

export const dnsRecord = z.object({
  name: z.string(),
  type: z.enum(['MX', 'A', 'AAAA', 'PTR', 'TXT', 'SRV', 'CNAME', 'TLSA', 'CAA']),
  value: z.string(),
  why: z.string(),
  whyWords: said.optional(),
  elsewhere: z.boolean().exactOptional(),
  onlyIf: z.string().exactOptional(),
  onlyIfWords: said.optional(),
});

export const queueRecipient = z.object({
  address: z.string(),
  destination: z.string(),
  state: z.enum(['queued', 'leased', 'held', 'delivered', 'failed', 'dropped']),
  attempts: z.number(),
  nextAt: time,
  lastAt: time.optional(),
  lastReply: z.string().optional(),
  lastHost: z.string().optional(),
  warned: z.boolean(),
});

export const queueMessage = z.object({
  id: z.number(),
  queueId: z.string(),
  trace: z.string(),
  origin: z.enum(['submission', 'forward', 'dsn', 'report']),
  /** '' is the null reverse-path. */
  reversePath: z.string(),
  mayBounce: z.boolean(),
  messageId: z.string().optional(),
  size: z.number(),
  createdAt: time,
  warnAt: time.optional(),
  expiresAt: time.optional(),
  holdReason: z.string().optional(),
  holdWords: z.array(said).readonly().optional(),
  /** Its sender wants it to leave then. */
  releaseAt: time.optional(),
  recipients: z.array(queueRecipient).readonly(),
});

/** The data of an event is the event's own affair; see data/journal/types.ts. */
const journalData = z.record(z.string(), z.json()) as unknown as z.ZodType<JournalData>;

export const journalRow = z.object({
  id: z.number(),
  trace: z.string(),
  at: time,
  kind: z.string(),
  data: journalData,
  count: z.number(),
  lastAt: time,
  /** What happened, and what can be done, in words; where that was asked for. */
  words: z
    .object({
      headline: said,
      details: z.array(said),
      rows: z.array(z.object({ label: said.optional(), text: said })),
      remedy: z.array(said),
    })
    .optional(),
});

/** Rows of one trace, in order, with their words where they are wanted. */
export function rowsInWords<R extends JournalRow>(
  rows: readonly R[],
  wanted: boolean | undefined,
): z.input<typeof journalRow>[] {
  if (wanted !== true) return [...rows];
  const steps = inWords(rows);
  return rows.map((row, i) => {
    const step = steps[i];
    return step === undefined ? row : { ...row, words: wordsOf(step) };
  });
}

export function wordsOf({ headline, details, rows = [], remedy }: Step) {
  return {
    headline,
    details: [...details],
    rows: rows.map(({ label, text }) => ({ ...(label !== undefined && { label }), text })),
    remedy: [...remedy],
  };
}

export type AdminAccount = z.output<typeof account>;
export type AdminQueueMessage = z.output<typeof queueMessage>;
export type TraceRow = z.output<typeof journalRow>;
