import { Refusal, type SmtpReply, smtpReply } from '../../base/errors.ts';
import type { AwsError, AwsErrorKind } from '../../net/aws/types.ts';

/** What the relay's clients hear. Nothing of accounts, roles or endpoints is told: that goes to the log. */

/** Characters of Amazon's own words that are passed on. */
const WORDS_MAX = 300;

/** A kind that does not count as guessing at addresses: these clients are no strangers. */
function refusal(code: number, enhanced: string, text: string): Refusal {
  return new Refusal('bad-input', text, { smtp: smtpReply(code, enhanced, text) });
}

export const DENIED_SENDER = 'denied sender: sender does not match the allowed emails regexp';
export const DENIED_RECIPIENTS = 'denied recipients: recipients match the denied emails regexp';

export const relayReplies = {
  queued: smtpReply(250, '2.0.0', 'Ok: queued'),
  deniedIp: (): Refusal => refusal(550, '5.7.1', 'Your address may not send through this relay'),
  deniedSender: (): Refusal => refusal(550, '5.7.1', DENIED_SENDER),
  deniedRecipient: (): Refusal => refusal(550, '5.7.1', DENIED_RECIPIENTS),
  binary: (): Refusal => refusal(555, '5.6.1', 'BODY=BINARYMIME is not possible through Amazon SES'),
  /** RFC 8689 section 5. */
  requireTls: (): Refusal => refusal(550, '5.7.30', 'REQUIRETLS cannot be promised through Amazon SES'),
  /** RFC 6531 section 3.5. */
  notAscii: (): Refusal => refusal(553, '5.6.7', 'Amazon SES takes ASCII addresses only'),
  noDomain: (): Refusal => refusal(553, '5.1.3', 'The address needs a domain'),
  noSender: (): Refusal =>
    refusal(550, '5.1.7', 'Amazon SES takes no empty sender, and From names no address to take instead'),
  tooLarge: (): Refusal => refusal(552, '5.3.4', 'Message too large'),
  memory: (): Refusal => refusal(452, '4.3.1', 'Too many messages at once, try again later'),
  /** RFC 3463 X.3.1. */
  diskReserve: (): Refusal => refusal(452, '4.3.1', 'The disk here is nearly full, try again later'),
  notStored: (): Refusal => refusal(451, '4.3.0', 'Unable to process mail'),
} as const;

const KINDS: Readonly<Record<Exclude<AwsErrorKind, 'rejected'>, SmtpReply>> = {
  network: smtpReply(451, '4.4.1', 'Amazon SES cannot be reached, try again later'),
  unsure: smtpReply(451, '4.4.2', 'Amazon SES did not answer; the message may have been sent'),
  throttled: smtpReply(451, '4.3.2', 'Too many messages at once for Amazon SES, try again later'),
  quota: smtpReply(451, '4.3.2', 'The sending quota is used up, try again later'),
  server: smtpReply(451, '4.3.0', 'Amazon SES has a problem, try again later'),
  // Ours to mend: the client can only wait, and its mail must not be lost meanwhile.
  auth: smtpReply(451, '4.3.0', 'Unable to process mail'),
  missing: smtpReply(451, '4.3.5', 'Unable to process mail'),
};

/** Amazon's names for "your account or set may not send at present": no fault of the message. */
const PAUSED = /Paused|Suspended/;
/** For "this sender or recipient is not verified". */
const NOT_VERIFIED = /NotVerified|not verified/;

/** The reply for a failed call; `sent` of `all` recipients were served before. */
export function replyFor(error: AwsError, sent: number, all: number): SmtpReply {
  if (error.kind !== 'rejected') return KINDS[error.kind];
  if (PAUSED.test(error.code ?? '')) return smtpReply(451, '4.3.0', 'Sending is paused, try again later');
  const enhanced = NOT_VERIFIED.test(`${error.code ?? ''} ${error.message}`) ? '5.7.1' : '5.6.0';
  const partly = sent > 0 ? `sent to ${sent} of ${all} recipients, not to the others: ` : '';
  return smtpReply(554, enhanced, `${partly}${cleaned(spoken(error))}`);
}

/** Amazon's own words: without the name of the call in front and that of the error behind. */
function spoken({ message, code }: AwsError): string {
  const text = message.replace(/^SES [A-Za-z]+: /, '');
  const name = ` (${code})`;
  return text.endsWith(name) ? text.slice(0, -name.length) : text;
}

/** Words without what tells of our account. */
export function cleaned(words: string): string {
  return words
    .replace(/arn:[^\s,;]{1,2000}/g, '(…)')
    .replace(/\b\d{12}\b/g, '(…)')
    .replace(/\(?\b(?:request ?id|service): [^\s)]{1,100}\)?/gi, '')
    .replaceAll('(…)', '(...)')
    .slice(0, WORDS_MAX)
    .trim();
}

/** The log's words for a failed call, begun as Go's SDK does: "MessageRejected: …". */
export function logText(error: AwsError): string {
  const { code, requestId, message } = error;
  const named = code === undefined ? message : `${code}: ${spoken(error)}`;
  return requestId === undefined ? named : `${named}, request id: ${requestId}`;
}
