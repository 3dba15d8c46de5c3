import { timeId } from '../../base/ids.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import { forwardsByRecipient, type Plan, type PlannedForward, queueRecipients } from '../delivery/plan.ts';
import { hiddenOctets } from '../delivery/hidden.ts';
import type { TakenMessage } from '../intake.ts';
import { neededParams, queueTimes } from '../outbound/enqueue.ts';
import { forwardedReversePath } from '../srs.ts';
import { type Envelope, receivedFor } from './envelope.ts';

/**
 * Queue messages for what aliases send on, with the original octets and an SRS reverse-path; one for each alias, so
 * that its name, which loops are found by, is not told to those behind another.
 */
export async function forwardMessages(
  envelope: Envelope,
  message: TakenMessage,
  plan: Plan,
  genuine: boolean,
): Promise<Enqueue[]> {
  const queue: Enqueue[] = [];
  for (const [via, forwards] of forwardsByRecipient(plan)) {
    queue.push(await forwardMessage(envelope, message, via, forwards, genuine));
  }
  return queue;
}

async function forwardMessage(
  envelope: Envelope,
  message: TakenMessage,
  via: string,
  forwards: readonly PlannedForward[],
  mayBounce: boolean,
): Promise<Enqueue> {
  const { deps, reversePath, params } = envelope;
  const prefix = Buffer.concat([Buffer.from(`Delivered-To: ${via}\r\n`), receivedFor(envelope)]);
  const hidden = envelope.elsewhere?.hidden ?? [];
  const sender = await forwardedReversePath(deps, reversePath, via);
  const addresses = [sender, ...forwards.map(({ address }) => address)];
  return {
    queueId: timeId(deps.clock.now()),
    trace: envelope.trace,
    origin: 'forward',
    accountId: undefined,
    reversePath: sender,
    mayBounce: reversePath !== '' && sender !== '' && mayBounce,
    prefix,
    hidden,
    ret: params.ret,
    envid: params.envid,
    ...neededParams(message.structure, params, addresses, false),
    requireTls: params.requireTls,
    originated: false,
    messageId: message.content.messageId,
    size: message.size + prefix.length - hiddenOctets(hidden),
    ...queueTimes(deps),
    holdReason: deps.settings.holdOutgoing,
    recipients: queueRecipients(forwards),
  };
}
