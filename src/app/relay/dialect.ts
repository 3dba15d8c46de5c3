import { smtpReply } from '../../base/errors.ts';
import type { SmtpDialect } from '../../servers/smtp/dialect.ts';
import { replies } from '../../servers/smtp/replies.ts';

/** The words of aws-smtp-relay. PIPELINING and 8BITMIME are new; SIZE says what SES takes. */
export function relayDialect(hostname: string, service: string): SmtpDialect {
  return {
    greeting: `${hostname} ${service} ESMTP Service ready`,
    hello: (client) => `${hostname} greets ${client}`,
    extensions: ['SIZE', 'PIPELINING', '8BITMIME', 'STARTTLS', 'AUTH', 'ENHANCEDSTATUSCODES'],
    words: new Map([
      [replies.senderOk, smtpReply(250, '2.1.0', 'Ok')],
      [replies.recipientOk, smtpReply(250, '2.1.5', 'Ok')],
      [replies.help, replies.notImplemented],
      [replies.vrfy, replies.notImplemented],
      [
        replies.bye,
        smtpReply(221, '2.0.0', `${hostname} ${service} ESMTP Service closing transmission channel`),
      ],
    ]),
  };
}
