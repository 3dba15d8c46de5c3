/** What is odd about a header. Single ones mean little; programs that send spam in bulk collect them. */
import { receivedAge } from './dates.ts';
import { field, fromOf, has, isProven } from './common.ts';
import { isFreemail } from './freemail.ts';
import type { Rule } from './types.ts';

const ONCE = [
  'from',
  'subject',
  'date',
  'message-id',
  'to',
  'reply-to',
  'sender',
  'mime-version',
  'content-type',
];

export const headerRules: readonly Rule[] = [
  {
    name: 'DATE_MISSING',
    score: 0.7,
    explain: 'The message does not say when it was written, which every mail program does',
    lever: 'The sending program must add a Date field',
    test: (facts) => !has(facts, 'date'),
  },
  {
    name: 'DATE_UNREADABLE',
    score: 0.8,
    explain: 'The date of the message is no date',
    lever: 'The sending program must write the date as mail standards say',
    test: (facts) => has(facts, 'date') && facts.date === undefined,
  },
  {
    name: 'DATE_IN_FUTURE',
    score: 1,
    explain: 'The message claims to have been written days after it arrived',
    lever: 'The clock of the sending machine must be right',
    test: (facts, evidence) => (receivedAge(facts, evidence) ?? 0) < -2,
  },
  {
    name: 'DATE_LONG_AGO',
    score: 0.5,
    explain: 'The message claims to have been written weeks before it arrived',
    test: (facts, evidence) => (receivedAge(facts, evidence) ?? 0) > 21,
  },
  {
    name: 'DATE_ZONE_ODD',
    score: 0.8,
    explain: 'The date of the message names a time zone that does not exist',
    test: ({ date }) =>
      date !== undefined && (date.zone > 14 * 60 || date.zone < -12 * 60 || date.zone % 15 !== 0),
  },
  {
    name: 'MESSAGE_ID_MISSING',
    score: 0.5,
    explain: 'The message has no identifier of its own, which every mail program gives',
    lever: 'The sending program must add a Message-ID field',
    test: (facts) => !has(facts, 'message-id'),
  },
  {
    name: 'MESSAGE_ID_ODD',
    score: 0.6,
    explain: 'The identifier of the message is not of the form that mail programs write',
    test: (facts) => has(facts, 'message-id') && !/^[^\s@]{1,250}@[^\s@]{1,250}$/.test(facts.messageId),
  },
  {
    name: 'MESSAGE_ID_CLAIMS_US',
    score: 1.5,
    outside: true,
    explain: 'The identifier of the message claims that it was written on this server',
    test: (facts, evidence) => {
      if (evidence.authenticated === true || evidence.ownHosts === undefined) return false;
      const host = facts.messageId.slice(facts.messageId.lastIndexOf('@') + 1).toLowerCase();
      return facts.messageId.includes('@') && evidence.ownHosts.has(host) && !isProven(facts, evidence);
    },
  },
  {
    name: 'FIELDS_REPEATED',
    score: 1.2,
    explain: 'A part of the header that may be there once is there several times',
    lever: 'The sending program must write each of these fields once',
    test: (facts) =>
      ONCE.filter((name) => name !== 'from' && (facts.fieldCounts.get(name) ?? 0) > 1).join(', '),
  },
  {
    name: 'FIELD_BROKEN',
    score: 0.4,
    explain: 'The header has a line that is no header line',
    test: (facts) => facts.fieldCounts.has(''),
  },
  {
    name: 'HEADER_RAW_OCTETS',
    score: 0.6,
    explain: 'Sender or subject hold letters in a form that mail does not allow',
    test: (facts) =>
      facts.mime.eightBitHeader &&
      ['from', 'subject', 'to'].some((name) => {
        const one = field(facts, name);
        // Raw UTF-8 is right for senders that speak SMTPUTF8.
        return one !== undefined && /[\x80-\xff]/.test(one.raw) && !isUtf8Text(one.raw);
      }),
  },
  {
    name: 'SUBJECT_NEEDLESSLY_ENCODED',
    score: 0.5,
    explain: 'The subject is packed so that simple filters cannot read it, though it is plain text',
    test: (facts) =>
      /^\s?=\?[^?]{1,40}\?b\?/i.test(facts.subjectRaw) && facts.subject.length > 3 && isAscii(facts.subject),
  },
  {
    name: 'REPLY_WITHOUT_ORIGINAL',
    score: 0.5,
    explain: 'The subject says "Re:", but the message answers nothing',
    lever: 'A real answer names the message that it answers',
    test: (facts) =>
      /^(?:re|aw|sv|antw):/i.test(facts.subject) &&
      !facts.isReply &&
      !has(facts, 'thread-index') &&
      !facts.isBulk,
  },
  {
    name: 'PRIORITY_HIGH',
    score: 0.3,
    explain: 'The message marks itself as urgent',
    test: (facts) =>
      /^\s?[12]\b/.test(field(facts, 'x-priority')?.raw ?? '') ||
      /^\s?high/i.test(field(facts, 'x-msmail-priority')?.raw ?? ''),
  },
  {
    name: 'SENT_BY_WEB_SCRIPT',
    score: 0.5,
    explain: 'A script on a web site sent this, often without its owner knowing',
    test: (facts) =>
      ['x-php-originating-script', 'x-php-script', 'x-php-filename'].some((name) => has(facts, name)) &&
      !facts.isBulk,
  },
  {
    name: 'TO_MISSING',
    score: 0.4,
    explain: 'The message is addressed to nobody by name',
    test: (facts) => !has(facts, 'to') && !has(facts, 'cc') && !facts.isBulk && !facts.isAutomatic,
  },
  {
    name: 'TO_UNDISCLOSED',
    score: 0.4,
    explain: 'The message hides whom it was sent to',
    test: (facts) =>
      /undisclosed|unlisted|recipient list suppressed/i.test(field(facts, 'to')?.raw ?? '') && !facts.isBulk,
  },
  {
    name: 'TO_IS_FROM',
    score: 0.6,
    explain: 'The message pretends that you wrote it to yourself',
    test: (facts, evidence) => {
      const from = fromOf(facts)?.address.toLowerCase();
      if (
        from === undefined ||
        !from.includes('@') ||
        facts.to.length !== 1 ||
        evidence.authenticated === true
      )
        return false;
      return facts.to[0]?.address.toLowerCase() === from && !isProven(facts, evidence) && !facts.isBulk;
    },
  },
  {
    name: 'TO_NOT_YOU',
    score: 0.3,
    outside: true,
    explain: 'The address you were reached at is not named in the message',
    test: (facts, evidence) => {
      if (evidence.recipients === undefined || facts.isBulk || facts.isAutomatic || facts.to.length === 0)
        return false;
      const named = new Set([...facts.to, ...facts.cc].map(({ address }) => address.toLowerCase()));
      return !evidence.recipients.some((address) => named.has(address));
    },
  },
  {
    name: 'RECIPIENTS_ALIKE',
    score: 1.2,
    explain: 'It went to a run of addresses that follow each other in a list',
    test: (facts) => areAlike(facts.to.map(({ local, domain }) => `${local}@${domain}`.toLowerCase())),
  },
  {
    name: 'RECIPIENTS_MANY',
    score: 0.5,
    explain: 'It names more than thirty recipients openly',
    test: (facts) => facts.to.length + facts.cc.length > 30 && !facts.isBulk,
  },
  {
    name: 'FROM_REPLYTO_DIFF_FREEMAIL',
    score: 1.2,
    explain: 'Answers would go to a free mail address that has nothing to do with the sender',
    lever: 'Answers should go to the domain that the message comes from',
    test: (facts) => {
      const from = fromOf(facts);
      const reply = facts.replyTo[0];
      if (from === undefined || reply === undefined || facts.isReply || from.site === '') return false;
      return (
        isFreemail(reply.domain) &&
        !isFreemail(from.domain) &&
        from.site !== reply.site &&
        !facts.isBulk &&
        reply.address
      );
    },
  },
  {
    name: 'REPLY_TO_OTHER_FREEMAIL',
    score: 1.6,
    explain: 'Sender and address for answers are two different free mail accounts',
    test: (facts) => {
      const from = fromOf(facts);
      const reply = facts.replyTo[0];
      if (from === undefined || reply === undefined || facts.isBulk) return false;
      if (!isFreemail(from.domain) || !isFreemail(reply.domain)) return false;
      return (
        from.address.toLowerCase() !== reply.address.toLowerCase() && `${from.address}, ${reply.address}`
      );
    },
  },
  {
    name: 'BULK_WITH_EXIT',
    score: -0.4,
    outside: true,
    explain: 'A mailing that can be ended with one click, from a proven sender',
    test: (facts, evidence) =>
      has(facts, 'list-unsubscribe') && has(facts, 'list-unsubscribe-post') && isProven(facts, evidence),
  },
  {
    name: 'BULK_TO_STRANGER',
    score: 0.5,
    explain: 'A mailing without any way to end it',
    lever: 'Mailings must carry a List-Unsubscribe field',
    test: (facts) =>
      /^\s?bulk/i.test(field(facts, 'precedence')?.raw ?? '') &&
      !has(facts, 'list-unsubscribe') &&
      !has(facts, 'list-id') &&
      !facts.isAutomatic,
  },
];

function isAscii(text: string): boolean {
  return /^[\x20-\x7e]*$/.test(text);
}

function isUtf8Text(raw: string): boolean {
  return !Buffer.from(raw, 'latin1').toString('utf8').includes('\ufffd');
}

/** Eight addresses or more whose local parts share their first three letters, or are sorted, at one domain. */
function areAlike(addresses: readonly string[]): boolean {
  if (addresses.length < 8) return false;
  const heads = new Set(addresses.map((address) => address.slice(0, 3)));
  const domains = new Set(addresses.map((address) => address.slice(address.indexOf('@'))));
  if (domains.size > 2) return false;
  const sorted = addresses.every((address, i) => i === 0 || (addresses[i - 1] ?? '') <= address);
  return heads.size === 1 || (sorted && heads.size < addresses.length / 2);
}
