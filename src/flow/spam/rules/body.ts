/** What the text wants. Patterns of fraud by what must come together, not by single words: words are the classifier's. */
import type { MessageFacts } from '../facts/types.ts';
import { fromOf, has, linksOf, plainText } from './common.ts';
import { isFreemail } from './freemail.ts';
import {
  ADVANCE_FEE,
  CALLBACK,
  COINS,
  CREDENTIALS,
  DENIALS,
  EXTORTION,
  FAVOUR,
  GIFT_CARDS,
  LOTTERY,
  MAILBOX_FULL,
  MEDICINE,
  NEW_ACCOUNT,
  PARCEL,
  PROMISES,
} from './body-phrases.ts';
import { groupsIn, phraseIn } from './phrases.ts';
import type { Rule } from './types.ts';

/** Letters of coins' addresses: Bitcoin in its three forms, Ethereum, Monero. */
const COIN_ADDRESS =
  /\b(?:bc1[a-z0-9]{25,60}|[13][a-km-zA-HJ-NP-Z1-9]{25,34}|0x[0-9a-fA-F]{40}|4[0-9AB][0-9A-Za-z]{93})\b/;

export const bodyRules: readonly Rule[] = [
  {
    name: 'BODY_EMPTY',
    score: 0.8,
    explain: 'There is nothing to read and nothing attached',
    test: (facts) =>
      isBare(facts) && facts.attachments.length === 0 && (facts.html?.images !== undefined) === false,
  },
  {
    name: 'EMPTY_BODY_WITH_ATTACHMENT',
    score: 0.6,
    explain: 'There is a file and not a word about it',
    test: (facts) => isBare(facts) && facts.attachments.length > 0 && !facts.isReply && !facts.isAutomatic,
  },
  {
    name: 'BODY_SHORT_WITH_LINK',
    score: 0.7,
    explain: 'Hardly any text, and a link',
    test: (facts) =>
      !facts.isReply &&
      !facts.isBulk &&
      !isBare(facts) &&
      facts.language.words < 12 &&
      linksOf(facts).length === 1 &&
      facts.attachments.length === 0,
  },
  {
    name: 'BODY_SHOUTS',
    score: 0.7,
    explain: 'Most of the text is in capital letters',
    test: ({ unicode: { text } }) => text.letters > 120 && text.upper / text.letters > 0.5,
  },
  {
    name: 'BODY_SPACED_OUT',
    score: 1.2,
    explain: 'Words are spaced out letter by letter, which hides them from filters',
    test: (facts) => /(?:^|\s)(?:[a-z][._*-]){5,}[a-z](?:\s|$)/.test(plainText(facts)),
  },
  {
    name: 'ASKS_FOR_ADVANCE',
    score: 2.5,
    explain: 'It reads like the letters that promise a fortune and then ask for a fee',
    test: (facts) => groupsIn(facts, ADVANCE_FEE) >= 5,
  },
  {
    name: 'LOTTERY_WON',
    score: 2,
    explain: 'It says that you won in a draw you never entered',
    test: (facts) =>
      groupsIn(facts, LOTTERY.slice(0, 2)) === 2 &&
      groupsIn(facts, LOTTERY) >= 3 &&
      facts.language.words < 390 &&
      !facts.isReply,
  },
  {
    name: 'EXTORTS_WITH_SHAME',
    score: 3.5,
    explain: 'It threatens to publish something about you unless you pay in coins that cannot be traced',
    test: (facts) =>
      groupsIn(facts, EXTORTION) >= 3 &&
      (COIN_ADDRESS.test(facts.text.slice(0, 20_000)) || groupsIn(facts, EXTORTION) >= 4),
  },
  {
    name: 'COIN_ADDRESS',
    score: 0.7,
    explain: 'It names an account for crypto money',
    test: (facts) => COIN_ADDRESS.test(facts.text.slice(0, 20_000)) && phraseIn(facts, COINS) !== undefined,
  },
  {
    name: 'WANTS_CREDENTIALS',
    score: 1.6,
    explain: 'It presses you to confirm an account through a link',
    lever: 'Open the site yourself instead of following the link',
    test: (facts) =>
      isLetter(facts) && groupsIn(facts, CREDENTIALS) >= 4 && linksOf(facts).length + htmlFiles(facts) > 0,
  },
  {
    name: 'MAILBOX_FULL_TRICK',
    score: 1.8,
    explain: 'It says that your mailbox is full or will be closed, and offers a link',
    test: (facts) =>
      isLetter(facts) &&
      groupsIn(facts, MAILBOX_FULL.slice(0, 2)) === 2 &&
      groupsIn(facts, MAILBOX_FULL) >= 3 &&
      linksOf(facts).length + htmlFiles(facts) > 0,
  },
  {
    name: 'PARCEL_TRICK',
    score: 1.3,
    explain: 'It says that a parcel waits and a fee or an address is missing',
    test: (facts) => isLetter(facts) && groupsIn(facts, PARCEL) >= 3 && linksOf(facts).length > 0,
  },
  {
    name: 'CALL_ABOUT_INVOICE',
    score: 1.8,
    explain: 'It bills you for something you did not order and wants you to call',
    lever: 'Call the number on the company’s own site instead',
    test: (facts) =>
      groupsIn(facts, CALLBACK.slice(3)) === 2 &&
      groupsIn(facts, CALLBACK) >= 4 &&
      PHONE.test(facts.text.slice(0, 8000)) &&
      facts.language.words < 350,
  },
  {
    name: 'WANTS_GIFT_CARDS',
    score: 1.8,
    explain: 'It asks you to buy gift cards',
    test: (facts) =>
      facts.language.words < 200 &&
      !facts.isBulk &&
      phraseIn(facts, GIFT_CARDS) !== undefined &&
      groupsIn(facts, FAVOUR) >= 1,
  },
  {
    name: 'URGENT_FAVOUR',
    score: 1.3,
    explain: 'A short note from a free mail account that asks for a quick favour',
    test: (facts) => {
      const from = fromOf(facts);
      return (
        from !== undefined &&
        isFreemail(from.domain) &&
        !facts.isReply &&
        facts.language.words < 60 &&
        groupsIn(facts, FAVOUR) >= 1 &&
        linksOf(facts).length === 0
      );
    },
  },
  {
    name: 'PAYS_TO_NEW_ACCOUNT',
    score: 1.2,
    explain: 'It asks to pay to another bank account from now on',
    lever: 'Ask by telephone before paying',
    test: (facts) => !facts.isBulk && groupsIn(facts, NEW_ACCOUNT) >= 3 && facts.language.words < 250,
  },
  {
    name: 'DENIES_BEING_SPAM',
    score: 1.5,
    explain: 'It assures that it is no spam, or that a law allows it',
    test: (facts) => phraseIn(facts, DENIALS) ?? false,
  },
  {
    name: 'REMOVE_ME_BY_MAIL',
    score: 0.7,
    explain: 'The way out is to answer with "remove"',
    lever: 'Mailings must carry a List-Unsubscribe field',
    test: (facts) =>
      !has(facts, 'list-unsubscribe') &&
      /\b(?:type|put|with|word|reply|enter|says?)\b.{0,30}["'“*(]?\bremove\b["'”*)]?.{0,40}\b(?:subject|line|body|mail)|to be removed from (?:this|our|the|future|any)|be removed from our (?:mailing )?list/.test(
        plainText(facts),
      ),
  },
  {
    name: 'PROMISES_WITHOUT_RISK',
    score: 0.7,
    explain: 'It promises too much: free, without risk, guaranteed, only now',
    test: (facts) => groupsIn(facts, PROMISES) >= 3,
  },
  {
    name: 'SELLS_MEDICINE',
    score: 1.6,
    explain: 'It sells medicine or promises to change the body',
    test: (facts) =>
      isLetter(facts) && groupsIn(facts, MEDICINE.slice(0, 1)) === 1 && groupsIn(facts, MEDICINE) >= 3,
  },
  {
    name: 'DEAR_NOBODY',
    score: 0.5,
    explain: 'It greets a stranger: "Dear friend", "Dear customer" or your mail address',
    test: (facts) =>
      /\b(?:dear|hello|hi|attn|attention)[ :,]{1,3}(?:friend|sir\/?\s?madam|sir or madam|beloved|customer|client|user|account (?:holder|owner|user)|e-?mail (?:user|owner|account)|valued|beneficiary|winner|webmail|[^\s,]{1,60}@[^\s,]{1,60})\b/.test(
        plainText(facts).slice(0, 1500),
      ),
  },
  {
    name: 'TEXT_OF_CODES',
    score: 0.9,
    explain: 'The text ends in strings without meaning that make each copy different',
    test: (facts) =>
      /\s[a-z]{12,40}\s{0,3}$/.test(facts.text.slice(-60)) &&
      !/[aeiouy].{0,3}[aeiouy].{0,4}[aeiouy]/i.test(facts.text.trimEnd().slice(-12)),
  },
];

function isBare(facts: MessageFacts): boolean {
  return facts.text.trim().length < 4;
}

/** Short enough to be a letter with one purpose, and no answer in a conversation. */
function isLetter(facts: MessageFacts): boolean {
  return facts.language.words < 300 && !facts.isReply;
}

function htmlFiles(facts: MessageFacts): number {
  return facts.attachments.filter(({ kind, extension }) => kind === 'html' || /^x?html?$/.test(extension))
    .length;
}

const PHONE =
  /(?:\+?1[\s.\u2010-\u2015-]{0,2})?\(?\b8\d\d\)?[\s.\u2010-\u2015-]{0,3}\d{3}[\s.\u2010-\u2015-]{0,3}\d{4}\b|\+\d[\d\s().-]{8,18}\d/;
