import { depositIndexes, destinationOf, type Plan, type PlannedRecipient } from '../delivery/plan.ts';
import type { TakenMessage } from '../intake.ts';
import { type NoticeSource, notification, wants } from '../outbound/notify.ts';
import { type PlannedNotice, successNotices } from '../outbound/success.ts';
import type { Envelope, Failures } from './envelope.ts';

/**
 * What the sender is told with the accept: of mailboxes reached, when that was asked for (RFC 3461), and of recipients
 * whose mail loops while SMTP's one answer has to be 250 for the others. Only to a sender that is proven genuine.
 */
export async function inboundNotices(
  envelope: Envelope,
  message: TakenMessage,
  plan: Plan,
  loops: Failures,
  genuine: boolean,
  /** Those whose scripts refuse it. */
  refused: ReadonlySet<PlannedRecipient> = new Set(),
): Promise<PlannedNotice[]> {
  const { deps, recipients } = envelope;
  const first = recipients[0];
  const failed = envelope.session.protocol === 'lmtp' || loops.size === recipients.length ? [] : [...loops];
  const told = failed.filter(([{ notify }]) => wants(notify.join(','), 'FAILURE'));
  const success = recipients.some(({ notify }) => notify.includes('SUCCESS'));
  if (first === undefined || (told.length === 0 && !success) || !genuine) return [];
  const source = sourceOf(envelope, first);
  const reached = recipients.filter((recipient) => !loops.has(recipient) && !refused.has(recipient));
  const index = depositIndexes(plan);
  const notices = await successNotices(deps, source, reached, index, message.header);
  if (told.length === 0) return notices;
  const about = told.map(([{ address, orcpt }, refusal]) => ({
    recipient: { id: 0, address, orcpt },
    action: 'failed' as const,
    status: '5.4.6',
    reply: `554 5.4.6 ${refusal.message}`,
    host: undefined,
    attemptedAt: undefined,
  }));
  const failure = await notification(deps, source, about, { header: message.header });
  return [...notices, { ...failure, deposit: undefined }];
}

function sourceOf(envelope: Envelope, first: PlannedRecipient): NoticeSource {
  const { deps, trace, reversePath, params } = envelope;
  return {
    trace,
    accountId: undefined,
    reversePath,
    ret: params.ret,
    envid: params.envid,
    smtputf8: params.smtputf8,
    createdAt: deps.clock.now(),
    expiresAt: undefined,
    ownDomain: destinationOf(first.address),
  };
}
