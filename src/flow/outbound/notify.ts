import { randomBytes } from 'node:crypto';
import { timeId } from '../../base/ids.ts';
import type {
  Enqueue,
  LeasedWork,
  NewOutgoing,
  QueueMessage,
  QueueRecipient,
} from '../../data/queue/types.ts';
import { createBodyHasher } from '../../mail/dkim/body-hash.ts';
import { buildDsn } from '../../mail/dsn/build.ts';
import type { DsnAction, DsnRecipient } from '../../mail/dsn/types.ts';
import { scanMessage } from '../../mail/message/scanner.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { inlineBlob } from '../intake.ts';
import { signMessage } from './sign.ts';

/** Octets of an original message returned whole on request (RET=FULL); of a larger one only the header. */
const RETURN_FULL_BYTES = 64 * 1024;

/** One recipient to tell the sender about. */
export interface Notice {
  readonly recipient: QueueRecipient;
  readonly action: DsnAction;
  readonly status: string;
  readonly reply: string;
  readonly host: string | undefined;
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
  if (!message.mayBounce) return 'its sender was not proven by SPF, so the reverse-path may be a bystander';
  return undefined;
}

/** A delivery status notification to the sender, signed and ready for the queue, to commit with what it tells of. */
export async function notification(
  deps: FlowDeps,
  work: Pick<LeasedWork, 'message'>,
  notices: readonly Notice[],
  original: Buffer,
): Promise<NewOutgoing> {
  const { message } = work;
  const { settings, clock } = deps;
  const ownDomain = destinationOf(message.reversePath);
  const ours = await deps.store.read.run('directory.domain', { name: ownDomain });
  const from = `mailer-daemon@${ours === undefined ? settings.hostname : ownDomain}`;
  const dsn = buildDsn({
    reportingMta: settings.hostname,
    now: clock.now(),
    arrived: message.createdAt,
    envid: message.envid,
    from,
    to: message.reversePath,
    recipients: notices.map((notice) => dsnRecipient(notice, message)),
    original: { headerBytes: original, full: original.length <= RETURN_FULL_BYTES ? original : undefined },
    ret: message.ret,
    smtputf8: message.smtputf8,
    random: randomBytes,
  });
  const structure = scanMessage(dsn.bytes);
  const hasher = createBodyHasher('relaxed');
  hasher.update(dsn.bytes.subarray(structure.root.bodyStart));
  const header = dsn.bytes.subarray(0, structure.root.bodyStart);
  const { fields } = await signMessage(deps, destinationOf(from), header, hasher.digest());
  return {
    blob: inlineBlob(dsn.bytes),
    enqueue: dsnEnqueue(deps, message, dsn, fields),
  };
}

function dsnRecipient(
  { recipient, action, status, reply, host }: Notice,
  message: QueueMessage,
): DsnRecipient {
  const separator = recipient.orcpt?.indexOf(';') ?? -1;
  return {
    finalRecipient: recipient.address,
    action,
    status,
    diagnostic: reply,
    remoteMta: host?.split(' ')[0],
    ...(recipient.orcpt !== undefined &&
      separator > 0 && {
        originalRecipient: {
          type: recipient.orcpt.slice(0, separator),
          address: recipient.orcpt.slice(separator + 1),
        },
      }),
    ...(action === 'delayed' && message.expiresAt !== undefined && { willRetryUntil: message.expiresAt }),
    ...(recipient.lastAt !== undefined && { lastAttempt: recipient.lastAt }),
  };
}

function dsnEnqueue(
  deps: FlowDeps,
  message: QueueMessage,
  dsn: { bytes: Buffer; body: '7BIT' | '8BITMIME'; smtputf8: boolean },
  signature: Buffer,
): Enqueue {
  const now = deps.clock.now();
  const { warnAfterMs, expireAfterMs, holdOutgoing } = deps.settings;
  return {
    queueId: timeId(now),
    trace: message.trace,
    origin: 'dsn',
    accountId: message.accountId,
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
    warnAt: warnAfterMs === undefined ? undefined : now + warnAfterMs,
    expiresAt: expireAfterMs === undefined ? undefined : now + expireAfterMs,
    // Held mail is mail to others; a notice to a user of ours is delivered here.
    holdReason: message.origin === 'submission' ? undefined : holdOutgoing,
    recipients: [
      {
        address: message.reversePath,
        destination: destinationOf(message.reversePath),
        orcpt: undefined,
        notify: 'NEVER',
      },
    ],
  };
}
