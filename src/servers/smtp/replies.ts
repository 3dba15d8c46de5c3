import { Refusal, type RefusalKind, type SmtpReply, smtpReply } from '../../base/errors.ts';
import type { DataFault } from './wire/data-framer.ts';
import type { LineFault } from './wire/line.ts';

/** The replies that need few words from elsewhere. Codes: RFC 5321 section 4.2.3, RFC 3463, RFC 5248. */
export const replies = {
  ok: smtpReply(250, '2.0.0', 'Ok'),
  senderOk: smtpReply(250, '2.1.0', 'Sender ok'),
  recipientOk: smtpReply(250, '2.1.5', 'Recipient ok'),
  startData: { code: 354, lines: ['Send the message, end with <CRLF>.<CRLF>'] },
  bye: smtpReply(221, '2.0.0', 'Goodbye'),
  readyForTls: smtpReply(220, '2.0.0', 'Ready to start TLS'),
  help: smtpReply(214, '2.0.0', 'See RFC 5321'),
  // RFC 5321 section 3.5.3: neither confirms nor denies.
  vrfy: smtpReply(252, '2.5.2', 'Cannot verify; send mail and see'),

  unknownCommand: smtpReply(500, '5.5.1', 'Command not recognized'),
  notImplemented: smtpReply(502, '5.5.1', 'Command not implemented'),
  noArgument: smtpReply(501, '5.5.4', 'This command takes no argument'),
  argumentMissing: smtpReply(501, '5.5.4', 'This command needs an argument'),
  badSequence: smtpReply(503, '5.5.1', 'Not possible now'),
  helloFirst: smtpReply(503, '5.5.1', 'Say EHLO or HELO first'),
  lhloFirst: smtpReply(503, '5.5.1', 'Say LHLO first'),
  inTransaction: smtpReply(503, '5.5.1', 'Not inside a mail transaction'),
  mailFirst: smtpReply(503, '5.5.1', 'Say MAIL first'),
  mailOpen: smtpReply(503, '5.5.1', 'A mail transaction is already open'),
  rcptFirst: smtpReply(503, '5.5.1', 'Say RCPT first'),
  noValidRecipients: smtpReply(554, '5.5.1', 'No valid recipients'),
  lmtpNoValidRecipients: smtpReply(503, '5.5.1', 'No valid recipients'),
  bdatOpen: smtpReply(503, '5.5.1', 'A BDAT sequence is open'),
  binaryNeedsBdat: smtpReply(503, '5.5.1', 'BODY=BINARYMIME needs BDAT'),
  bdatFailed: smtpReply(503, '5.5.1', 'The BDAT sequence has failed before'),
  tooManyRecipients: smtpReply(452, '4.5.3', 'Too many recipients'),
  tooLarge: smtpReply(552, '5.3.4', 'Message too large'),
  tlsFirst: smtpReply(530, '5.7.0', 'Must issue a STARTTLS command first'),
  loginFirst: smtpReply(530, '5.7.0', 'Authentication required'),
  tlsActive: smtpReply(503, '5.5.1', 'TLS is already active'),
  tlsUnavailable: smtpReply(454, '4.7.0', 'TLS not available'),
  pipelinedTls: smtpReply(503, '5.5.1', 'Nothing may follow STARTTLS before TLS is active'),
  pipelinedData: smtpReply(421, '4.7.0', 'Data was sent without waiting for 354, closing'),

  busy: smtpReply(421, '4.3.2', 'Too many connections, try again later'),
  tooManySessions: smtpReply(421, '4.7.0', 'Too many connections from your address'),
  draining: smtpReply(421, '4.3.2', 'Shutting down, try again later'),
  timeout: smtpReply(421, '4.4.2', 'Timeout, closing'),
  revoked: smtpReply(421, '4.7.0', 'This login is no longer valid, closing'),
  tooManyErrors: smtpReply(421, '4.7.0', 'Too many errors, closing'),
  tooManyUnknown: smtpReply(421, '4.7.0', 'Too many refused recipients, closing'),
  tooManyIdle: smtpReply(421, '4.7.0', 'Too many commands without mail, closing'),
  tooManyMessages: smtpReply(421, '4.7.0', 'Too many messages in one session, closing'),
  tooManyLogins: smtpReply(421, '4.7.0', 'Too many failed logins, closing'),
  banned: (why: string): SmtpReply => smtpReply(421, '4.7.0', why),
  outOfStep: smtpReply(421, '4.7.0', 'Cannot tell where the next command begins, closing'),
  http: smtpReply(421, '4.7.0', 'This is a mail server, closing'),
} as const satisfies Record<string, SmtpReply | ((why: string) => SmtpReply)>;

export const lineFaultReplies: Record<LineFault, SmtpReply> = {
  'bare-lf': smtpReply(500, '5.5.2', 'Line ended by LF without CR (RFC 5321 section 2.3.8)'),
  'bare-cr': smtpReply(500, '5.5.2', 'Line has a CR without LF (RFC 5321 section 2.3.8)'),
  flood: smtpReply(500, '5.5.2', 'Line too long'),
  'too-long': smtpReply(500, '5.5.2', 'Line too long'),
  control: smtpReply(500, '5.5.2', 'Line has a control character'),
  'not-utf8': smtpReply(500, '5.5.2', 'Line is neither ASCII nor UTF-8'),
};

export const dataFaultReplies: Record<DataFault, SmtpReply> = {
  'bare-cr': smtpReply(550, '5.6.0', 'Message has a CR without LF (RFC 5321 section 2.3.8)'),
  'bare-lf': smtpReply(550, '5.6.0', 'Message has an LF without CR (RFC 5321 section 2.3.8)'),
  nul: smtpReply(550, '5.6.0', 'Message has a NUL octet; it needs BDAT and BODY=BINARYMIME'),
  'line-too-long': smtpReply(
    550,
    '5.6.0',
    'Message has a line that is too long (RFC 5321 section 4.5.3.1.6)',
  ),
};

const KIND_REPLIES: Record<RefusalKind, readonly [code: number, enhanced: string]> = {
  'no-such-account': [550, '5.1.1'],
  'no-such-mailbox': [550, '5.1.1'],
  'no-such-message': [550, '5.1.1'],
  'not-found': [550, '5.1.1'],
  'already-exists': [550, '5.5.4'],
  'over-quota': [452, '4.2.2'],
  'too-large': [552, '5.3.4'],
  limit: [450, '4.7.1'],
  'not-permitted': [550, '5.7.1'],
  'authentication-failed': [535, '5.7.8'],
  suspended: [535, '5.7.8'],
  'bad-input': [550, '5.6.0'],
  conflict: [451, '4.3.0'],
  'storage-full': [452, '4.3.1'],
  unavailable: [451, '4.3.0'],
};

/** How SMTP says a refusal: in its own words if it brings them, else by its kind. */
export function refusalReply(refusal: Refusal): SmtpReply {
  if (refusal.smtp !== undefined) return refusal.smtp;
  const [code, enhanced] = KIND_REPLIES[refusal.kind];
  return smtpReply(code, enhanced, refusal.message);
}
