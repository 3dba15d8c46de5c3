import type { ResolvedTarget } from '../../../data/directory/types.ts';
import type { Enqueue, LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import { timeId } from '../../../base/ids.ts';
import { limits } from '../../../base/limits.ts';
import type { WriteArgs } from '../../../data/store.ts';
import { isAscii } from '../../../mail/address/domain.ts';
import { MessageScanner } from '../../../mail/message/scanner.ts';
import { visibleHeader } from '../../delivery/hidden.ts';
import {
  forwardsByRecipient,
  type Plan,
  type PlannedForward,
  type PlannedRecipient,
  planDelivery,
  queueRecipients,
} from '../../delivery/plan.ts';
import type { FlowDeps } from '../../deps.ts';
import { parsedContent, type TakenMessage } from '../../intake.ts';
import { octetsInStore } from '../../octets.ts';
import { applyScripts } from '../../sieve/apply.ts';
import type { ScriptOutcome } from '../../sieve/types.ts';
import { parseRecipient, resolve } from '../../recipient.ts';
import { replies } from '../../replies.ts';
import { srsTarget } from '../../srs.ts';
import { Refusal } from '../../../base/errors.ts';
import { acceptCommitted, depositEvents, queuedEvent } from '../../journal.ts';
import type { SettleRequest } from '../settle.ts';
import type { Outcome } from '../transport.ts';

/**
 * Delivery into our own mailboxes of what the queue holds: notifications to our users, and mail whose domain became
 * ours while it waited. Unlike the others this ends the attempt itself: deposit and settlement are one commit.
 */
export interface LocalDelivery {
  readonly outcomes: ReadonlyMap<number, Outcome>;
  commit(settle: SettleRequest): Promise<void>;
}

/** Notifications are small; anything the queue brings here is read whole up to our own message limit. */
export async function deliverLocally(deps: FlowDeps, work: LeasedWork): Promise<LocalDelivery> {
  const outcomes = new Map<number, Outcome>();
  const planned = new Map<number, PlannedRecipient>();
  for (const recipient of work.recipients) {
    const found = await targetsOf(deps, work, recipient);
    if ('outcome' in found) outcomes.set(recipient.id, found);
    else {
      planned.set(recipient.id, found);
      outcomes.set(recipient.id, deliveredHere(found));
    }
  }
  const recipients = [...planned.values()];
  const plan = planDelivery({
    recipients,
    reversePath: work.message.reversePath,
    received: Buffer.from(work.message.prefix),
    hidden: work.message.hidden,
    nowMs: deps.clock.now(),
    trace: work.message.trace,
  });
  const scripted = await scriptsFor(deps, work, plan, recipients);
  for (const [id, recipient] of planned) {
    const refused = refusedBy(scripted, recipient);
    if (refused !== undefined) outcomes.set(id, refused);
  }
  return { outcomes, commit: (settle) => commit(deps, work, scripted, settle) };
}

/** What the recipients' Sieve scripts make of it; refusals are told of as those of another host would be. */
function scriptsFor(
  deps: FlowDeps,
  work: LeasedWork,
  plan: Plan,
  recipients: readonly PlannedRecipient[],
): Promise<ScriptOutcome> {
  const { message } = work;
  const { body, smtputf8, requireTls, originated } = message;
  return applyScripts(deps, {
    trace: message.trace,
    reversePath: message.reversePath,
    auth: undefined,
    envid: message.envid,
    ret: message.ret,
    open: () => storedMessage(deps, work),
    passed: Buffer.from(message.prefix),
    client: { ip: '', name: '', helo: '' },
    plan,
    recipients,
    answers: 'each',
    verdictOf: () => undefined,
    mayTell: message.mayBounce,
    forged: false,
    onward: {
      prefix: Buffer.from(message.prefix),
      hidden: message.hidden,
      requireTls,
      originated,
      needs: (addresses) => ({ body, smtputf8: smtputf8 || !addresses.every(isAscii) }),
    },
  });
}

function refusedBy({ refusals }: ScriptOutcome, { targets }: PlannedRecipient): Outcome | undefined {
  const [only, second] = targets;
  if (only?.kind !== 'account' || second !== undefined) return undefined;
  const refusal = refusals.get(only.accountId);
  if (refusal === undefined) return undefined;
  const reply = `550 5.7.1 ${refusal.smtp?.lines.join(' ') ?? refusal.message}`;
  return { outcome: 'failed', reply, host: undefined, answered: false, status: '5.7.1' };
}

function deliveredHere({ targets }: PlannedRecipient): Outcome {
  const [only, second] = targets;
  const sentOn = second === undefined && only?.kind === 'external';
  return {
    outcome: 'delivered',
    reply: sentOn ? `250 2.0.0 sent on to ${only.address}` : '250 2.0.0 delivered here',
    host: undefined,
    answered: false,
    success: sentOn ? undefined : second === undefined ? 'delivered' : 'expanded',
    tls: 'local',
  };
}

async function targetsOf(
  deps: FlowDeps,
  work: LeasedWork,
  recipient: QueueRecipient,
): Promise<PlannedRecipient | Outcome> {
  const orcpt = recipient.orcpt;
  const notify = recipient.notify === '' ? [] : recipient.notify.split(',');
  try {
    const mailbox = parseRecipient(recipient.address, true, deps.settings.hostname);
    const srs = await srsTarget(deps, mailbox, work.message.reversePath);
    if (srs !== undefined) return { address: recipient.address, notify, orcpt, targets: srs };
    const found = await resolve(deps, mailbox, work.message.size);
    if (found.status === 'loop') throw replies.aliasLoop(recipient.address);
    if (found.status !== 'ok') throw replies.unknownRecipient(recipient.address);
    return { address: recipient.address, notify, orcpt, targets: found.targets.map(withoutQuota) };
  } catch (error) {
    if (!(error instanceof Refusal) || error.smtp === undefined) throw error;
    const { code, enhanced, lines } = error.smtp;
    const reply = `${code} ${enhanced ?? ''} ${lines.join(' ')}`;
    const ours = { reply, host: undefined, answered: false } as const;
    if (code < 500) return { outcome: 'deferred', ...ours, lostReply: false };
    return { outcome: 'failed', ...ours, status: enhanced ?? '5.0.0' };
  }
}

/** A notice about one's own mail is small and must arrive, met quota or not. */
function withoutQuota(target: ResolvedTarget): ResolvedTarget {
  return target.kind === 'account' ? { ...target, overQuota: false } : target;
}

async function commit(
  deps: FlowDeps,
  work: LeasedWork,
  outcome: ScriptOutcome,
  settle: SettleRequest,
): Promise<void> {
  const { plan, scripted } = outcome;
  if (plan.deposits.length === 0 && plan.forwards.length === 0 && scripted?.taken !== true) {
    await deps.store.write.run('queue.settle', settle);
    deps.recorder.committed(settle.events);
    return;
  }
  const at = deps.clock.now();
  const onward = [...forwardsByRecipient(plan)].map(([via, forwards]) => sendOn(deps, work, via, forwards));
  const queue = [...onward, ...outcome.queue];
  const accept: WriteArgs<'delivery.accept'> = {
    blob: { id: work.message.blobId, size: work.message.blobSize },
    content: (await storedMessage(deps, work)).content,
    deposits: plan.deposits.map(({ deposit }) => ({ ...deposit, ignoreQuota: true })),
    overQuota: 'report',
    queue,
    events: [...queue.map((queued) => queuedEvent(queued, at)), ...outcome.events],
    notices: outcome.notices,
    ...(scripted !== undefined && { scripted }),
    depositEvents: depositEvents(plan, work.message.trace, at),
    settle,
  };
  const { deposits, replied } = await deps.store.write.run('delivery.accept', accept);
  acceptCommitted(deps, accept, deposits, undefined, replied);
}

type StoredMessage = Pick<TakenMessage, 'structure' | 'header' | 'content' | 'size' | 'octets'>;

/** Offsets of the structure are those of the stored octets; its words (ENVELOPE) are what readers see. */
async function storedMessage(deps: FlowDeps, { message }: LeasedWork): Promise<StoredMessage> {
  const scanner = new MessageScanner();
  let head = Buffer.alloc(0);
  for await (const piece of deps.store.blobs.read(message.blobId)) {
    scanner.push(piece);
    if (head.length <= limits.headerBytes) head = Buffer.concat([head, piece]);
  }
  const structure = scanner.end();
  const header = head.subarray(0, structure.root.bodyStart);
  const shown = visibleHeader(header, message.hidden);
  return {
    structure,
    header,
    content: parsedContent(structure, Buffer.concat([message.prefix, shown])),
    size: message.blobSize,
    octets: octetsInStore(deps.store.blobs, message.blobId, message.blobSize),
  };
}

/** A bounce that came to a rewritten address, or to an alias of somebody elsewhere, goes on to them. */
function sendOn(deps: FlowDeps, work: LeasedWork, via: string, forwards: readonly PlannedForward[]): Enqueue {
  const { message } = work;
  const passed = Buffer.from(`Delivered-To: ${via}\r\n`);
  return {
    queueId: timeId(deps.clock.now()),
    trace: message.trace,
    origin: message.origin,
    accountId: message.accountId,
    reversePath: message.reversePath,
    mayBounce: message.mayBounce,
    prefix: Buffer.concat([message.prefix, passed]),
    hidden: message.hidden,
    ret: message.ret,
    envid: message.envid,
    body: message.body,
    smtputf8: message.smtputf8,
    requireTls: message.requireTls,
    originated: message.originated,
    messageId: message.messageId,
    size: message.size + passed.length,
    warnAt: message.warnAt,
    expiresAt: message.expiresAt,
    holdReason: deps.settings.holdOutgoing,
    recipients: queueRecipients(forwards),
  };
}
