import type { Clock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { limits } from '../../base/limits.ts';
import type { LeasedWork } from '../../data/queue/types.ts';
import { firstOctets } from '../outbound/content.ts';
import { readSesHeader, sesContent } from '../outbound/ses-envelope.ts';
import { failed, forAll, type MessageContent, type Outcome, type Transport } from '../outbound/transport.ts';
import { senderOf } from './direct.ts';
import { relayLogLine } from './log.ts';
import type { RelayCounts } from './metrics.ts';
import { clientOfReceived } from './received.ts';
import { cleaned } from './replies.ts';
import type { RelayRules } from './rules.ts';

export interface SpoolTransportOptions {
  /** The way to SES. */
  readonly ses: Transport;
  readonly rules: RelayRules;
  readonly clock: Clock;
  readonly counts: RelayCounts;
  /** Takes the lines of the JSON log. */
  readonly log: (line: string) => void;
}

/**
 * The only way out of a spool: SES, with a sender for what has none, and a log line for each attempt. Its objections are
 * told by its attempts.
 */
export function createSpoolTransport(options: SpoolTransportOptions): Transport {
  const { ses } = options;
  return {
    name: 'ses',
    kind: 'ses-api',
    maxBytes: ses.maxBytes,
    maxRecipients: ses.maxRecipients,
    async attempt(work, content, stopping) {
      const outcomes = await attempt(options, work, content, stopping);
      tell(options, work, outcomes);
      return outcomes;
    },
    close: () => ses.close(),
  };
}

async function attempt(
  { ses, rules }: SpoolTransportOptions,
  work: LeasedWork,
  content: MessageContent,
  stopping: AbortSignal,
): Promise<ReadonlyMap<number, Outcome>> {
  if (work.message.reversePath !== '') return spoken(await ses.attempt(work, content, stopping));
  try {
    const sent = work.message.origin === 'dsn' ? await asOurUser(work, content) : content;
    // What we put in front is a field of the header section too.
    const from = senderOf(await firstOctets(sent, limits.headerBytes), rules);
    const message = { ...work.message, reversePath: from };
    return spoken(await ses.attempt({ ...work, message }, sent, stopping));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return forAll(work, failed('5.1.7', errorText(error)));
  }
}

/**
 * A notice to somebody whose mail we could not send: SES sends it only as an identity, and the one of ours that we know
 * is their own address.
 */
async function asOurUser({ recipients }: LeasedWork, content: MessageContent): Promise<MessageContent> {
  return sesContent(content, await readSesHeader(content), { from: recipients[0]?.address });
}

/** Without the advice: a relay has no other ways. */
function spoken(outcomes: ReadonlyMap<number, Outcome>): ReadonlyMap<number, Outcome> {
  return new Map(
    [...outcomes].map(([id, outcome]) => [
      id,
      { ...outcome, advice: undefined, reply: cleaned(outcome.reply) },
    ]),
  );
}

/** A line for those who were served, and one for each reason why others were not. */
function tell(
  { counts, log, clock }: SpoolTransportOptions,
  { message, recipients }: LeasedWork,
  outcomes: ReadonlyMap<number, Outcome>,
): void {
  const groups = new Map<string | undefined, string[]>();
  for (const { id, address } of recipients) {
    const outcome = outcomes.get(id);
    if (outcome === undefined) continue;
    const error = outcome.outcome === 'delivered' ? undefined : outcome.reply;
    groups.set(error, [...(groups.get(error) ?? []), address]);
  }
  const ip = clientOfReceived(Buffer.from(message.prefix).toString('latin1'));
  for (const [error, to] of groups) {
    if (error === undefined) counts.sent();
    else counts.failed();
    log(relayLogLine({ at: clock.now(), ip, from: message.reversePath, to, error }));
  }
}
