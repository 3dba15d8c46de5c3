import type { ResolvedTarget } from '../../../data/directory/types.ts';
import { terms } from '../../../data/journal/types.ts';
import type { Enqueue, LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import { scanMessage } from '../../../mail/message/scanner.ts';
import { timeId } from '../../../base/ids.ts';
import { type Plan, type PlannedRecipient, planDelivery, queueRecipients } from '../../delivery/plan.ts';
import type { FlowDeps } from '../../deps.ts';
import { parsedContent } from '../../intake.ts';
import { parseRecipient, resolve } from '../../recipient.ts';
import { replies } from '../../replies.ts';
import { srsTarget } from '../../srs.ts';
import { Refusal } from '../../../base/errors.ts';
import { firstOctets } from '../content.ts';
import type { SettleRequest } from '../settle.ts';
import type { MessageContent, Outcome } from '../transport.ts';

/**
 * Delivery into our own mailboxes of what the queue holds: notifications to our users, and mail whose domain became
 * ours while it waited. Unlike the others this ends the attempt itself: deposit and settlement are one commit.
 */
export interface LocalDelivery {
  readonly outcomes: ReadonlyMap<number, Outcome>;
  commit(settle: SettleRequest): Promise<void>;
}

/** Notifications are small; anything the queue brings here is read whole up to our own message limit. */
export async function deliverLocally(
  deps: FlowDeps,
  work: LeasedWork,
  content: MessageContent,
): Promise<LocalDelivery> {
  const outcomes = new Map<number, Outcome>();
  const planned: PlannedRecipient[] = [];
  for (const recipient of work.recipients) {
    const found = await targetsOf(deps, work, recipient);
    if ('outcome' in found) outcomes.set(recipient.id, found);
    else {
      planned.push(found);
      outcomes.set(recipient.id, {
        outcome: 'delivered',
        reply: '250 2.0.0 delivered here',
        host: undefined,
        dsnEndsHere: true,
        tls: 'local',
      });
    }
  }
  const plan = planDelivery({
    recipients: planned,
    reversePath: work.message.reversePath,
    received: Buffer.from(work.message.prefix).toString('latin1'),
    hidden: work.message.hidden,
    nowMs: deps.clock.now(),
    trace: work.message.trace,
  });
  return { outcomes, commit: (settle) => commit(deps, work, content, plan, settle) };
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
    if (code < 500) return { outcome: 'deferred', reply, host: undefined, lostReply: false };
    return { outcome: 'failed', reply, host: undefined, status: enhanced ?? '5.0.0' };
  }
}

/** A notice about one's own mail is small and must arrive, met quota or not. */
function withoutQuota(target: ResolvedTarget): ResolvedTarget {
  return target.kind === 'account' ? { ...target, overQuota: false } : target;
}

async function commit(
  deps: FlowDeps,
  work: LeasedWork,
  content: MessageContent,
  plan: Plan,
  settle: SettleRequest,
): Promise<void> {
  if (plan.deposits.length === 0 && plan.forwards.length === 0) {
    await deps.store.write.run('queue.settle', settle);
    return;
  }
  // Offsets of the structure are those of the stored octets, so those are parsed, not prefix and all.
  const stored = await deps.store.blobs.bytes(work.message.blobId);
  const structure = scanMessage(stored);
  const header = stored.subarray(0, structure.root.bodyStart);
  const forward = plan.forwards.length === 0 ? [] : [await sendOn(deps, work, content, plan)];
  await deps.store.write.run('delivery.accept', {
    blob: { id: work.message.blobId, size: work.message.blobSize },
    content: parsedContent(structure, header),
    deposits: plan.deposits.map(({ deposit }) => ({ ...deposit, ignoreQuota: true })),
    overQuota: 'report',
    queue: forward,
    events: plan.deposits.map(({ address, via }) => ({
      trace: work.message.trace,
      at: deps.clock.now(),
      kind: 'message.deposited' as const,
      data: { account: address, queueId: work.message.queueId, via: [...via], mailbox: 'INBOX' },
      terms: [terms.address(address)],
    })),
    settle,
  });
}

/** A bounce that came to a rewritten address, or to an alias of somebody elsewhere, goes on to them. */
async function sendOn(
  deps: FlowDeps,
  work: LeasedWork,
  content: MessageContent,
  plan: Plan,
): Promise<Enqueue> {
  const { message } = work;
  const now = deps.clock.now();
  const head = await firstOctets(content, message.prefix.length);
  return {
    queueId: timeId(now),
    trace: message.trace,
    origin: message.origin,
    accountId: message.accountId,
    reversePath: message.reversePath,
    mayBounce: false,
    prefix: head,
    hidden: message.hidden,
    ret: message.ret,
    envid: message.envid,
    body: message.body,
    smtputf8: message.smtputf8,
    requireTls: message.requireTls,
    originated: message.originated,
    messageId: message.messageId,
    size: message.size,
    warnAt: message.warnAt,
    expiresAt: message.expiresAt,
    holdReason: deps.settings.holdOutgoing,
    recipients: queueRecipients(plan.forwards),
  };
}
