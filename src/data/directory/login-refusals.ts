import { Refusal, smtpReply } from '../../base/errors.ts';
import type { LoginAttempt, Scope } from '../../mail/sasl/types.ts';

/** Why a login is refused whose secret is right, or was not looked at. */

/** What the protocols need; over HTTP the request says it. */
const SCOPES: Readonly<Record<string, Scope>> = {
  imap: 'mail',
  pop3: 'mail',
  smtp: 'send',
  submission: 'send',
  managesieve: 'settings',
};

/** What a login is for. */
export function neededScope({ scope, protocol }: Pick<LoginAttempt, 'scope' | 'protocol'>): Scope {
  return scope ?? SCOPES[protocol] ?? 'mail';
}

const SCOPE_WORDS: Readonly<Record<Scope, string>> = {
  mail: 'reading mail',
  send: 'sending mail',
  settings: 'filters and settings',
  account: 'the security of the account',
  admin: 'administration',
};

/** RFC 4954 section 6: 454 4.7.0. */
export function tooBusy(): Refusal {
  const text = 'Too many logins at once; try again in a minute';
  return new Refusal('unavailable', text, { smtp: smtpReply(454, '4.7.0', text), imapCode: 'UNAVAILABLE' });
}

/** RFC 5248 section 2.4 registered 5.7.13 for 525; RFC 5530 CONTACTADMIN. */
export function suspended(): Refusal {
  const text = 'This account is suspended; ask your administrator';
  return new Refusal('suspended', text, { smtp: smtpReply(525, '5.7.13', text), imapCode: 'CONTACTADMIN' });
}

/** RFC 4954 section 6: 534 5.7.9. ALERT: mail programs show such a text to people. */
function notEnough(text: string): Refusal {
  return new Refusal('not-permitted', text, { smtp: smtpReply(534, '5.7.9', text), imapCode: 'ALERT' });
}

export function secondFactorNeeded(): Refusal {
  return notEnough(
    'This account has a second factor: make an app password for this program (Settings, Security)',
  );
}

export function appPasswordOver(): Refusal {
  return notEnough('This app password has expired: make a new one (Settings, Security)');
}

export function wrongScope(needed: Scope): Refusal {
  return notEnough(`This app password is not for ${SCOPE_WORDS[needed]}`);
}

/** Unknown, over, revoked, of another account: nobody learns which. */
export function tokenFailed(): Refusal {
  const text = 'The token is not valid';
  return new Refusal('authentication-failed', text, {
    smtp: smtpReply(535, '5.7.8', text),
    imapCode: 'AUTHENTICATIONFAILED',
  });
}

export function insufficientScope(needed: Scope): Refusal {
  const text = `This token is not for ${SCOPE_WORDS[needed]}`;
  return new Refusal('not-permitted', text, {
    smtp: smtpReply(535, '5.7.8', text),
    imapCode: 'AUTHORIZATIONFAILED',
  });
}
