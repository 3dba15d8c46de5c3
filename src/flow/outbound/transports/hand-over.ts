import { errorText, Refusal } from '../../../base/errors.ts';
import type { LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import type { SmtpClient } from '../../../net/smtp-client/client.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type {
  OutgoingMessage,
  OutgoingRecipient,
  RecipientOutcome,
  SendOutcome,
} from '../../../net/smtp-client/transaction.ts';
import type { FlowDeps } from '../../deps.ts';
import { recodedFor7bit } from '../recode.ts';
import { deferred, failed, type MessageContent, type Outcome } from '../transport.ts';

/** Transactions for one message at most: a server that takes one recipient at a time still gets a hundred. */
const TRANSACTIONS_MAX = 100;

/** What a session came to: outcomes, and who was left without one because it broke first. */
export interface HandOver {
  readonly outcomes: Map<number, Outcome>;
  readonly untried: readonly QueueRecipient[];
  readonly failure: ClientFailure | undefined;
}

/** Give a message to one server for `recipients`, in as many transactions as its limits ask for. */
export async function handOver(
  deps: FlowDeps,
  client: SmtpClient,
  work: LeasedWork,
  recipients: readonly QueueRecipient[],
  content: MessageContent,
  host: string,
): Promise<HandOver> {
  const outcomes = new Map<number, Outcome>();
  let left = recipients;
  for (let round = 0; left.length > 0 && round < TRANSACTIONS_MAX; round++) {
    // It may have taken as many transactions as it allows (RFC 9422): the rest goes by another session.
    if (round > 0 && !client.usable) break;
    const result = await transaction(deps, client, work, left, content).catch((error: unknown) => ({
      error,
    }));
    if ('error' in result) {
      // What earlier transactions delivered stays delivered.
      const outcome = notSent(deps, work, result.error);
      for (const { id } of left) outcomes.set(id, outcome);
      return { outcomes, untried: [], failure: undefined };
    }
    const again: QueueRecipient[] = [];
    const lost: QueueRecipient[] = [];
    left.forEach((recipient, index) => {
      const outcome = result.recipients[index];
      if (outcome?.status === 'another-transaction') again.push(recipient);
      else if (outcome === undefined || (outcome.status === 'lost' && outcome.failure.phase !== 'after-data'))
        lost.push(recipient);
      else outcomes.set(recipient.id, outcomeOf(outcome, client, host));
    });
    if (lost.length > 0 || result.failure !== undefined) {
      return { outcomes, untried: [...lost, ...again], failure: result.failure };
    }
    left = again;
  }
  return { outcomes, untried: left, failure: undefined };
}

/** One transaction. A body that streams can be read once, so each opens it anew. */
async function transaction(
  deps: FlowDeps,
  client: SmtpClient,
  work: LeasedWork,
  recipients: readonly QueueRecipient[],
  content: MessageContent,
): Promise<SendOutcome> {
  const sending = await asSent(deps, client, work, content);
  return client.sendMessage({ ...sending, recipients: recipients.map(outgoingRecipient) });
}

/** The fault is ours or the message's: one that cannot be sent as it is never will be. */
function notSent(deps: FlowDeps, { message }: LeasedWork, error: unknown): Outcome {
  const text = errorText(error).slice(0, 200);
  deps.logger.error({ queueId: message.queueId, error: text }, 'queue: a message could not be sent');
  if (error instanceof Refusal && error.kind === 'bad-input')
    return failed('5.6.0', `The message cannot be sent: ${text}`);
  return deferred(`451 4.3.0 The attempt failed here: ${text}`);
}

function outcomeOf(outcome: RecipientOutcome, client: SmtpClient, host: string): Outcome {
  if (outcome.status === 'accepted') {
    return {
      outcome: 'delivered',
      reply: replyText(outcome.reply),
      host,
      answered: true,
      success: client.capabilities.has('DSN') ? undefined : 'relayed',
      tls: tlsText(client),
    };
  }
  if (outcome.status === 'refused') {
    const reply = replyText(outcome.reply);
    // `local`: the server said nothing, we found that it cannot take this message.
    const answered = outcome.stage !== 'local';
    const by = { reply, host: answered ? host : undefined, answered };
    if (outcome.reply.code < 500) return { outcome: 'deferred', ...by, lostReply: false };
    return { outcome: 'failed', ...by, status: outcome.reply.enhanced ?? '5.0.0' };
  }
  // RFC 3463 3.5: X.4.2, bad connection; X.5.3, too many recipients.
  const reply =
    outcome.status === 'lost'
      ? `451 4.4.2 ${outcome.failure.reason}; the message may have arrived`
      : '452 4.5.3 The server takes fewer recipients at once';
  return { outcome: 'deferred', reply, host, answered: false, lostReply: outcome.status === 'lost' };
}

function tlsText(client: SmtpClient): string {
  if (client.tls === undefined) return 'plain';
  const { facts, authorized, verified } = client.tls;
  // A verifier of ours is DANE's.
  const how = verified ? 'verified (DANE)' : authorized ? 'verified' : 'unverified';
  return `${facts.version} ${how}`;
}

function outgoingRecipient(recipient: QueueRecipient): OutgoingRecipient {
  const separator = recipient.orcpt?.indexOf(';') ?? -1;
  const notify = recipient.notify === '' ? [] : recipient.notify.split(',');
  return {
    address: recipient.address,
    notify: notify as NonNullable<OutgoingRecipient['notify']>,
    ...(recipient.orcpt !== undefined &&
      separator > 0 && {
        orcpt: { type: recipient.orcpt.slice(0, separator), address: recipient.orcpt.slice(separator + 1) },
      }),
  };
}

/**
 * The message for this server. One that we originated and that it could not take as it is (8-bit or binary octets) is
 * re-encoded and signed anew; others' messages are never changed, the client refuses them with 5.6.3 instead.
 */
async function asSent(
  deps: FlowDeps,
  client: SmtpClient,
  work: LeasedWork,
  content: MessageContent,
): Promise<Omit<OutgoingMessage, 'recipients'>> {
  const { message } = work;
  const params = {
    size: content.size,
    body: message.body,
    smtputf8: message.smtputf8,
    requiretls: message.requireTls,
    ...(message.ret !== undefined && { ret: message.ret }),
    ...(message.envid !== undefined && { envid: message.envid }),
  };
  const { capabilities } = client;
  const takesBinary = capabilities.has('BINARYMIME') && capabilities.has('CHUNKING');
  const poor =
    (message.body === 'BINARYMIME' && !takesBinary) ||
    (message.body === '8BITMIME' && !capabilities.has('8BITMIME'));
  if (poor && message.originated) {
    const recoded = await recodedFor7bit(deps, message, content);
    if (recoded !== undefined) {
      return {
        reversePath: message.reversePath,
        params: { ...params, body: '7BIT', size: recoded.length },
        body: recoded,
      };
    }
  }
  return { reversePath: message.reversePath, params, body: content.open() };
}
