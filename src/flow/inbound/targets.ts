import type { ResolvedTarget } from '../../data/directory/types.ts';
import type { Mailbox } from '../../mail/address/path.ts';
import type { FlowDeps } from '../deps.ts';
import { requireOpenGroups } from '../groups.ts';
import { addressText, resolve } from '../recipient.ts';
import { replies } from '../replies.ts';
import { srsTarget } from '../srs.ts';

/**
 * Accounts and external addresses behind a recipient; none where nobody reads what comes. Throws the refusal for this
 * recipient alone. `size`: octets the message was declared to have.
 */
export async function recipientTargets(
  deps: FlowDeps,
  mailbox: Mailbox,
  reversePath: string,
  size: number,
): Promise<readonly ResolvedTarget[]> {
  const rewritten = await srsTarget(deps, mailbox, reversePath);
  if (rewritten !== undefined) return rewritten;
  const found = await resolve(deps, mailbox, size);
  const text = addressText(mailbox);
  if (found.status === 'not-local') throw replies.relayDenied(text);
  // Where reports of ours come from, nobody reads.
  if (found.status === 'unknown' && deps.reports?.discards(mailbox.localPart) === true) return [];
  if (found.status === 'unknown')
    throw found.switchedOff === true ? replies.switchedOff(text) : replies.unknownRecipient(text);
  if (found.status === 'loop') throw replies.aliasLoop(text);
  if (found.targets.every((target) => target.kind === 'account' && target.overQuota))
    throw replies.overQuota(text);
  await requireOpenGroups(deps, found.targets, { sender: reversePath, accountId: null }, text);
  return found.targets;
}
