import type { Core } from './internal.ts';
import { addressesIn, fieldOf, mailDate, parseMessage } from './ses-message.ts';
import type { BounceOptions, SesSent } from './types.ts';

/**
 * The mail that SES sends back when no topic is set: a delivery status notification (RFC 3464) to the envelope sender, or
 * a complaint (RFC 5965) where a provider sent one. Both return the message as SES sent it, under SES's own Message-ID.
 */
export function bounceMail(core: Core, record: SesSent, options: BounceOptions): Buffer {
  const recipients = options.recipients ?? record.recipients;
  const temporary = options.type === 'Transient';
  const status = options.status ?? (temporary ? '4.4.7' : '5.1.1');
  const diagnostic =
    options.diagnosticCode ?? (temporary ? 'smtp; 452 4.2.2 mailbox full' : 'smtp; 550 5.1.1 user unknown');
  const perRecipient = recipients.flatMap((recipient) => [
    `Final-Recipient: rfc822;${recipient}`,
    'Action: failed',
    `Status: ${status}`,
    `Diagnostic-Code: ${diagnostic}`,
    '',
  ]);
  return report(core, record, {
    from: `MAILER-DAEMON@${core.region}.amazonses.com`,
    subject: 'Delivery Status Notification (Failure)',
    type: 'delivery-status',
    text: `An error occurred while trying to deliver the mail to the following recipients:\r\n${recipients.join('\r\n')}`,
    machine: [`Reporting-MTA: dns; a7-10.smtp-out.${core.region}.amazonses.com`, '', ...perRecipient],
  });
}

export function complaintMail(
  core: Core,
  record: SesSent,
  options: { recipients?: readonly string[]; feedbackType?: string },
): Buffer {
  const recipients = options.recipients ?? record.recipients;
  return report(core, record, {
    from: `complaints@${core.region}.email-abuse.amazonses.com`,
    subject: fieldOf(parseMessage(record.raw), 'Subject') ?? 'Complaint',
    type: 'feedback-report',
    text: 'This is an email abuse report for an email message from amazonses.com.',
    machine: [
      `Feedback-Type: ${options.feedbackType ?? 'abuse'}`,
      'User-Agent: Amazon SES Mailbox Simulator',
      'Version: 1',
      `Original-Mail-From: <${record.messageId}@${core.region}.amazonses.com>`,
      ...recipients.map((recipient) => `Original-Rcpt-To: ${recipient}`),
      `Arrival-Date: ${mailDate(record.at)}`,
      'Source-IP: 192.0.2.240',
      '',
    ],
  });
}

function report(
  core: Core,
  record: SesSent,
  parts: { from: string; subject: string; type: string; text: string; machine: readonly string[] },
): Buffer {
  const boundary = `----=_Part_${crypto.randomUUID()}`;
  const returned = parts.type === 'delivery-status' ? headerOf(record.delivered) : record.delivered;
  const returnedType = parts.type === 'delivery-status' ? 'text/rfc822-headers' : 'message/rfc822';
  const head = [
    `From: ${parts.from}`,
    `To: ${addressesIn(record.from)[0] ?? record.from}`,
    `Subject: ${parts.subject}`,
    `Date: ${mailDate(Date.now())}`,
    `Message-ID: <${crypto.randomUUID()}@${core.region}.amazonses.com>`,
    'MIME-Version: 1.0',
    `Content-Type: multipart/report; report-type=${parts.type}; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    'Content-Type: text/plain; charset=us-ascii',
    '',
    parts.text,
    '',
    `--${boundary}`,
    `Content-Type: message/${parts.type}`,
    '',
    ...parts.machine,
    `--${boundary}`,
    `Content-Type: ${returnedType}`,
    '',
    '',
  ];
  const end = `\r\n--${boundary}--\r\n`;
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), returned, Buffer.from(end, 'latin1')]);
}

function headerOf(message: Buffer): Buffer {
  const { fields } = parseMessage(message);
  return Buffer.from(fields.map(({ octets }) => octets).join(''), 'latin1');
}
