import { type Facts, ipIn, type Remedy } from './facts.ts';
import { type Arg, remedy, type Said } from './say.ts';

/** What to do about what the filter refused (flow/replies.ts, flow/inbound/decisions.ts, flow/spam/partners.ts). */

/** Where a refused message is, and how to get it delivered. */
function kept(facts: Facts): Said {
  const number = /\(case ([0-9A-Z]{5}-[0-9A-Z]{5})\)/.exec(facts.text('reply'))?.[1];
  return number === undefined ? remedy('notKept') : remedy('kept', { case: number });
}

function domainIn(facts: Facts, words: RegExp): Arg {
  const domain = words.exec(facts.text('reply'))?.[1] ?? '';
  return /^[\w.-]{1,253}$/.test(domain) ? domain : remedy('thatDomain');
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
    say: (facts) => [
      remedy('forgery', { domain: domainIn(facts, /it is from ([^\s,]+),/), ip: ipIn(facts) }),
      kept(facts),
    ],
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: .* is blocked on the site's list/,
    say: (facts) => [remedy('siteList', { pattern: pattern(facts) }), kept(facts)],
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: this site does not take /,
    say: (facts) => [remedy('attachments'), kept(facts)],
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: the virus scanner found/,
    say: (facts) => [remedy('virus'), kept(facts)],
  },
  {
    words: /^550 5\.7\.1 Refused as unwanted mail/,
    say: (facts) => [remedy('goodMail'), kept(facts), remedy('goodMailAllow', { ip: ipIn(facts) })],
  },
  {
    words: /^550 5\.7\.1 Refused(?: \(case \S+\))?: /,
    say: (facts) => [remedy('milters'), kept(facts)],
  },
  { words: /^451 4\.3\.0 The mail filter /, say: () => [remedy('filterDown')] },
  {
    words: /^451 4\.4\.3 DNS did not answer whether/,
    say: (facts) => [remedy('dnsSilent', { domain: domainIn(facts, /whether (\S+) has sent/) })],
  },
];
