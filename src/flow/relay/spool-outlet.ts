import type { DiskReserve } from '../../base/disk-reserve.ts';
import { Refusal, type SmtpReply } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import { givenAway } from '../../data/blobs/given.ts';
import { terms } from '../../data/journal/types.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import type { FlowDeps } from '../deps.ts';
import { Intake, storeOrDrop, type TakenMessage } from '../intake.ts';
import { acceptCommitted, queuedEvent } from '../journal.ts';
import { neededParams, queueTimes } from '../outbound/enqueue.ts';
import { senderOf } from './direct.ts';
import type { RelayEnvelope, RelayOutlet, RelaySink } from './outlet.ts';
import { relayReceived } from './received.ts';
import { relayReplies } from './replies.ts';
import type { RelayRules } from './rules.ts';

/** All recipients of a message travel together, whatever their domains: SES takes 50 in a call. */
export const SPOOL_DESTINATION = 'amazonses.com';

export interface SpoolOutletOptions {
  readonly deps: FlowDeps;
  /** Name of the service in the Received field. */
  readonly service: string;
  readonly rules: RelayRules;
  /** Of the disk the spool is on. */
  readonly disk: Pick<DiskReserve, 'low'>;
}

/** Put each message into the queue: the answer to DATA follows the commit. */
export function createSpoolOutlet(options: SpoolOutletOptions): RelayOutlet {
  return {
    requireRoom() {
      if (options.disk.low()) throw relayReplies.diskReserve();
    },
    open: (envelope) => openSink(options, envelope),
  };
}

function openSink(options: SpoolOutletOptions, envelope: RelayEnvelope): RelaySink {
  const { store, settings } = options.deps;
  const intake = new Intake({ bodies: store.bodies, maxBytes: settings.maxMessageBytes });
  return {
    write: (chunk) => intake.write(chunk),
    async finish() {
      const message = await intake.finish();
      return storeOrDrop(store.bodies, message.blob, () => commit(options, envelope, message));
    },
    abort: () => intake.abort(),
  };
}

async function commit(
  { deps, service, rules }: SpoolOutletOptions,
  envelope: RelayEnvelope,
  message: TakenMessage,
): Promise<SmtpReply> {
  const { from, trace, recipients, session } = envelope;
  // The null reverse-path stays what it is in the queue, so that nothing is ever sent about such a message.
  if (from === '') senderOf(message.header, rules);
  const { hostname } = deps.settings;
  const nowMs = deps.clock.now();
  const prefix = Buffer.from(relayReceived({ ...envelope, hostname, service, nowMs }), 'latin1');
  const queued = enqueueOf(deps, envelope, message, prefix);
  const data = {
    ip: session.remoteAddress,
    helo: session.helo.slice(0, limits.commandLineBytes),
    login: session.login?.address ?? null,
    from,
    to: [...recipients],
    size: message.size,
    messageId: message.content.messageId ?? null,
  };
  const found = [from, ...recipients].filter((address) => address !== '').map(terms.address);
  const events = [
    { trace, at: nowMs, kind: 'message.accepted' as const, data, terms: found },
    queuedEvent(queued, nowMs),
  ];
  const accept = {
    blob: message.blob,
    content: message.content,
    deposits: [],
    overQuota: 'junk' as const,
    queue: [queued],
    events,
  };
  try {
    await deps.store.write.run('delivery.accept', accept, givenAway(message.blob));
  } catch (error) {
    if (error instanceof Refusal) throw error;
    deps.logger.error({ trace, error: String(error) }, 'the spool could not be written');
    throw relayReplies.notStored();
  }
  acceptCommitted(deps, accept, [], relayReplies.queued);
  return relayReplies.queued;
}

function enqueueOf(
  deps: FlowDeps,
  { from, trace, recipients, params }: RelayEnvelope,
  message: TakenMessage,
  prefix: Buffer,
): Enqueue {
  return {
    queueId: trace,
    trace,
    origin: 'submission',
    accountId: undefined,
    reversePath: from,
    mayBounce: from !== '',
    prefix,
    hidden: [],
    ret: params.ret,
    envid: params.envid,
    ...neededParams(message.structure, params, [from, ...recipients], true),
    requireTls: false,
    originated: true,
    messageId: message.content.messageId,
    size: message.size + prefix.length,
    ...queueTimes(deps),
    holdReason: undefined,
    recipients: recipients.map((address) => {
      return { address, destination: SPOOL_DESTINATION, orcpt: undefined, notify: '' };
    }),
  };
}
