import { Refusal, type RefusalKind, type SmtpReply, smtpReply } from '../../../base/errors.ts';

/** What the gate says when it refuses, in one place so that codes and words can be read side by side. */
function refusal(kind: RefusalKind, code: number, enhanced: string, text: string): Refusal {
  return new Refusal(kind, text, { smtp: smtpReply(code, enhanced, text) });
}

function sentence(...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('. ');
}

export const refusals = {
  /** A listed client, at connect (RFC 5321 3.1: 554 in the place of the greeting). `words`: the list's own. */
  listedAddress: (ip: string, zone: string, means: string, words: string, ask: string): Refusal =>
    refusal(
      'not-permitted',
      554,
      '5.7.1',
      sentence(`No mail from ${ip}: it ${means}`, words, `Have it taken off ${zone}`, ask),
    ),
  listedDomain: (domain: string, zone: string, means: string, words: string, ask: string): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.7.1',
      sentence(`No mail with ${domain}: it ${means}`, words, `Have it taken off ${zone}`, ask),
    ),
  /** RFC 7372 3.4 has the code. */
  noReverseName: (ip: string, ask: string): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.7.25',
      sentence(
        `Your address ${ip} has no name in DNS`,
        'Ask your provider for a PTR record with the name of your server',
        ask,
      ),
    ),
  unconfirmedName: (ip: string, name: string, ask: string): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.7.25',
      sentence(
        `Your address ${ip} claims the name ${name}, which does not lead back to it`,
        'Make the A or AAAA record of the name and the PTR record of the address agree',
        ask,
      ),
    ),
  badHello: (what: string, remedy: string, ask: string): Refusal =>
    refusal('not-permitted', 550, '5.7.1', sentence(what, remedy, ask)),
  /** RFC 3463 X.1.8. */
  unknownSenderDomain: (domain: string, ask: string): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.1.8',
      sentence(
        `The sender's domain ${domain} does not exist in DNS, nobody could answer`,
        'Use a sender address that exists',
        ask,
      ),
    ),
  mailLessSenderDomain: (domain: string, ask: string): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.1.8',
      sentence(
        `The sender's domain ${domain} has neither MX nor A nor AAAA records, nobody could answer`,
        'Use a sender address that takes mail',
        ask,
      ),
    ),
  /** RFC 7505 4.2 has the code. */
  nullMxSender: (domain: string, ask: string): Refusal =>
    refusal(
      'not-permitted',
      550,
      '5.7.27',
      sentence(
        `The sender's domain ${domain} takes no mail (null MX), nobody could answer`,
        'Use a sender address that takes mail',
        ask,
      ),
    ),
  uncheckedSenderDomain: (domain: string, why: string): Refusal =>
    refusal(
      'unavailable',
      451,
      '4.1.8',
      sentence(
        `DNS does not say now whether the sender's domain ${domain} exists (${why})`,
        'Try again later; if it lasts, its name servers need repair',
      ),
    ),
  tooManyMessages: (network: string, limit: number, minutes: number): Refusal =>
    refusal(
      'limit',
      450,
      '4.7.1',
      `More than ${limit} messages in an hour from your network ${network}. Try again in ${minutes} min`,
    ),
  greylisted: (domain: string, seconds: number, ask: string): Refusal =>
    refusal(
      'limit',
      451,
      '4.7.1',
      sentence(
        `Greylisted: mail from ${domain} by your network is new here`,
        `Try again in ${seconds} seconds or later, as mail servers do by themselves, and it is taken`,
        ask,
      ),
    ),
  tooManyGuesses: (unknown: number, ask: string): Refusal =>
    refusal(
      'limit',
      421,
      '4.7.0',
      sentence(
        `${unknown} recipients from you do not exist here within an hour, closing`,
        'Clean up your list of addresses and come back later',
        ask,
      ),
    ),
} as const;

/** RFC 5321 4.3.1: the client has to wait for the greeting. */
export function earlyTalkReply(ask: string): SmtpReply {
  return smtpReply(
    554,
    '5.5.1',
    sentence(
      'You sent commands before the greeting, as only spam programs do',
      'A mail server waits for it',
      ask,
    ),
  );
}
