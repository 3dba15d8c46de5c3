import { randomBytes } from 'node:crypto';
import { timeId } from '../../base/ids.ts';
import { limits } from '../../base/limits.ts';
import type { Enqueue, NewOutgoing, QueueMessage, QueueRecipient } from '../../data/queue/types.ts';
import { buildDsn } from '../../mail/dsn/build.ts';
import type { Dsn, DsnAction, DsnRecipient } from '../../mail/dsn/types.ts';
import { readHeader } from '../../mail/message/headers.ts';
import { decodeWords } from '../../mail/message/words.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { inlineBlob } from '../intake.ts';
import { firstOctets } from './content.ts';
import { queueTimes } from './enqueue.ts';
import { hashed, signMessage } from './sign.ts';
import type { MessageContent } from './transport.ts';

/** Octets of an original message returned whole on request (RET=FULL); of a larger one only the header. */
const RETURN_FULL_BYTES = 64 * 1024;
/** Octets of the original read for a notification: its header is within them. */
const ORIGINAL_BYTES = limits.headerBytes + RETURN_FULL_BYTES;

/** The message that a notification is about. */
export type NoticeSource = Pick<
  QueueMessage,
  'trace' | 'accountId' | 'reversePath' | 'ret' | 'envid' | 'smtputf8' | 'createdAt' | 'expiresAt'
> & {
  /** A domain of ours to write from when the reverse-path has none. */
  readonly ownDomain?: string;
};

/** What may be returned of it. */
export interface Original {
  readonly header: Buffer;
  readonly full?: Buffer | undefined;
}

/** One recipient to tell the sender about. */
export interface Notice {
  readonly recipient: Pick<QueueRecipient, 'id' | 'address' | 'orcpt'>;
  readonly action: DsnAction;
  readonly status: string;
  readonly reply: string;
  readonly host: string | undefined;
  /** False: the words of `reply` are ours, nobody answered. */
  readonly answered?: boolean | undefined;
  /** Of the last attempt, when there was one. */
  readonly attemptedAt: number | undefined;
}

/** What NOTIFY asks for (RFC 3461 4.1): nothing given means failures and delays. */
export function wants(notify: string, what: 'SUCCESS' | 'FAILURE' | 'DELAY'): boolean {
  if (notify === '') return what !== 'SUCCESS';
  return notify.split(',').includes(what);
}

/** Why a notification about this message would not be sent; undefined when it may be. */
export function whySilent(message: QueueMessage): string | undefined {
  if (message.reversePath === '')
    return 'its reverse-path is null: a notification is never answered by another';
  if (!message.mayBounce)
    return 'its sender was not proven by SPF or DKIM, so the reverse-path may be a bystander';
  return undefined;
}

/** What may be returned of a queued message. */
export async function originalOf(content: MessageContent): Promise<Original> {
  const octets = await firstOctets(content, Math.min(content.size, ORIGINAL_BYTES));
  return { header: octets, full: content.size <= RETURN_FULL_BYTES ? octets : undefined };
}

/** A delivery status notification to the sender, signed and ready for the queue, to commit with what it tells of. */
export async function notification(
  deps: FlowDeps,
  source: NoticeSource,
  notices: readonly Notice[],
  original: Original,
): Promise<NewOutgoing> {
  const { settings, clock } = deps;
  const toUs = await isOurs(deps, destinationOf(source.reversePath));
  const domain = toUs ? destinationOf(source.reversePath) : await ownDomain(deps, source);
  const dsn = buildDsn({
    reportingMta: settings.hostname,
    now: clock.now(),
    arrived: source.createdAt,
    envid: source.envid,
    from: `mailer-daemon@${domain}`,
    to: source.reversePath,
    recipients: notices.map((notice) => dsnRecipient(notice, source)),
    original: { headerBytes: original.header, full: original.full, subject: subjectOf(original.header) },
    ret: source.ret,
    smtputf8: source.smtputf8,
    random: randomBytes,
  });
  const { header, bodyHash } = hashed(dsn.bytes);
  const { fields } = await signMessage(deps, [domain], header, bodyHash);
  // Held mail is mail to others; a notice to a user of ours is delivered here.
  const holdReason = toUs ? undefined : settings.holdOutgoing;
  return { blob: inlineBlob(dsn.bytes), enqueue: dsnEnqueue(deps, source, dsn, fields, holdReason) };
}

async function isOurs(deps: FlowDeps, domain: string): Promise<boolean> {
  return (await deps.store.read.run('directory.domain', { name: domain })) !== undefined;
}

/** The domain a notification to somebody elsewhere is written from: one that can sign it, if there is one. */
async function ownDomain(deps: FlowDeps, source: NoticeSource): Promise<string> {
  if (source.ownDomain !== undefined) return source.ownDomain;
  if (source.accountId === undefined) return deps.settings.hostname;
  const account = await deps.store.read.run('directory.account', { id: source.accountId });
  return account === undefined ? deps.settings.hostname : destinationOf(account.address);
}

/** Decoded, for the text that a person reads. */
function subjectOf(header: Buffer): string | undefined {
  const raw = readHeader(header).first('subject');
  return raw === undefined ? undefined : decodeWords(raw);
}

function dsnRecipient(
  { recipient, action, status, reply, host, answered, attemptedAt }: Notice,
  source: NoticeSource,
): DsnRecipient {
  const separator = recipient.orcpt?.indexOf(';') ?? -1;
  return {
    finalRecipient: recipient.address,
    action,
    status,
    // Without a reply code in front it counts as our own words (x-local), not as the other host's.
    diagnostic: answered === false ? reply.replace(/^\d{3} (\d\.\d{1,3}\.\d{1,3} )?/, '') : reply,
    remoteMta: host?.split(' ')[0],
    ...(recipient.orcpt !== undefined &&
      separator > 0 && {
        originalRecipient: {
          type: recipient.orcpt.slice(0, separator),
          address: recipient.orcpt.slice(separator + 1),
        },
      }),
    ...(action === 'delayed' && source.expiresAt !== undefined && { willRetryUntil: source.expiresAt }),
    ...(attemptedAt !== undefined && { lastAttempt: attemptedAt }),
  };
}

function dsnEnqueue(
  deps: FlowDeps,
  source: NoticeSource,
  dsn: Dsn,
  signature: Buffer,
  holdReason: string | undefined,
): Enqueue {
  const address = source.reversePath;
  return {
    queueId: timeId(deps.clock.now()),
    trace: source.trace,
    origin: 'dsn',
    accountId: source.accountId,
    reversePath: '',
    mayBounce: false,
    prefix: signature,
    hidden: [],
    ret: undefined,
    envid: undefined,
    body: dsn.body,
    smtputf8: dsn.smtputf8,
    requireTls: false,
    originated: true,
    messageId: undefined,
    size: dsn.bytes.length + signature.length,
    ...queueTimes(deps),
    holdReason,
    recipients: [{ address, destination: destinationOf(address), orcpt: undefined, notify: 'NEVER' }],
  };
}
