import { type Facts, ipIn, type Remedy } from './facts.ts';

/** What to do about what the filter refused (flow/replies.ts, flow/inbound/decisions.ts, flow/spam/partners.ts). */

/** Where a refused message is, and how to get it delivered. */
function kept(facts: Facts): string {
  const number = /\(case ([0-9A-Z]{5}-[0-9A-Z]{5})\)/.exec(facts.text('reply'))?.[1];
  return number === undefined
    ? '\nIt was not kept.'
    : `\nIt is kept for some days. To look at it, and to deliver it after all:\npostern vault show ${number}\npostern vault release ${number}`;
}

function domainIn(facts: Facts, words: RegExp): string {
  const domain = words.exec(facts.text('reply'))?.[1] ?? '';
  return /^[\w.-]{1,253}$/.test(domain) ? domain : 'that domain';
}

/** The entry of a list of senders. */
function pattern(facts: Facts): string {
  const entry = /: (\S+) is blocked/.exec(facts.text('reply'))?.[1] ?? '';
  return /^[\w.+@:/-]{3,330}$/.test(entry) ? entry : 'SENDER';
}

/** In order: the first that fits is said. Words of strangers stand in some of the replies, so each begins with ours. */
export const filterRemedies: readonly Remedy[] = [
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: .* wants such mail (?:refused|put into Junk) \(DMARC\)/,
    say: (facts) =>
      `Most often it is a forgery, and nothing is to be done. If the sender is real, whoever runs their mail has to mend SPF or DKIM; until then add ${domainIn(facts, /it is from ([^\s,]+),/)} to the list in dmarc.ignore (or, for a forwarder or mailing list, its domain to dmarc.forwarders), or take all that comes from that host:\npostern filter allow ${ipIn(facts)}${kept(facts)}`,
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: .* is blocked on the site's list/,
    say: (facts) =>
      `An administrator wanted it so. To see since when and why, and to take that mail again:\npostern filter senders\npostern filter unlist ${pattern(facts)}${kept(facts)}`,
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: this site does not take /,
    say: (facts) =>
      `The site wants it so; the sender can send the file some other way. What is not taken:\npostern filter show attachments${kept(facts)}`,
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: the virus scanner found/,
    say: (facts) =>
      `If the sender is somebody you know, tell them: their machine may be infected. Deliver it only when you know that the scanner is wrong.${kept(facts)}`,
  },
  {
    words: /^550 5\.7\.1 Refused as unwanted mail/,
    say: (facts) =>
      `If it is good mail, deliver it: the filter learns from that.${kept(facts)}\nTo always take mail from that host, or to put into Junk what would be refused:\npostern filter allow ${ipIn(facts)}\npostern filter set refuse never`,
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: /,
    say: (facts) => `A filter beside this server decided that:\npostern filter show milters${kept(facts)}`,
  },
  {
    words: /^451 4\.3\.0 The mail filter /,
    say: () =>
      'That filter does not answer: start it. The sender comes back by itself. To take mail without it meanwhile, set its failure to ignore:\npostern filter show',
  },
  {
    words: /^451 4\.4\.3 DNS did not answer whether/,
    say: (facts) =>
      `The sender comes back by itself. If it lasts, the name servers of ${domainIn(facts, /whether (\S+) has sent/)} or ours need repair. To take such mail unproven, add that domain to the list in dmarc.ignore.`,
  },
];
