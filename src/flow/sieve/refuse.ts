import { Refusal, smtpReply } from '../../base/errors.ts';
import type { PlannedRecipient } from '../delivery/plan.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { notification } from '../outbound/notify.ts';
import type { PlannedNotice } from '../outbound/success.ts';
import type { ScriptInput } from './types.ts';

/** Lines of a reason in a reply, and characters of each. */
const LINES = 10;
const LINE = 400;
/** Characters of a reason in a notification. */
const NOTICE = 4000;
const NO_REASON = 'The recipient does not want this message';

/** The words of reject and ereject (RFC 5429) as an SMTP reply. */
export function rejection(reason: string): Refusal {
  const lines = reason
    .split(/\r\n|\r|\n/)
    .map(asciiText)
    .filter((line) => line !== '')
    .slice(0, LINES)
    .map((line) => line.slice(0, LINE));
  if (lines.length === 0) lines.push(NO_REASON);
  const [first = ''] = lines;
  return new Refusal('not-permitted', first, { smtp: { ...smtpReply(550, '5.7.1', first), lines } });
}

/** RFC 5321 4.2: a reply is ASCII. Letters lose their accents; other scripts have no ASCII and become "?". */
function asciiText(line: string): string {
  return line
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^\x20-\x7e]/gu, '?')
    .trim();
}

/** Where the one reply of SMTP cannot say it, a notification does, in the words of the script: to a proven sender. */
export async function rejectionNotice(
  deps: FlowDeps,
  input: ScriptInput,
  recipient: Pick<PlannedRecipient, 'address' | 'orcpt'>,
  accountId: number,
  reason: string,
): Promise<PlannedNotice> {
  const words = reason.replaceAll(/\s+/g, ' ').trim().slice(0, NOTICE) || NO_REASON;
  const { trace, reversePath, ret, envid, message } = input;
  const source = {
    trace,
    accountId,
    reversePath,
    ret,
    envid,
    smtputf8: false,
    createdAt: deps.clock.now(),
    expiresAt: undefined,
    ownDomain: destinationOf(recipient.address),
  };
  const about = {
    recipient: { id: 0, address: recipient.address, orcpt: recipient.orcpt },
    action: 'failed' as const,
    status: '5.7.1',
    reply: `550 5.7.1 ${words}`,
    host: undefined,
    answered: false,
    attemptedAt: undefined,
  };
  return { ...(await notification(deps, source, [about], { header: message.header })), deposit: undefined };
}
