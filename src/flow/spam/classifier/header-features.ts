/**
 * What the sender's software and the sender wrote into the header. An allow list: whatever receivers, collectors and
 * list managers add (Received, Delivered-To, Return-Path, Sender, List-*, Precedence, X-Spam-*, Date, ...) is not read,
 * nor are names of recipients or identifiers; docs/spam-accuracy.md says why.
 */
import type { MessageFacts, UrlFact } from '../facts/types.ts';
import { classifierLimits } from './limits.ts';
import type { FeatureSink } from './sink.ts';
import { folded, magnitude, wordsOf } from './text.ts';

/** Fields whose words count. */
const READ = new Set([
  'content-transfer-encoding',
  'mime-version',
  'x-priority',
  'x-msmail-priority',
  'importance',
  'priority',
  'x-mimeole',
  'content-disposition',
]);
/** Fields that only count as present: programs of senders write them. */
const NOTED = new Set([
  'organization',
  'organisation',
  'x-accept-language',
  'accept-language',
  'content-language',
  'thread-index',
  'thread-topic',
  'x-originating-ip',
  'x-originalarrivaltime',
  'x-face',
  'x-operating-system',
  'x-pgp-key',
  'x-gpg-fingerprint',
  'x-gpg-key-fingerprint',
  'openpgp',
  'disposition-notification-to',
  'return-receipt-to',
  'x-confirm-reading-to',
  'x-message-flag',
  'x-ms-has-attach',
  'x-ms-tnef-correlator',
  'content-class',
  'mail-followup-to',
  'mail-copies-to',
  'content-description',
  'content-id',
  'content-location',
  'comments',
  'keywords',
  'auto-submitted',
  'x-auto-response-suppress',
  'x-url',
  'x-home-page',
  'x-image-url',
  'x-encoding',
  'x-mailer-version',
  'x-library',
  'x-mailid',
]);
/** Fields that programs leave out when they have nothing to say; empty ones betray a form that was filled in. */
const NEVER_EMPTY = new Set(['from', 'to', 'cc', 'bcc', 'reply-to', 'subject', 'x-mailer', 'organization']);
const BOUNDARY = /boundary=.*/i;
const DIGIT = /\d/g;

/** `links`: those that count. */
export function headerFeatures(facts: MessageFacts, links: readonly UrlFact[], sink: FeatureSink): void {
  fromFeatures(facts, sink);
  recipientFeatures(facts, sink);
  fieldFeatures(facts, sink);
  idFeatures(facts, sink);
  siteFeatures(facts, links, sink);
  mimeFeatures(facts, sink);
}

function fromFeatures(facts: MessageFacts, sink: FeatureSink): void {
  const from = facts.from[0];
  if (!from) {
    sink.add('shape', 'no From');
    return;
  }
  const name = from.name.slice(0, 60);
  for (const word of wordsOf(name, 10)) sink.add('from', word.toLowerCase());
  sink.grams('from', `^${folded(name)}$`);
  sink.grams('from', `^^${folded(from.local).slice(0, 40)}@`);
  sink.add('from', `@${from.domain}`);
  sink.add('from', `@${from.site}`);
  sink.add('shape', `From ends in ${from.domain.slice(from.domain.lastIndexOf('.') + 1)}`);
  sink.add('shape', `From name ${nameShape(name)}`);
  sink.add('shape', `From digits ${Math.min(4, from.local.match(DIGIT)?.length ?? 0)}`);
  sink.add('shape', `From length ${Math.min(8, from.local.length >> 2)}`);
}

function nameShape(name: string): string {
  if (name === '') return 'none';
  if (name.includes('@')) return 'address';
  if (!/\p{Ll}/u.test(name)) return 'upper';
  return name.includes(' ') ? 'words' : 'word';
}

/** Never who got it, only how it was addressed. */
function recipientFeatures(facts: MessageFacts, sink: FeatureSink): void {
  const { to, cc } = facts;
  const from = facts.from[0];
  const first = to[0];
  sink.add('shape', `to ${Math.min(4, to.length)}`);
  sink.add('shape', `cc ${Math.min(3, cc.length)}`);
  if (first) {
    sink.add(
      'shape',
      `to name ${first.name === '' ? 'none' : first.name.includes('@') ? 'address' : 'name'}`,
    );
    if (from) sink.add('shape', `to itself ${first.address.toLowerCase() === from.address.toLowerCase()}`);
    const named = first.local.length > 2 && facts.subject.toLowerCase().includes(first.local.toLowerCase());
    if (named) sink.add('shape', 'subject names recipient');
  }
  const reply = facts.replyTo[0];
  sink.add('shape', `reply ${reply ? (reply.site === from?.site ? 'same site' : 'elsewhere') : 'none'}`);
}

