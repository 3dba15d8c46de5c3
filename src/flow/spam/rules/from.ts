/** Who says to have written: forged, borrowed and disguised senders. */
import { plainLatin } from '../facts/unicode.ts';
import type { MessageFacts } from '../facts/types.ts';
import { siteOf } from '../facts/hosts.ts';
import { brandInHost, foreignBrand } from './brands.ts';
import { field, fromOf, has, isCheapName, isProven, wasChecked } from './common.ts';
import { isFreemail } from './freemail.ts';
import type { Rule, RuleEvidence } from './types.ts';

export const fromRules: readonly Rule[] = [
  {
    name: 'FROM_MISSING',
    score: 1.5,
    explain: 'The message does not say who wrote it',
    lever: 'The sending program must add a From field with an address',
    test: (facts) => facts.from.length === 0,
  },
  {
    name: 'FROM_REPEATED',
    score: 2,
    explain: 'The message names its sender several times, so that different programs show different ones',
    lever: 'There must be one From field',
    test: (facts) => (facts.fieldCounts.get('from') ?? 0) > 1,
  },
  {
    name: 'FROM_SEVERAL',
    score: 1,
    explain: 'Several senders are named, and nobody of them as the one who sent it',
    test: (facts) => facts.from.length > 1 && !has(facts, 'sender'),
  },
  {
    name: 'FROM_NO_ADDRESS',
    score: 1,
    explain: 'What stands as the sender is no mail address',
    test: (facts) =>
      facts.from.length > 0 && facts.from.every(({ local, domain }) => local === '' || !domain.includes('.')),
  },
  {
    name: 'FROM_BROKEN',
    score: 0.8,
    explain: 'The sender is written in a way that mail does not allow',
    test: (facts) => facts.from.some(({ broken, domain }) => broken && domain !== ''),
  },
  {
    name: 'FROM_NAME_IS_OTHER_ADDRESS',
    score: 1.6,
    explain: 'The name shown as sender is a mail address, but another one than it comes from',
    lever: 'The name must not be an address at another domain',
    test: (facts) => {
      const from = fromOf(facts);
      if (from === undefined || from.site === '') return false;
      const named = /[^\s<>@"']{1,64}@([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})/i.exec(
        from.name.slice(0, 320),
      );
      const site = siteOf(named?.[1]?.toLowerCase() ?? '');
      return named !== null && site !== from.site && !facts.isBulk && named[0];
    },
  },
  {
    name: 'BRAND_DISPLAY_NAME',
    score: 2.2,
    explain: 'The sender calls itself by a well-known name that does not belong to its address',
    lever: 'Mail of that company comes from its own domain',
    test: (facts) => {
      const from = fromOf(facts);
      return from !== undefined && (foreignBrand(from.name, from.site) ?? false);
    },
  },
  {
    name: 'FROM_DOMAIN_LIKE_BRAND',
    score: 2,
    explain: 'The address of the sender is made to look like that of a well-known company',
    test: (facts) => {
      const from = fromOf(facts);
      return from !== undefined && (brandInHost(from.domain, from.site) ?? false);
    },
  },
  {
    name: 'FROM_NAME_LOOKALIKE_LETTERS',
    score: 2,
    explain: 'The name of the sender is written with foreign letters that look like Latin ones',
    test: (facts) => facts.unicode.name.confusableWords > 0,
  },
  {
    name: 'FROM_NAME_HIDDEN_CHARACTERS',
    score: 1.5,
    explain: 'The name of the sender holds characters that are invisible or turn the text around',
    test: ({ unicode: { name } }) =>
      name.zeroWidth > 0 || (name.bidi > 0 && (name.scripts.arabic ?? 0) + (name.scripts.hebrew ?? 0) === 0),
  },
  {
    name: 'FROM_NAME_STYLED',
    score: 0.8,
    explain: 'The name of the sender is written with mathematical or wide letters that filters do not read',
    test: ({ unicode: { name } }) =>
      name.mathematical > 2 || (name.fullwidth > 2 && (name.scripts.latin ?? 0) > 0.5),
  },
  {
    name: 'FROM_NAME_SHOUTS',
    score: 0.4,
    explain: 'The name of the sender is a cry: many signs or pictures',
    test: (facts) => facts.unicode.name.emoji > 1 || /[!$%*]{2,}|[!]$/.test(fromOf(facts)?.name ?? ''),
  },
  {
    name: 'FROM_DOMAIN_LOOKALIKE_LETTERS',
    score: 2,
    explain: 'The domain of the sender is written with foreign letters that look like Latin ones',
    test: (facts) => {
      const domain = fromOf(facts)?.domain ?? '';
      return /[^\x20-\x7e]/.test(domain) && /^[a-z0-9.-]+$/.test(plainLatin(domain)) && domain;
    },
  },
  {
    name: 'FROM_CHEAP_NAME',
    score: 0.6,
    explain: 'The domain of the sender has an ending that costs next to nothing and is popular with spammers',
    test: (facts) =>
      isCheapName(fromOf(facts)?.domain ?? '') &&
      fromOf(facts)?.domain !== undefined &&
      (fromOf(facts)?.domain ?? ''),
  },
  {
    name: 'FROM_MADE_UP_NUMBER',
    score: 0.4,
    explain:
      'The address of the sender looks made by a program: a name and a long number at a free mail provider',
    test: (facts) => {
      const from = fromOf(facts);
      return from !== undefined && isFreemail(from.domain) && /^[a-z._]{2,30}\d{5,}$/i.test(from.local);
    },
  },
  {
    name: 'FROM_FREEMAIL_FORGED',
    score: 2,
    outside: true,
    explain: 'It claims to come from a free mail provider, but that provider did not send it',
    lever: 'It would count as real if SPF or DKIM of that provider passed',
    test: (facts, evidence) => {
      const from = fromOf(facts);
      if (from === undefined || !isFreemail(from.domain) || !wasChecked(evidence)) return false;
      return !isProven(facts, evidence) && !facts.isBulk && from.domain;
    },
  },
  {
    name: 'FROM_OWN_DOMAIN_FORGED',
    score: 2.5,
    outside: true,
    explain: 'It claims to come from a domain that lives here, but a stranger sent it',
    lever: 'Send as this domain by logging in here, or allow the server in its SPF record or with DKIM',
    test: (facts, evidence) => {
      const domain = fromOf(facts)?.domain ?? '';
      return (
        evidence.ownDomains?.has(domain) === true &&
        wasChecked(evidence) &&
        !isProven(facts, evidence) &&
        !facts.isBulk &&
        domain
      );
    },
  },
  {
    name: 'FROM_NAME_BORROWS_OURS',
    score: 1.8,
    outside: true,
    explain: 'The name shown as sender holds a domain that lives here, but it comes from elsewhere',
    test: (facts, evidence) => {
      const from = fromOf(facts);
      if (from === undefined || evidence.ownDomains === undefined || evidence.ownDomains.has(from.domain))
        return false;
      const name = plainLatin(from.name).toLowerCase();
      return [...evidence.ownDomains].find((domain) => name.includes(domain)) ?? false;
    },
  },
  {
    name: 'FROM_NAME_OF_COLLEAGUE',
    score: 1.6,
    outside: true,
    explain:
      'The sender bears the name of somebody who has an account here, but writes from a stranger’s address',
    lever: 'Write from the account here, or once to that address yourself',
    test: (facts, evidence) => borrowsColleague(facts, evidence),
  },
  {
    name: 'FROM_ADDRESS_ENCODED',
    score: 1.5,
    explain: 'The address of the sender is written in a code, so that programs read it differently',
    test: (facts) =>
      /<[^>]{0,200}=\?[^>]{1,200}\?=[^>]{0,200}>/.test(field(facts, 'from')?.raw ?? '') ||
      /=\?[^?]{1,40}\?[bq]\?[^?]{1,200}\?=\s?@/i.test(field(facts, 'from')?.raw ?? ''),
  },
  {
    name: 'SENDER_NULL_BUT_NO_REPORT',
    score: 0.9,
    outside: true,
    explain: 'It is sent like a delivery report, but is none',
    test: (facts, evidence) => evidence.reversePath === '' && !facts.isAutomatic && !facts.isReply,
  },
];

function borrowsColleague(facts: MessageFacts, evidence: RuleEvidence): boolean | string {
  const from = fromOf(facts);
  if (from === undefined || evidence.ownNames === undefined || facts.isBulk) return false;
  if (evidence.authenticated === true || evidence.knownCorrespondent === true) return false;
  if (evidence.ownDomains?.has(from.domain) === true) return false;
  const name = plainLatin(from.name)
    .toLowerCase()
    .replace(/["'()]/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  // "Doe, Jane" is "Jane Doe". A first name alone is nobody in particular.
  const turned = name.replace(/^([^,]{1,60}), ?(.{1,60})$/, '$2 $1');
  return turned.includes(' ') && evidence.ownNames.has(turned) && from.name;
}
