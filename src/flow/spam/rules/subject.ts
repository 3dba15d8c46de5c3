/** The subject. */
import { plainLatin } from '../facts/unicode.ts';
import { fromOf, recipientsOf } from './common.ts';
import type { Rule } from './types.ts';

export const subjectRules: readonly Rule[] = [
  {
    name: 'SUBJECT_EMPTY',
    score: 0.3,
    explain: 'There is no subject',
    test: (facts) => facts.subject.trim() === '' && !facts.isAutomatic,
  },
  {
    name: 'SUBJECT_SHOUTS',
    score: 0.8,
    explain: 'The subject is all capital letters',
    test: ({ subject, unicode }) => {
      const { letters, upper } = unicode.subject;
      return letters >= 10 && upper === letters && subject.trim().includes(' ');
    },
  },
  {
    name: 'SUBJECT_EXCLAIMS',
    score: 0.5,
    explain: 'The subject has several exclamation marks',
    test: ({ subject }) => /!{2,}|![^!]{1,200}!/.test(subject),
  },
  {
    name: 'SUBJECT_PROMISES_MONEY',
    score: 0.7,
    explain: 'The subject speaks of sums of money and of getting them',
    test: ({ subject }) =>
      /[$€£]\s?\d{1,3}(?:[.,]\d{3})+|[$€£]\s?\d{4,}|\d\s?(?:million|mio\b)|\bper (?:day|week|hour)\b.{0,40}[$€£]|[$€£].{0,40}\bper (?:day|week|hour)\b/i.test(
        subject,
      ) &&
      /\b(?:earn|make|win|won|winner|free|you(?:r|'ve)?|income|loan|credit|prize|award|fund|cash|donation|verdienen|gewinn)/i.test(
        subject,
      ),
  },
  {
    name: 'SUBJECT_SPACED_OUT',
    score: 1.4,
    explain: 'A word of the subject is spaced out letter by letter, which hides it from filters',
    test: ({ subject }) =>
      /(?:^|\s)(?:[a-z0-9@$][ ._*-]){5,}[a-z0-9@$](?:\W|$)/i.test(subject) &&
      !/(?:\b[A-Z]\.){4,}/.test(subject),
  },
  {
    name: 'SUBJECT_TRAILING_CODE',
    score: 1.3,
    explain: 'The subject ends, after a wide gap, in a code that makes each copy different',
    test: ({ subject }) => /\s{6,}\S{1,40}$/.test(subject.trimEnd().slice(-120)),
  },
  {
    name: 'SUBJECT_NAMES_RECIPIENT',
    score: 0.8,
    explain: 'The subject addresses you by your mail address',
    test: (facts, evidence) => {
      if (facts.isReply) return false;
      const subject = facts.subject.toLowerCase();
      const from = fromOf(facts)?.domain;
      return recipientsOf(facts, evidence)
        .slice(0, 5)
        .some((address) => {
          const [local = '', domain = ''] = address.split('@');
          if (domain === from) return false;
          return (
            subject.includes(address) ||
            (local.length > 3 && /^(?:\S{1,20} )?\S+$/.test(local) && subject.startsWith(`${local},`))
          );
        });
    },
  },
  {
    name: 'SUBJECT_ADVERTISEMENT',
    score: 1.2,
    explain: 'The subject calls itself an advertisement',
    test: ({ subject }) =>
      /^\W{0,3}(?:adv|advert|advertisement|anzeige|werbung|publicit[eé])\W{0,2}(?::|\s|$)/i.test(subject),
  },
  {
    name: 'SUBJECT_THREATENS_ACCOUNT',
    score: 0.9,
    explain: 'The subject threatens with the loss of an account, a mailbox or a parcel',
    test: ({ subject }) => threatens(plainLatin(subject).toLowerCase()),
  },
  {
    name: 'SUBJECT_LOOKALIKE_LETTERS',
    score: 2,
    explain: 'The subject is written with foreign letters that look like Latin ones',
    test: ({ unicode }) => unicode.subject.confusableWords > 0,
  },
  {
    name: 'SUBJECT_HIDDEN_CHARACTERS',
    score: 1.5,
    explain: 'The subject holds invisible characters inside words',
    test: ({ unicode }) => unicode.subject.zeroWidth > 0,
  },
  {
    name: 'SUBJECT_STYLED',
    score: 1.2,
    explain: 'The subject is written with mathematical or wide letters that filters do not read',
    test: ({ unicode: { subject } }) =>
      subject.mathematical > 3 ||
      (subject.fullwidth > 3 &&
        (subject.scripts.han ?? 0) + (subject.scripts.kana ?? 0) + (subject.scripts.hangul ?? 0) < 0.1),
  },
  {
    name: 'SUBJECT_TURNED_AROUND',
    score: 1.2,
    explain: 'The subject holds marks that turn text around',
    test: ({ unicode: { subject } }) =>
      subject.bidi > 0 && (subject.scripts.arabic ?? 0) + (subject.scripts.hebrew ?? 0) === 0,
  },
  {
    name: 'SUBJECT_MANY_PICTURES',
    score: 0.4,
    explain: 'The subject has several little pictures',
    test: ({ unicode }) => unicode.subject.emoji > 3,
  },
  {
    name: 'SUBJECT_CONTROL_CHARACTERS',
    score: 1,
    explain: 'The subject holds characters that are no text',
    test: ({ unicode }) => unicode.subject.controls > 0 || unicode.subject.replacement > 2,
  },
];

const THING =
  /\b(?:account|mailbox|e-?mail|password|parcel|package|shipment|delivery|subscription|wallet|card|konto|postfach|paket|sendung|passwort|compte|colis|cuenta|cuenta bancaria)\b/;
const THREAT =
  /\b(?:suspen\w{2,6}|locked|limited|restricted|deactivat\w{2,5}|disabled|expir\w{1,4}|terminat\w{2,5}|on hold|unusual (?:sign|activity|login)|verif\w{1,8}|final (?:notice|warning|reminder)|action required|gesperrt|eingeschränkt|bestätig\w{1,4}|l[aä]uft ab|suspendu|bloqu\w{1,5}|bloquead\w)\b/;

function threatens(subject: string): boolean {
  return THING.test(subject) && THREAT.test(subject);
}
