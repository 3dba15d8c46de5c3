import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { Said } from '../../../base/words.ts';
import { contentReader } from '../../../data/mailstore/content-reader.ts';
import type { OwnEmail } from '../../../data/account/emails.ts';
import { terms } from '../../../data/journal/types.ts';
import { senderFacts, storedEvidence } from '../../../flow/explain/evidence.ts';
import { filingOf, reasonsOf, verdictOf } from '../../../flow/explain/explain.ts';
import type { TraceRow } from '../../../flow/explain/facts.ts';
import { ownRows, senderHere, sentBy, timelineOf } from '../../../flow/explain/own.ts';
import { why } from '../../../flow/explain/why.ts';
import { storedSettings } from '../../../flow/sieve/settings.ts';
import { readHeader } from '../../../mail/message/headers.ts';
import type { Principal } from '../../request-login.ts';
import { type AccountContext, operation } from './operation.ts';
import { said } from '../said.ts';
import { emailId } from './schemas.ts';

/** "Why is this here?": what happened to a message, for the person who reads it. */

/** Octets of a header that are read. */
const HEADER_BYTES = 256 * 1024;
/** Traces under one Message-ID that are looked at. */
const TRACES = 5;

const explanation = z.object({
  /** '' where the server has no history of it. */
  trace: z.string(),
  verdict: z
    .object({ score: z.number(), spam: z.boolean(), action: z.string(), sentence: z.string(), words: said })
    .nullable(),
  reasons: z.array(z.object({ name: z.string(), score: z.number(), sentence: z.string(), words: said })),
  timeline: z.array(
    z.object({
      at: z.number(),
      kind: z.string(),
      sentence: z.string(),
      details: z.array(z.string()),
      words: z.object({ headline: said, details: z.array(said) }),
    }),
  ),
  sender: z.object({
    name: z.string(),
    address: z.string(),
    domain: z.string(),
    authenticated: z.enum(['pass', 'fail', 'none']),
    sentence: z.string(),
    words: said,
  }),
  filing: z
    .object({
      script: z.string().optional(),
      line: z.number().optional(),
      sentence: z.string().optional(),
      words: said.optional(),
    })
    .nullable(),
  why: z.array(z.string()),
  /** The same, with codes. */
  whyWords: z.array(said),
  levers: z.object({
    address: z.string(),
    domain: z.string(),
    state: z.enum(['allowed', 'blocked', 'none']),
    /** It is the whole domain that is allowed or blocked. */
    wholeDomain: z.boolean(),
  }),
});

interface History {
  readonly trace: string;
  readonly rows: readonly TraceRow[];
}

/** Its own trace, or where it is a copy of what the account sent, that of the sending. */
async function historyOf(
  { store }: AccountContext,
  who: Principal,
  email: OwnEmail,
  messageId: string | undefined,
): Promise<History> {
  const { trace } = email;
  const own = trace === undefined ? [] : await store.read.run('journal.byTrace', { trace });
  // What a program put here has the trace of its session, which tells nothing of how the message came.
  const came = own.some(({ kind }) => kind === 'message.accepted' || kind === 'message.deposited');
  if (came) return { trace: trace ?? '', rows: own };
  if (messageId === undefined) return { trace: '', rows: own };
  const term = terms.messageId(messageId);
  for (const found of await store.read.run('journal.find', { term, limit: TRACES })) {
    const rows = await store.read.run('journal.byTrace', { trace: found.trace });
    if (sentBy(rows, who.address)) return { trace: found.trace, rows: [...rows, ...own] };
  }
  return { trace: '', rows: own };
}

function bareId(value: string | undefined): string | undefined {
  return /<([^<>\s]{1,900})>/.exec(value ?? '')?.[1];
}

async function leversOf({ store }: AccountContext, { address: account }: Principal, address: string) {
  const author = address.toLowerCase();
  const domain = author.slice(author.lastIndexOf('@') + 1 || author.length);
  const entries = await store.read.run('spam.lists', { account });
  const exact = entries.find(({ pattern }) => pattern === author);
  const found = exact ?? entries.find(({ pattern }) => pattern === `@${domain}`);
  const state: 'allowed' | 'blocked' | 'none' =
    found === undefined ? 'none' : found.action === 'allow' ? 'allowed' : 'blocked';
  return { address, domain, state, wholeDomain: exact === undefined && found !== undefined };
}

const explain = operation({
  method: 'GET',
  path: '/explain/:emailId',
  summary: 'Why a message is where it is: what happened to it, what the filter thought, who sent it',
  access: 'mail',
  input: z.strictObject({ emailId, timeZone: z.string().max(60).optional() }),
  output: explanation,
  async run(context, { emailId: id, timeZone }, who) {
    const { store, clock } = context;
    const { accountId, address } = who;
    const email = await store.read.run('account.email', { accountId, emailId: id });
    if (email === undefined) throw new Refusal('no-such-message', 'There is no such message.');
    const header = await contentReader(store.blobs, email.content).header(HEADER_BYTES);
    const prefix = Buffer.from(email.content.prefix);
    const { verdict: stored, results, deliveredTo } = storedEvidence(prefix);
    const history = await historyOf(context, who, email, bareId(readHeader(header).first('message-id')));
    const rows = ownRows(history.rows, address);
    const sender = senderFacts(header, results, senderHere(history.rows));
    const reasons = reasonsOf(rows, stored);
    const verdict = verdictOf(rows, stored, reasons);
    const settings = await store.read.run('sieve.settings', { accountId });
    const unchanged = settings !== undefined && settings.changedAt <= email.receivedAt;
    const filing = filingOf(rows, address, unchanged ? storedSettings(settings.settings) : undefined);
    const { addresses } = await store.read.run('account.masked', { accountId });
    const sleeping = await store.read.run('account.snoozed', { accountId });
    const came = new Set(deliveredTo.map((each) => each.toLowerCase()));
    const reasonsWhy = why({
      address,
      rows,
      sent: sentBy(history.rows, address),
      verdict,
      reasons,
      filing,
      sender,
      deliveredTo,
      masked: addresses.filter((each) => came.has(each.address.toLowerCase())),
      places: email.places,
      snoozedUntil: sleeping.find((each) => each.emailId === id)?.until,
      keptMs: context.keptMs?.(),
      receivedAt: email.receivedAt,
      now: clock.now(),
    });
    return {
      trace: history.trace,
      verdict: verdict === undefined ? null : withSentence(verdict),
      reasons: reasons.map(withSentence),
      timeline: timelineOf(rows, address, zoneOf(timeZone)).map(({ at, kind, headline, details }) => ({
        at,
        kind,
        sentence: headline.text,
        details: details.map(({ text }) => text),
        words: { headline, details: [...details] },
      })),
      sender: withSentence(sender),
      filing: filing === undefined ? null : withSentence(filing),
      why: reasonsWhy.map(({ text }) => text),
      whyWords: reasonsWhy,
      levers: await leversOf(context, who, sender.address),
    };
  },
});

/** English beside the code. */
function withSentence<T extends { readonly words: Said }>(told: T): T & { readonly sentence: string } {
  return { ...told, sentence: told.words.text };
}

/** What is no time zone means the server's own. */
function zoneOf(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

export const explaining = { explain };
