import { Refusal, smtpReply } from '../../base/errors.ts';

/** The client's message breaks the mechanism's syntax. SMTP: RFC 4954 section 6. */
export function malformed(mechanism: string, what: string): Refusal {
  const text = `Malformed ${mechanism} message: ${what}`;
  return new Refusal('bad-input', text, { smtp: smtpReply(501, '5.5.2', text) });
}

/** Wrong credentials. One text for every cause, so that nobody learns which logins exist. */
export function authenticationFailed(): Refusal {
  return new Refusal('authentication-failed', 'The login or password is wrong', {
    smtp: smtpReply(535, '5.7.8', 'The login or password is wrong'),
    imapCode: 'AUTHENTICATIONFAILED',
  });
}

/** The exchange itself is to be refused, for a reason that the client may know. */
export function exchangeFailed(text: string, imapCode = 'AUTHENTICATIONFAILED'): Refusal {
  return new Refusal('authentication-failed', text, { smtp: smtpReply(535, '5.7.8', text), imapCode });
}
