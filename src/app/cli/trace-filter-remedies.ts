import { type Facts, type Remedy, typeable } from './trace-facts.ts';

/** What to do about what the filter refused (flow/replies.ts, flow/inbound/decisions.ts, flow/spam/partners.ts). */

/** Where a refused message is, and how to get it delivered. */
function kept(facts: Facts): string {
  const number = /\(case ([0-9A-Z]{5}-[0-9A-Z]{5})\)/.exec(facts.text('reply'))?.[1];
  return number === undefined
    ? 'It was not kept.'
    : `It is kept for some days: postern vault show ${number}. To deliver it after all: postern vault release ${number}.`;
}

function domainIn(facts: Facts, words: RegExp): string {
  const domain = words.exec(facts.text('reply'))?.[1] ?? '';
  return /^[\w.-]{1,253}$/.test(domain) ? domain : 'DOMAIN';
}

/** In order: the first that fits is said. Words of strangers stand in some of the replies, so each begins with ours. */
export const filterRemedies: readonly Remedy[] = [
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: .* wants such mail (?:refused|put into Junk) \(DMARC\)/,
    say: (facts) =>
      `Most often it is a forgery, and nothing is to be done. If the sender is real, whoever runs their mail has to mend SPF or DKIM. ${kept(facts)} To follow the wishes of that domain no more: postern filter set dmarc.ignore '["${domainIn(facts, /it is from ([^\s,]+),/)}"]'.`,
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: .* is blocked on the site's list/,
    say: (facts) =>
      `An administrator wanted it so ("postern filter senders" shows since when and why). To take that mail again: postern filter unlist ${/: (\S+) is blocked/.exec(facts.text('reply'))?.[1] ?? 'SENDER'}. ${kept(facts)}`,
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: this site does not take /,
    say: (facts) =>
      `The site wants it so (postern filter show attachments). The sender can pack it otherwise or use a link. ${kept(facts)}`,
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: the virus scanner found/,
    say: (facts) =>
      `If the sender is somebody you know, tell them: their machine may be infected. ${kept(facts)} Do so only when you know that the scanner is wrong.`,
  },
  {
    words: /^550 5\.7\.1 Refused as unwanted mail/,
    say: (facts) => {
      const from = typeable(facts.text('from'));
      return `${kept(facts)} The filter learns from that. To always take mail from that sender: postern filter allow ${from}. To refuse nothing, and put all of it into Junk: postern filter set refuse never.`;
    },
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: /,
    say: (facts) => `A filter beside us decided that: postern filter show milters. ${kept(facts)}`,
  },
  {
    words: /^451 4\.3\.0 The mail filter /,
    say: () =>
      'That filter does not answer: start it. To take mail without it meanwhile, set its "failure" to ignore (postern filter show).',
  },
  {
    words: /^451 4\.4\.3 DNS did not answer whether/,
    say: (facts) =>
      `The sender comes back by itself. If it lasts, their name servers or ours (dns in postern.toml) need repair. To take such mail unproven: postern filter set dmarc.ignore '["${domainIn(facts, /whether (\S+) has sent/)}"]'.`,
  },
];
