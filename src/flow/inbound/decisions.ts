import type { Relation } from '../../data/spam/types.ts';
import type { AttachmentCategory } from '../spam/attachments/categories.ts';
import type { Reason } from '../spam/types.ts';
import type { FilterSettings } from '../spam/settings.ts';
import type { Scanned } from '../spam/scan-types.ts';
import type { Decision } from '../spam/verdict.ts';
import type { Evidence } from './authenticate.ts';
import type { ForwarderWord } from './forwarder.ts';

/** Policies that decide by themselves: the sender's own (DMARC), the site's (lists, attachments), the account's. */

/**
 * Whether the domain of the author has proven that it sent this. Where it publishes no policy for DMARC, SPF or a
 * signature of that very domain proves the same.
 */
export function authorIsProven({ dmarc, author, spf, dkim }: Evidence): boolean {
  if (author.doubt !== undefined) return false;
  if (dmarc.result === 'pass') return true;
  const [domain, ...others] = author.domains;
  if (dmarc.result !== 'none' || domain === undefined || others.length > 0) return false;
  const sent = spf.result === 'pass' && spf.identity === 'mailfrom' && spf.domain.toLowerCase() === domain;
  return sent || dkim.some((found) => found.status === 'pass' && found.domain === domain);
}

/** What speaks against a message for the same reason as a DMARC failure. */
const UNPROVEN = [
  'DMARC_FAIL_REJECT',
  'DMARC_FAIL_QUARANTINE',
  'DMARC_FAIL',
  'SPF_FAIL',
  'SPF_SOFTFAIL',
  'DKIM_INVALID',
  'SENDER_UNPROVEN',
];

/** What the author's domain wants done with mail that fails, unless the site or a known forwarder says otherwise. */
export function dmarcDecision(
  evidence: Evidence,
  settings: FilterSettings,
  forwarder: ForwarderWord | undefined,
): Decision | undefined {
  const { dmarc } = evidence;
  if (!settings.dmarc.enforce || dmarc.result !== 'fail' || dmarc.disposition === 'none') return undefined;
  if (forwarder !== undefined || covers(settings.dmarc.ignore, dmarc.domain)) return undefined;
  const { domain, disposition } = dmarc;
  const wish = disposition === 'reject' ? 'refused' : 'put into Junk';
  return {
    action: disposition === 'reject' ? 'refuse' : 'junk',
    same: UNPROVEN,
    reason: {
      name: 'DMARC_POLICY',
      score: 0,
      text: `it says it is from ${domain}, which could not be proven, and ${domain} wants such mail ${wish} (DMARC)`,
      lever: `${domain} had sent it by one of its own servers (SPF) or signed it (DKIM) and nobody had changed it`,
    },
  };
}

/** A domain or one above it stands in the list. */
export function covers(domains: readonly string[], domain: string): boolean {
  const name = domain.toLowerCase();
  return domains.some((each) => {
    const listed = each.toLowerCase();
    return name === listed || name.endsWith(`.${listed}`);
  });
}

/** Lists of senders: an allow entry holds for proven senders only, or anybody could borrow the name. */
export function listDecision(evidence: Evidence, relation: Relation | undefined): Decision | undefined {
  const list = relation?.list;
  if (list === undefined) return undefined;
  const whose = list.site ? "the site's list" : 'your own list';
  if (list.action === 'block') {
    const text = `${list.pattern} is blocked on ${whose}`;
    const lever = `${list.pattern} were not blocked (postern filter unlist ${list.pattern})`;
    return {
      action: list.site ? 'refuse' : 'junk',
      reason: { name: 'BLOCKED', score: 0, text, lever },
    };
  }
  const network = !list.pattern.includes('@');
  if (!network && !authorIsProven(evidence) && evidence.state === 'checked') return undefined;
  return {
    action: 'inbox',
    reason: { name: 'ALLOWED', score: 0, text: `${list.pattern} is always welcome on ${whose}` },
  };
}

/** An allowed name that is not proven: worth something, but not everything. */
export function listFact(evidence: Evidence, relation: Relation | undefined): Reason | undefined {
  const list = relation?.list;
  if (list?.action !== 'allow' || listDecision(evidence, relation) !== undefined) return undefined;
  return {
    name: 'ALLOWED_UNPROVEN',
    score: evidence.dmarc.result === 'fail' ? 0 : -2,
    text: `${list.pattern} is always welcome, but nothing proves that this is from there`,
  };
}

/** The pattern that filters are tested with counts as spam beyond doubt. */
export function testDecision(scanned: Scanned | undefined, settings: FilterSettings): Decision | undefined {
  if (scanned?.testPattern !== true) return undefined;
  return {
    action: settings.refuse === 'certain' ? 'refuse' : 'junk',
    reason: {
      name: 'GTUBE',
      score: 0,
      text: 'it holds the pattern that spam filters are tested with',
      lever: 'it did not hold that pattern',
    },
  };
}

/** What the site wants done with kinds of files. */
export function attachmentDecision(scanned: Scanned | undefined): Decision | undefined {
  const { action = 'accept', findings: [gravest] = [] } = scanned?.attachments ?? {};
  if (action === 'accept' || gravest === undefined) return undefined;
  return {
    action,
    reason: {
      name: 'ATTACHMENT_POLICY',
      score: 0,
      text: `this site does not take ${CATEGORY[gravest.category]}: ${gravest.name}`,
      lever: 'the file were sent some other way',
    },
  };
}

const CATEGORY: Readonly<Record<AttachmentCategory, string>> = {
  executable: 'programs as attachments',
  script: 'scripts as attachments',
  'macro-document': 'documents with macros',
  'encrypted-archive': 'archives that need a password',
  'executable-in-archive': 'programs inside archives',
  'disk-image': 'disk images',
  shortcut: 'shortcuts',
};

/** What ties an account to the sender. A forged From gets nothing of it. */
export function relationFacts(evidence: Evidence, relation: Relation | undefined): Reason[] {
  if (relation === undefined) return [];
  const facts: Reason[] = [];
  const { result } = evidence.dmarc;
  const proven = authorIsProven(evidence);
  if (relation.wroteTo && result !== 'fail') {
    facts.push({
      name: 'CORRESPONDENT',
      score: proven ? -5 : evidence.state === 'unchecked' ? -3 : -2.5,
      text: `you have written to this sender before${proven ? '' : ' (whether it is really them is not proven)'}`,
    });
  }
  if (relation.answersOwn) {
    facts.push({ name: 'ANSWER', score: -4, text: 'it answers a message that you sent' });
  }
  const list = listFact(evidence, relation);
  return list === undefined ? facts : [...facts, list];
}
