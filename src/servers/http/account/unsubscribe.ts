import { z } from 'zod';
import { errorText, Refusal } from '../../../base/errors.ts';
import { timeId } from '../../../base/ids.ts';
import { terms } from '../../../data/journal/types.ts';
import { contentReader } from '../../../data/mailstore/content-reader.ts';
import { storedEvidence } from '../../../flow/explain/evidence.ts';
import type { MailParams, MailTransaction, SessionFacts } from '../../../flow/service.ts';
import { isAscii } from '../../../mail/address/domain.ts';
import { foldField, formatDate, headerSafe } from '../../../mail/message/build.ts';
import {
  UNSUBSCRIBE_BODY,
  type UnsubscribeWay,
  unsubscribeWays,
} from '../../../mail/message/list-unsubscribe.ts';
import { guardedFetch } from '../../../net/guarded-fetch.ts';
import type { Principal } from '../../request-login.ts';
import { type AccountContext, operation } from './operation.ts';
import { emailId } from './schemas.ts';

/** Leaving a mailing list: by one click where the sender has signed that, else by mail, else by a page to look at. */

const HEADER_BYTES = 256 * 1024;
const ANSWER_BYTES = 64 * 1024;
const ANSWER_MS = 20_000;
/** Addresses of one message that are tried as the sender. */
const SENDERS_TRIED = 2;

interface Outcome {
  readonly state: 'done' | 'sent-mail' | 'open-page';
  readonly url?: string;
}

const leave = operation({
  method: 'POST',
  path: '/unsubscribe',
  summary: 'Leave the mailing list that a message came by',
  access: 'send',
  input: z.strictObject({ emailId }),
  output: z.object({ state: z.enum(['done', 'sent-mail', 'open-page']), url: z.string().optional() }),
  async run(context, { emailId: id }, who): Promise<Outcome> {
    const { store, paces } = context;
    const email = await store.read.run('account.email', { accountId: who.accountId, emailId: id });
    if (email === undefined) throw new Refusal('no-such-message', 'There is no such message.');
    const header = await contentReader(store.blobs, email.content).header(HEADER_BYTES);
    const { results, deliveredTo } = storedEvidence(Buffer.from(email.content.prefix));
    const ways = unsubscribeWays(header, results);
    if (ways.length === 0)
      throw new Refusal(
        'not-found',
        'The message does not say how to leave its list. You can block its sender.',
      );
    const letter = { ways, deliveredTo, trace: email.trace };
    return paces.unsubscribes.within(who.accountId, () => tryWays(context, who, letter));
  },
});

/** A message of a list. */
interface Letter {
  readonly ways: readonly UnsubscribeWay[];
  /** Addresses that the list wrote to, as our own fields have them. */
  readonly deliveredTo: readonly string[];
  readonly trace: string | undefined;
}

async function tryWays(
  context: AccountContext,
  who: Principal,
  { ways, deliveredTo, trace }: Letter,
): Promise<Outcome> {
  let failure: unknown;
  for (const way of ways) {
    try {
      if (way.kind === 'page') return { state: 'open-page', url: way.url };
      const reply =
        way.kind === 'one-click' ? await post(context, way.url) : await mail(context, who, way, deliveredTo);
      const to = way.kind === 'one-click' ? (URL.parse(way.url)?.host ?? '') : way.to;
      await note(context, who, trace, { way: way.kind, to, reply });
      return { state: way.kind === 'one-click' ? 'done' : 'sent-mail' };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      failure ??= error;
    }
  }
  // One click did not work: the same link is a page for a person (RFC 8058 section 3.1).
  const link = ways.find((way) => way.kind === 'one-click');
  if (link !== undefined) return { state: 'open-page', url: link.url };
  throw failure;
}

/** RFC 8058 section 3.2: no cookies, no credentials, no redirects; the answer's status is all that counts. */
async function post({ dns, clock, fetching }: AccountContext, url: string): Promise<string> {
  const resolver = dns?.();
  if (resolver === undefined) throw new Refusal('unavailable', 'This server has no DNS.');
  const response = await guardedFetch({
    url,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: UNSUBSCRIBE_BODY,
    maxBytes: ANSWER_BYTES,
    timeoutMs: ANSWER_MS,
    resolver,
    clock,
    ...fetching,
  });
  response.close();
  if (response.status < 200 || response.status > 299)
    throw new Refusal('unavailable', `The list answered with HTTP ${response.status}.`);
  return `HTTP ${response.status}`;
}

/** Sent as the account sends anything else: limits, signature, journal. */
async function mail(
  context: AccountContext,
  who: Principal,
  { to, subject, body }: UnsubscribeWay & { kind: 'mail' },
  deliveredTo: readonly string[],
): Promise<string> {
  const octets = (from: string): Buffer =>
    Buffer.from(
      [
        foldField('From', headerSafe(from)),
        foldField('To', headerSafe(to)),
        foldField('Subject', headerSafe(subject)),
        `Date: ${formatDate(context.clock.now())}\r\n`,
        'Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n',
        'Content-Transfer-Encoding: 8bit\r\n\r\n',
        `${body}\r\n`,
      ].join(''),
    );
  const { from, transaction } = await begin(context, who, deliveredTo, (one) => ({
    size: octets(one).length,
    body: '8BITMIME',
    smtputf8: ![one, to].every(isAscii),
    requireTls: false,
    ret: undefined,
    envid: undefined,
    auth: undefined,
  }));
  try {
    await transaction.rcpt(to, { notify: ['NEVER'], orcpt: undefined });
    const sink = await transaction.open();
    await sink.write(octets(from));
    const { reply } = await sink.finish();
    return reply.lines.join(' ');
  } catch (error) {
    transaction.abandon();
    throw error;
  }
}

/**
 * A list knows the address that it writes to and no other: an alias, a masked address. From there, where the account may
 * send as it; an address that is not (or no longer) its own is refused, and then its main one is used.
 */
async function begin(
  { submission }: AccountContext,
  who: Principal,
  deliveredTo: readonly string[],
  parametersOf: (from: string) => MailParams,
): Promise<{ readonly from: string; readonly transaction: MailTransaction }> {
  for (const from of deliveredTo.filter((one) => one.includes('@')).slice(0, SENDERS_TRIED)) {
    try {
      return { from, transaction: await submission.mail(sessionOf(who), from, parametersOf(from)) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
    }
  }
  const from = who.address;
  return { from, transaction: await submission.mail(sessionOf(who), from, parametersOf(from)) };
}

function sessionOf({ accountId, address, remoteAddress, revoked, trace }: Principal): SessionFacts {
  return {
    id: trace,
    protocol: 'submission',
    remoteAddress,
    remotePort: 0,
    localAddress: '',
    localPort: 0,
    helo: '',
    extended: true,
    tls: undefined,
    login: { accountId, address, mechanism: 'HTTP', revoked },
    earlyTalk: false,
    earlyPipelining: false,
  };
}

async function note(
  { store, clock, logger, count }: AccountContext,
  { address }: Principal,
  trace: string | undefined,
  data: { readonly way: string; readonly to: string; readonly reply: string },
): Promise<void> {
  const at = clock.now();
  count('unsubscribe');
  const event = {
    trace: trace ?? timeId(at),
    at,
    kind: 'message.unsubscribed' as const,
    data: { account: address, ...data },
    terms: [terms.address(address)],
  };
  await store.write.run('journal.append', { events: [event] }).catch((error: unknown) => {
    logger.error({ error: errorText(error) }, 'account: the journal has no record of an unsubscription');
  });
}

export const lists = { leave };
