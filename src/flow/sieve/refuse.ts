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

/** The words of reject and ereject (RFC 5429) as an SMTP reply. */
export function rejection(reason: string): Refusal {
  const lines = reason
    .split(/\r\n|\r|\n/)
    .map(asciiText)
    .filter((line) => line !== '')
    .slice(0, LINES)
    .map((line) => line.slice(0, LINE));
  if (lines.length === 0) lines.push('The recipient does not want this message');
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

/** Where the one reply of SMTP cannot say it, a notification does: to a sender that is proven. */
export async function rejectionNotice(
  deps: FlowDeps,
  input: ScriptInput,
  recipient: Pick<PlannedRecipient, 'address' | 'orcpt'>,
  accountId: number,
  refusal: Refusal,
): Promise<PlannedNotice> {
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
    reply: `550 5.7.1 ${refusal.smtp?.lines.join(' ') ?? refusal.message}`,
    host: undefined,
    answered: false,
    attemptedAt: undefined,
  };
  return { ...(await notification(deps, source, [about], { header: message.header })), deposit: undefined };
}
