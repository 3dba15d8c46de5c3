/** How the message is put together. */
import type { MessageFacts } from '../facts/types.ts';
import { has } from './common.ts';
import type { Rule } from './types.ts';

export const structureRules: readonly Rule[] = [
  {
    name: 'MIME_END_MISSING',
    score: 0.7,
    explain: 'The message breaks off before it says that it ends',
    test: ({ mime }) => mime.missingEnd,
  },
  {
    name: 'MIME_BROKEN',
    score: 1,
    explain: 'The message says it has several parts, but has none',
    test: ({ mime }) => mime.brokenMultipart,
  },
  {
    name: 'MIME_VERSION_MISSING',
    score: 0.7,
    explain: 'The message is not marked the way every mail program marks mail with parts or HTML',
    test: (facts) => !facts.mime.hasVersion && (facts.mime.multiparts.length > 0 || facts.html !== undefined),
  },
  {
    name: 'MIME_TOO_DEEP',
    score: 1.2,
    explain: 'The parts of the message are nested deeper, or are more, than mail ever has',
    test: ({ mime, isBulk }) => mime.opaque || mime.depth > 12 || (mime.leaves >= 100 && !isBulk),
  },
  {
    name: 'MIME_SPLIT_OR_ELSEWHERE',
    score: 2,
    explain:
      'The message is only a piece of one, or points to content elsewhere, which hides it from filters',
    test: ({ parts }) =>
      parts.some(({ type }) => type === 'message/partial' || type === 'message/external-body'),
  },
  {
    name: 'ALTERNATIVES_DIFFER',
    score: 0.8,
    explain: 'The text for simple mail programs has nothing in common with what others show',
    test: (facts) => alternativesDiffer(facts),
  },
  {
    name: 'TEXT_BEHIND_PADDING',
    score: 1.5,
    explain: 'The text comes only after a great deal that nobody sees, which tires filters',
    test: (facts) => facts.truncated && facts.text.trim().length < 100,
  },
  {
    name: 'HTML_ALONE',
    score: 0.3,
    explain: 'There is HTML only, without the plain text that mail programs send along',
    test: (facts) =>
      facts.html !== undefined &&
      facts.plain === '' &&
      !facts.mime.multiparts.includes('alternative') &&
      !facts.isBulk &&
      !facts.isReply,
  },
  {
    name: 'CHARSET_UNKNOWN',
    score: 0.7,
    explain: 'The text is in a character set that does not exist',
    test: ({ parts }) => parts.find(({ isText, knownCharset }) => isText && !knownCharset)?.charset ?? false,
  },
  {
    name: 'ENCODING_UNKNOWN',
    score: 0.7,
    explain: 'The text is packed in a way that does not exist',
    test: ({ parts }) =>
      parts.find(({ isText, knownEncoding }) => isText && !knownEncoding)?.encoding ?? false,
  },
  {
    name: 'TEXT_NEEDLESSLY_PACKED',
    score: 0.7,
    explain: 'Plain English text is packed like a picture, so that simple filters cannot read it',
    test: ({ parts }) =>
      parts.some(
        ({ isText, needlessBase64, charset }) =>
          isText && needlessBase64 && !/^utf-?(?:8|16)|^gb|^big5|^iso-2022|shift|^euc/.test(charset),
      ),
  },
  {
    name: 'PACKING_BROKEN',
    score: 0.8,
    explain: 'A part of the message is packed wrongly',
    test: ({ parts }) => parts.some(({ brokenBase64 }) => brokenBase64),
  },
  {
    name: 'NUL_OCTETS',
    score: 1,
    explain: 'The message holds zero octets, which mail may not',
    test: ({ mime }) => mime.hasNul,
  },
  {
    name: 'TEXT_DAMAGED',
    score: 0.5,
    explain: 'Much of the text is not in the character set that it says',
    test: ({ unicode: { text } }) => text.replacement > 10 && text.replacement > text.letters / 40,
  },
  {
    name: 'TEXT_CONTROL_CHARACTERS',
    score: 0.7,
    explain: 'The text holds characters that are no text',
    test: ({ unicode: { text } }) => text.controls > 5 && text.controls > text.letters / 500,
  },
  {
    name: 'ONLY_A_PICTURE',
    score: 0.9,
    explain: 'The message is one picture without text',
    test: (facts) =>
      facts.text.trim().length < 20 &&
      facts.parts.some(({ type, nested }) => type.startsWith('image/') && !nested) &&
      facts.html !== undefined &&
      facts.html.cidImages > 0 &&
      !facts.isReply,
  },
  {
    name: 'REPORT_OF_NOTHING',
    score: 0.8,
    explain: 'It looks like a delivery report, but lacks what reports have',
    test: (facts) =>
      /^(?:undeliver|mail delivery (?:failed|subsystem)|delivery status notification|returned mail|failure notice)/i.test(
        facts.subject,
      ) &&
      facts.html !== undefined &&
      !facts.parts.some(({ type }) => type === 'message/delivery-status') &&
      facts.mime.nestedMessages === 0 &&
      !has(facts, 'x-failed-recipients') &&
      facts.urls.some(({ source }) => source === 'href'),
  },
];

/** Words of three letters and more, the first 400. */
function words(text: string): Set<string> {
  const found =
    text
      .slice(0, 6000)
      .toLowerCase()
      .match(/\p{L}{3,20}/gu) ?? [];
  return new Set(found.slice(0, 400));
}

function alternativesDiffer(facts: MessageFacts): boolean {
  if (!facts.mime.multiparts.includes('alternative') || facts.plain === '' || facts.htmlText === '')
    return false;
  const plain = words(facts.plain);
  const html = words(facts.htmlText);
  // "Please use a mail program that shows HTML" is no other text, it is none.
  if (plain.size < 40 || html.size < 15) return false;
  let common = 0;
  for (const word of html) if (plain.has(word)) common++;
  return common < Math.min(plain.size, html.size) * 0.15;
}
