import { timeId } from '../../base/ids.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import { REDIRECTS_PER_DAY, type ScriptOwner } from '../../data/sieve/types.ts';
import { parsePath } from '../../mail/address/path.ts';
import { parseFields, readHeader } from '../../mail/message/headers.ts';
import type { SieveAction } from '../../mail/sieve/types.ts';
import { hiddenOctets } from '../delivery/hidden.ts';
import { destinationOf, type PlannedDeposit, queueRecipients } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { inlineBlob } from '../intake.ts';
import { queueTimes } from '../outbound/enqueue.ts';
import type { PlannedNotice } from '../outbound/success.ts';
import { forwardedReversePath } from '../srs.ts';
import { wholeHeader } from './filing.ts';
import type { ScriptInput } from './types.ts';

/** Messages that go on to others for one message and account, all scripts together. */
export const REDIRECTS_MAX = 10;

export type Redirect = SieveAction & { readonly kind: 'redirect' };

/** Why a message is not sent on; undefined when it may be. */
export function whyNotRedirect(
  input: ScriptInput,
  owner: ScriptOwner,
  { address, list }: Redirect,
  already: number,
): string | undefined {
  if (list !== undefined) return `the list ${list} cannot be sent to`;
  if (parsePath(address, { smtputf8: true }).kind !== 'mailbox') return `"${address}" is no address`;
  const own = [owner.address, ...owner.aliases];
  if (own.includes(address.toLowerCase())) return `${address} leads back to this account`;
  if (hasPassed(input, owner.address)) {
    return `it came back after it had been sent on from ${owner.address}: a loop`;
  }
  if (already >= REDIRECTS_MAX) return `it would be sent on to more than ${REDIRECTS_MAX} addresses`;
  if (owner.redirects + already >= REDIRECTS_PER_DAY)
    return `the account has sent on ${REDIRECTS_PER_DAY} messages today`;
  return undefined;
}

/** RFC 5228 4.2: loops are found by the Delivered-To that we put in front of what we send on. */
function hasPassed({ message, passed }: ScriptInput, address: string): boolean {
  const fields = [
    ...readHeader(passed).all('delivered-to'),
    ...readHeader(message.header).all('delivered-to'),
  ];
  return fields.some((value) => value.trim().toLowerCase() === address);
}

interface Envelope {
  readonly sender: string;
  readonly common: Omit<Enqueue, 'prefix' | 'hidden' | 'size' | 'originated'>;
}

/** The envelope: a sender that passes SPF from here, bounces that find back to the first sender. */
async function envelopeOf(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  { address, notify, ret }: Redirect,
): Promise<Envelope> {
  const { reversePath, trace, onward } = input;
  const sender = await forwardedReversePath(deps, reversePath, planned.address);
  const local = await deps.store.read.run('directory.domain', { name: destinationOf(address) });
  return {
    sender,
    common: {
      queueId: timeId(deps.clock.now()),
      trace,
      origin: 'forward',
      accountId: planned.deposit.accountId,
      reversePath: sender,
      mayBounce: reversePath !== '' && sender !== '' && input.mayTell,
      ret: retOf(ret) ?? input.ret,
      envid: input.envid,
      ...onward.needs([sender, address]),
      requireTls: onward.requireTls,
      messageId: input.message.content.messageId,
      ...queueTimes(deps),
      holdReason: local === undefined ? deps.settings.holdOutgoing : undefined,
      recipients: queueRecipients([{ address, orcpt: undefined, notify: notifyWords(notify) }]),
    },
  };
}

/** RFC 6009 4: :ret of redirect-dsn. */
function retOf(ret: string | undefined): 'FULL' | 'HDRS' | undefined {
  const upper = ret?.toUpperCase();
  return upper === 'FULL' || upper === 'HDRS' ? upper : undefined;
}

function notifyWords(notify: string | undefined): string[] {
  return (notify ?? '')
    .toUpperCase()
    .split(',')
    .map((word) => word.trim())
    .filter((word) => ['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'].includes(word));
}

/** The message as it came, its signatures untouched. */
export async function redirected(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  action: Redirect,
): Promise<Enqueue> {
  const { onward, message } = input;
  const { common } = await envelopeOf(deps, input, planned, action);
  const prefix = Buffer.concat([Buffer.from(`Delivered-To: ${planned.address}\r\n`), onward.prefix]);
  return {
    ...common,
    prefix,
    hidden: onward.hidden,
    originated: onward.originated,
    size: message.size + prefix.length - hiddenOctets(onward.hidden),
  };
}

/** The message with a header that the script has changed. */
export async function redirectedWith(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  action: Redirect,
  header: Buffer,
): Promise<Enqueue> {
  const { message } = input;
  const { common } = await envelopeOf(deps, input, planned, action);
  const hidden = wholeHeader(message.structure);
  const prefix = Buffer.concat([Buffer.from(`Delivered-To: ${planned.address}\r\n`), withoutOurs(header)]);
  const size = message.size + prefix.length - hiddenOctets(hidden);
  return { ...common, prefix, hidden, originated: false, size };
}

/** The message as the script has changed it; signatures of what was changed are broken, as the script wants. */
export async function redirectedChanged(
  deps: FlowDeps,
  input: ScriptInput,
  planned: PlannedDeposit,
  action: Redirect,
  changed: Buffer,
): Promise<PlannedNotice> {
  const { common } = await envelopeOf(deps, input, planned, action);
  const octets = withoutOurs(changed);
  const prefix = Buffer.from(`Delivered-To: ${planned.address}\r\n`);
  const enqueue = { ...common, prefix, hidden: [], originated: false, size: octets.length + prefix.length };
  return { blob: inlineBlob(octets), enqueue, deposit: undefined };
}

/** Fields that tell our own readers where it came from and what our filter thinks: not for others. */
const OURS = /^(?:return-path|x-postern-.*|x-spam-(?:flag|status))$/;

function withoutOurs(octets: Buffer): Buffer {
  const ours = parseFields(octets).filter(({ name }) => OURS.test(name));
  const pieces: Buffer[] = [];
  let at = 0;
  for (const { start, end } of ours) {
    pieces.push(octets.subarray(at, start));
    at = end;
  }
  return Buffer.concat([...pieces, octets.subarray(at)]);
}
