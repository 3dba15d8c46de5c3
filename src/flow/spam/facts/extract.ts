/** A sample in, the facts of the message out. Pure, bounded, linear; never throws on what a stranger sent. */
import { parseDate } from '../../../mail/message/dates.ts';
import { messageIds } from '../../../mail/message/ids.ts';
import { parseStructure } from '../../../mail/message/serialize.ts';
import { addressFacts } from './addresses.ts';
import { type Fields, readable, readFields } from './fields.ts';
import { attachmentFact, bufferOf, factOf, inlineFiles } from './files.ts';
import { HtmlReader } from './html.ts';
import { languageFacts } from './language.ts';
import { factLimits } from './limits.ts';
import { mimeFacts, type ReadPart, readParts } from './parts.ts';
import { receivedFact } from './received.ts';
import type { Sample } from './sample.ts';
import type { AttachmentFact, MessageFacts } from './types.ts';
import { unicodeFacts } from './unicode.ts';
import { addressesIn, UrlCollector } from './urls.ts';

/** Everything that is known of a message without asking anybody. Throws only on a sample that is none of ours. */
export function extractFacts(sample: Sample): MessageFacts {
  const structure = parseStructure(sample.structure);
  const fields = readFields(bufferOf(sample.header));
  const parts = readParts(structure, sample);
  const content = readContent(parts);
  const from = addressFacts(fields.all('from'));
  const subjectRaw = fields.first('subject') ?? '';
  const subject = readable(subjectRaw).slice(0, factLimits.subjectChars);
  return {
    size: sample.size,
    truncated: parts.some(
      ({ text, sample: piece }) =>
        text !== undefined && piece !== undefined && piece.head.length < piece.size,
    ),
    fields: fields.list,
    fieldCount: fields.count,
    fieldCounts: fields.counts,
    from,
    sender: addressFacts(fields.all('sender')),
    replyTo: addressFacts(fields.all('reply-to')),
    to: addressFacts(fields.all('to')),
    cc: addressFacts(fields.all('cc')),
    subject,
    subjectRaw: subjectRaw.slice(0, factLimits.subjectChars),
    date: dateOf(fields),
    messageId: messageIds(fields.first('message-id') ?? '')[0] ?? '',
    isReply: fields.counts.has('in-reply-to') || fields.counts.has('references'),
    isBulk: isBulk(fields),
    isAutomatic: isAutomatic(fields, from[0]?.local ?? ''),
    received: fields.list
      .filter(({ name }) => name === 'received')
      .slice(0, factLimits.received)
      .map(({ raw }) => receivedFact(raw)),
    receivedCount: structure.receivedFields,
    parts: parts.map(({ fact }) => fact),
    mime: mimeFacts(structure, fields.counts.has('mime-version')),
    ...content,
    unicode: {
      subject: unicodeFacts(subject),
      name: unicodeFacts(from[0]?.name ?? ''),
      text: unicodeFacts(content.text),
    },
    language: languageFacts(content.text),
  };
}

type Content = Pick<
  MessageFacts,
  'text' | 'plain' | 'htmlText' | 'html' | 'urls' | 'addresses' | 'attachments'
>;

/** What the parts say, and the files among them. */
function readContent(parts: readonly ReadPart[]): Content {
  const urls = new UrlCollector();
  const html = new HtmlReader(urls);
  const attachments: AttachmentFact[] = [];
  const texts: { readonly part: ReadPart; readonly text: string; readonly isHtml: boolean }[] = [];
  let hasHtml = false;
  for (const [index, part] of parts.entries()) {
    if (part.text === undefined) {
      if (isFile(part)) {
        const unpack = attachments.length < factLimits.unpackFiles;
        attachments.push(attachmentFact(part.fact, index, part.sample, unpack));
      }
      continue;
    }
    const isHtml =
      part.fact.type === 'text/html' || (part.fact.type === 'text/plain' && looksLikeHtml(part.text));
    hasHtml ||= isHtml;
    if (isHtml) texts.push({ part, text: html.read(part.text), isHtml });
    else {
      const { text, files } = part.text.includes('begin ')
        ? inlineFiles(part.text)
        : { text: part.text, files: [] };
      for (const { name, octets } of files) {
        const ends = { head: octets, tail: Buffer.alloc(0), whole: true, size: octets.length, unpack: false };
        attachments.push(factOf(name, 'application/octet-stream', index, ends, octets.length));
      }
      texts.push({ part, text, isHtml });
    }
  }
  const join = (some: typeof texts): string =>
    some
      .map(({ text }) => text)
      .filter((text) => text !== '')
      .join('\n')
      .slice(0, factLimits.textChars);
  const plain = join(texts.filter(({ isHtml }) => !isHtml));
  const htmlText = join(texts.filter(({ isHtml }) => isHtml));
  const text = hasHtml ? join(texts.filter((one) => one.isHtml || !hasBetter(one.part, texts))) : plain;
  urls.addText(text);
  if (text !== plain && plain !== '') urls.addText(plain);
  return {
    text,
    plain,
    htmlText,
    html: hasHtml ? html.counts.facts(htmlText.length) : undefined,
    urls: urls.list,
    addresses: addressesIn(text),
    attachments,
  };
}

/** Of alternatives (RFC 2046 5.1.4) the reader sees the HTML, if it says anything. */
function hasBetter(
  part: ReadPart,
  texts: readonly { part: ReadPart; text: string; isHtml: boolean }[],
): boolean {
  if (part.leaf.parent !== 'alternative') return false;
  const folder = part.leaf.path.slice(0, part.leaf.path.lastIndexOf('.') + 1);
  return texts.some(
    (other) => other.isHtml && other.part.leaf.path.startsWith(folder) && other.text.length > 0,
  );
}

/** A plain part that begins as a page: some readers show it as one. */
function looksLikeHtml(text: string): boolean {
  return /^\s{0,100}<(?:!doctype html|html)\b/i.test(text);
}

function isFile({ leaf, fact }: ReadPart): boolean {
  if (leaf.part.type === 'message')
    return fact.filename !== '' && leaf.part.children.length === 0 && !isReport(fact.type);
  return leaf.part.type !== 'multipart';
}

function isReport(type: string): boolean {
  return /^message\/(?:delivery-status|disposition-notification|feedback-report|global-)/.test(type);
}

function dateOf(fields: Fields): MessageFacts['date'] {
  const value = fields.first('date');
  return value === undefined ? undefined : parseDate(value);
}

function isBulk(fields: Fields): boolean {
  if (['list-id', 'list-unsubscribe', 'list-post'].some((name) => fields.counts.has(name))) return true;
  return /^\s?(?:bulk|list)\b/i.test(fields.first('precedence') ?? '');
}

/** RFC 3834: programs say that they are programs; older ones are known by who they say they are. */
function isAutomatic(fields: Fields, local: string): boolean {
  const submitted = fields.first('auto-submitted');
  if (submitted !== undefined && !/^\s?no\b/i.test(submitted)) return true;
  if (fields.counts.has('x-failed-recipients')) return true;
  if (/multipart\/report/i.test(fields.first('content-type') ?? '')) return true;
  return /^(?:mailer-daemon|postmaster)$/i.test(local);
}
