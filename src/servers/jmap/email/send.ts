import { Refusal } from '../../../base/errors.ts';
import type { MailParams, MailTransaction, SessionFacts } from '../../../flow/service.ts';
import { isAscii } from '../../../mail/address/domain.ts';
import type { Blob } from '../blobs.ts';
import type { Context } from '../context.ts';
import { MethodError, SetError } from '../errors.ts';
import type { Envelope, EnvelopeRecipient } from './envelope.ts';

function facts({ login, remoteAddress, trace }: Context): SessionFacts {
  const { accountId, address, revoked } = login;
  return {
    id: trace,
    protocol: 'submission',
    remoteAddress,
    remotePort: 0,
    localAddress: '',
    localPort: 0,
    helo: '',
    extended: true,
    tls: undefined,
    login: { accountId, address, mechanism: 'JMAP', revoked },
    earlyTalk: false,
    earlyPipelining: false,
  };
}

/**
 * Submit a message the way SMTP does: the same limits, checks of who may send as whom, signature, queue and journal.
 * `record`: what is kept of it as a submission, in the same commit; returns the id of that.
 * @throws SetError, MethodError 'stateMismatch' when submissions are not at the state that was asked for
 */
export async function send(
  context: Context,
  envelope: Envelope,
  message: Blob,
  record: NonNullable<MailParams['record']>,
): Promise<number> {
  const { mailFrom, rcptTo, ret, envid, releaseAt } = envelope;
  const { submission } = context.options;
  const session = facts(context);
  const params = {
    size: message.size,
    body: '8BITMIME',
    smtputf8: ![mailFrom, ...rcptTo.map(({ address }) => address)].every(isAscii),
    requireTls: false,
    ret,
    envid,
    auth: undefined,
    releaseAt,
    record,
  } as const;
  const transaction = await submission
    .mail(session, mailFrom, params)
    .catch((error: unknown) => refused(context, error, 'forbiddenMailFrom'));
  try {
    await addRecipients(transaction, rcptTo);
    const sink = await transaction
      .open()
      .catch((error: unknown) => refused(context, error, 'forbiddenToSend'));
    for await (const piece of message.read()) await sink.write(piece);
    const { recordId } = await sink.finish();
    if (recordId === undefined) throw new Error('a submission was not kept');
    return recordId;
  } catch (error) {
    transaction.abandon();
    return refused(context, error, 'forbiddenFrom');
  }
}

async function addRecipients(
  transaction: MailTransaction,
  rcptTo: readonly EnvelopeRecipient[],
): Promise<void> {
  const bad: string[] = [];
  for (const { address, notify, orcpt } of rcptTo) {
    try {
      await transaction.rcpt(address, { notify, orcpt });
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind === 'limit') throw error;
      bad.push(address);
    }
  }
  if (bad.length > 0)
    throw new SetError('invalidRecipients', 'Some recipients cannot be written to.', {
      invalidRecipients: bad,
    });
}

/** A refusal in the words of EmailSubmission/set (RFC 8621 section 7.5). */
function refused(
  context: Context,
  error: unknown,
  type: 'forbiddenMailFrom' | 'forbiddenFrom' | 'forbiddenToSend',
): never {
  if (!(error instanceof Refusal)) throw error;
  const { kind, message } = error;
  const code = error.smtp?.code ?? 0;
  if (kind === 'conflict') throw new MethodError('stateMismatch');
  if (kind === 'limit') throw new SetError('rateLimit', message);
  if (kind === 'too-large')
    throw new SetError('tooLarge', message, { maxSize: context.options.settings().maxMessageBytes });
  if (kind === 'unavailable' || kind === 'storage-full' || (code >= 400 && code < 500))
    throw new SetError('forbiddenToSend', message);
  throw new SetError(type, message);
}
