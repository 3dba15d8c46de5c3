import { type JournalEvent, terms } from '../../data/journal/types.ts';
import type { NewOutgoing } from '../../data/queue/types.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { replyText } from '../journal.ts';
import { notification } from '../outbound/notify.ts';
import type { Unreachable } from './recipients.ts';

export interface BounceInput {
  readonly trace: string;
  /** Proven to be the sender's own; not the null one. */
  readonly reversePath: string;
  readonly about: readonly Unreachable[];
  /** When SES received it. */
  readonly receivedAt: number;
  readonly header: Buffer;
}

/**
 * The sender is told by a notification what port 25 would have told its server. SES has answered 250 for us, so this is
 * the only way; it must only be gone where the reverse-path is proven, or it would hit a bystander.
 */
export async function bounce(
  deps: FlowDeps,
  { trace, reversePath, about, receivedAt, header }: BounceInput,
): Promise<{ readonly outgoing: NewOutgoing; readonly event: JournalEvent }> {
  const first = about[0]?.address ?? '';
  const outgoing = await notification(
    deps,
    {
      trace,
      accountId: undefined,
      reversePath,
      ret: undefined,
      envid: undefined,
      smtputf8: !/^[\x20-\x7e]*$/.test(reversePath),
      createdAt: receivedAt,
      expiresAt: undefined,
      ...((await isOurs(deps, first)) && { ownDomain: destinationOf(first) }),
    },
    about.map(({ address, refusal }) => ({
      recipient: { id: 0, address, orcpt: undefined },
      action: 'failed' as const,
      status: refusal.smtp?.enhanced ?? '5.0.0',
      reply: replyText(refusal.smtp),
      host: undefined,
      attemptedAt: undefined,
    })),
    { header },
  );
  const { queueId } = outgoing.enqueue;
  const lines = about.map(({ address, refusal }) => `<${address}>: failed (${replyText(refusal.smtp)})`);
  return {
    outgoing,
    event: {
      trace,
      at: deps.clock.now(),
      kind: 'bounce.sent',
      data: { queueId, notice: queueId, to: reversePath, about: lines },
      terms: [terms.queueId(queueId), terms.address(reversePath)],
    },
  };
}

async function isOurs({ store }: FlowDeps, address: string): Promise<boolean> {
  return (await store.read.run('directory.domain', { name: destinationOf(address) })) !== undefined;
}

/** A recipient that does not get it, for the journal. */
export function refusedEvent(
  deps: FlowDeps,
  trace: string,
  { address, refusal }: Unreachable,
  told: boolean,
): JournalEvent {
  const reason = `${refusal.message}; ${told ? 'the sender is told by a notification' : 'the sender is not told'}`;
  return {
    trace,
    at: deps.clock.now(),
    kind: 'message.refused',
    data: { to: address, reply: replyText(refusal.smtp), reason },
    terms: [terms.address(address)],
  };
}