function fieldFeatures(facts: MessageFacts, sink: FeatureSink): void {
  for (const { name, raw } of facts.fields) {
    const value = raw.slice(0, classifierLimits.headerChars);
    if (NEVER_EMPTY.has(name) && value.trim() === '') sink.add('field', `empty ${name}`);
    if (name === 'content-type') {
      sink.add('field', name);
      for (const word of wordsOf(value.replace(BOUNDARY, 'boundary'), 20))
        sink.add('field', `${name} ${word.toLowerCase()}`);
    } else if (READ.has(name)) {
      sink.add('field', name);
      for (const word of wordsOf(value, 20)) sink.add('field', `${name} ${word.toLowerCase()}`);
    } else if (name === 'x-mailer' || name === 'user-agent') {
      sink.add('mailer', 'named');
      sink.add('mailer', `* ${wordsOf(value, 2).join(' ')}`);
      sink.grams('mailer', folded(value).slice(0, 80));
    } else if (NOTED.has(name)) {
      sink.add('field', name);
    }
  }
  sink.add('field', `reply ${facts.isReply}`);
  sink.add('field', `8 bit ${facts.mime.eightBitHeader}`);
}

/** Form of the Message-ID: which program made it, and whether it fits From. Never the identifier itself. */
function idFeatures(facts: MessageFacts, sink: FeatureSink): void {
  const at = facts.messageId.lastIndexOf('@');
  const local = at < 0 ? facts.messageId : facts.messageId.slice(0, at);
  const domain = at < 0 ? '' : facts.messageId.slice(at + 1).toLowerCase();
  const form = local
    .slice(0, 80)
    .replace(/[A-Z]+/g, 'A')
    .replace(/[a-z]+/g, 'a')
    .replace(/\d+/g, '0')
    .slice(0, 24); // prettier-ignore
  sink.add('shape', `id ${form}`);
  const site = facts.from[0]?.site ?? '';
  sink.add(
    'shape',
    `id of ${domain === '' ? 'nobody' : site !== '' && domain.endsWith(site) ? 'From' : 'another'}`,
  );
  sink.add('shape', `id dots ${Math.min(4, domain.split('.').length)}`);
}

/** Do the links lead to who wrote it? Newsletters somebody asked for mostly do. */
function siteFeatures(facts: MessageFacts, links: readonly UrlFact[], sink: FeatureSink): void {
  const site = facts.from[0]?.site ?? '';
  if (links.length === 0 || site === '') return;
  const share = (of: readonly { site: string }[]): string =>
    of.length === 0 ? '-' : `${Math.ceil((4 * of.filter((one) => one.site === site).length) / of.length)}`;
  sink.add(
    'shape',
    `site links ${share(links.filter(({ source }) => source === 'href' || source === 'text'))}`,
  );
  sink.add('shape', `site images ${share(links.filter(({ source }) => source === 'image'))}`);
  sink.add('shape', `site count ${magnitude(new Set(links.map((one) => one.site)).size)}`);
  const written = facts.addresses.some((address) => address.endsWith(site));
  sink.add('shape', `site written ${written}`);
}

function mimeFeatures(facts: MessageFacts, sink: FeatureSink): void {
  sink.add('mime', `multipart ${facts.mime.multiparts.slice(0, 4).join('/')}`);
  sink.add(
    'mime',
    `leaves ${facts.parts
      .slice(0, 4)
      .map(({ type }) => type)
      .join(',')}`,
  ); // prettier-ignore
  for (const part of facts.parts.slice(0, 20)) {
    sink.add('mime', part.type);
    sink.add('mime', `${part.type} ${part.charset}`);
    sink.add('mime', `${part.type} ${part.encoding}`);
  }
  for (const file of facts.attachments.slice(0, 20))
    sink.add('mime', `file .${file.extension} ${magnitude(file.size) >> 1}`);
}
