import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { type Notice, type NoticeSource, notification, wants } from './notify.ts';
import type { NewOutgoing } from '../../data/queue/types.ts';

/** A notification about the delivery at this index of a plan, or about none. */
export type PlannedNotice = NewOutgoing & { readonly deposit: number | undefined };

/**
 * RFC 3461 5.2: recipients that asked for news of success and whose mail ends here are told of with the commit that
 * makes it true; 'expanded' for an alias to several, 'delivered' for a mailbox. One that is only sent on takes the
 * request along.
 */
export async function successNotices(
  deps: FlowDeps,
  source: NoticeSource,
  recipients: readonly PlannedRecipient[],
  depositIndex: (recipient: PlannedRecipient) => number | undefined,
  header: Buffer,
): Promise<PlannedNotice[]> {
  const notices: PlannedNotice[] = [];
  for (const recipient of recipients) {
    if (!wants(recipient.notify.join(','), 'SUCCESS')) continue;
    const [only, second] = recipient.targets;
    if (second === undefined && only?.kind !== 'account') continue;
    const action = second === undefined ? 'delivered' : 'expanded';
    const text = second === undefined ? 'delivered to the mailbox' : 'passed on to all behind this address';
    const notice: Notice = {
      recipient: { id: 0, address: recipient.address, orcpt: recipient.orcpt },
      action,
      status: '2.0.0',
      reply: `250 2.0.0 ${text}`,
      host: undefined,
      attemptedAt: undefined,
    };
    const made = await notification(deps, source, [notice], { header });
    notices.push({ ...made, deposit: depositIndex(recipient) });
  }
  return notices;
}
