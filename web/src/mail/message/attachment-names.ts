import type { Email, EmailBodyPart } from '../../jmap/types.ts';

/** Names of attachments as they may safely be shown and saved. */

const MOST = 120;
/** Characters at both ends of a longer name that are looked at. */
const LOOKED_AT = 500;
/** Characters that turn the direction of text, so that "gpj.exe" reads "exe.jpg"; and those that nobody sees. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A name without a path, without what hides its end, at most 120 characters with its ending kept. */
export function safeFileName(name: string | null | undefined, unnamed: string): string {
  const last = (name ?? '').replaceAll(HIDDEN, '').split(/[/\\]/).at(-1) ?? '';
  const short = last.length > 2 * LOOKED_AT ? last.slice(0, LOOKED_AT) + last.slice(-LOOKED_AT) : last;
  const plain = short
    .replaceAll(/[<>:"|?*]/g, '_')
    .replaceAll(/\s+/g, ' ')
    .replace(/^[.\s]+/, '')
    .replace(/[.\s]+$/, '');
  if (plain === '') return unnamed;
  const all = [...plain];
  if (all.length <= MOST) return plain;
  const dot = plain.lastIndexOf('.');
  const ending = dot > 0 && plain.length - dot <= 12 ? plain.slice(dot) : '';
  return `${all.slice(0, MOST - ending.length - 1).join('')}…${ending}`;
}

const ENDINGS: Readonly<Record<string, string>> = {
  'message/rfc822': '.eml',
  'text/calendar': '.ics',
  'text/plain': '.txt',
  'text/html': '.html',
  'application/pdf': '.pdf',
  'image/png': '.png',
  'image/jpeg': '.jpg',
  'image/gif': '.gif',
};

export function attachmentName(
  { name, type }: Pick<EmailBodyPart, 'name' | 'type'>,
  unnamed: string,
): string {
  const ending = ENDINGS[type.toLowerCase()] ?? '';
  return safeFileName(name, `${unnamed}${ending}`);
}

export type Kind = 'image' | 'text' | 'message' | 'calendar' | 'signature' | 'other';

export function attachmentKind({ type }: Pick<EmailBodyPart, 'type'>): Kind {
  const lower = type.toLowerCase();
  if (/^image\/(?:png|jpe?g|gif|webp|bmp|avif)$/.test(lower)) return 'image';
  if (lower === 'message/rfc822' || lower === 'message/global') return 'message';
  if (lower === 'text/calendar') return 'calendar';
  if (lower.endsWith('signature')) return 'signature';
  if (
    /^text\/(?:plain|csv|x-[\w-]+|markdown|html|xml|css|enriched|richtext)$|^application\/json$|^message\/(?:delivery-status|rfc822-headers)/.test(
      lower,
    )
  )
    return 'text';
  return 'other';
}

/** Those a person would call attachments: not the pictures that are shown within the text, nor what signs it. */
export function listedAttachments(
  email: Pick<Email, 'attachments' | 'htmlBody' | 'bodyValues'>,
): readonly EmailBodyPart[] {
  const html = email.htmlBody
    .map(({ partId }) => (partId === null ? '' : (email.bodyValues[partId]?.value ?? '')))
    .join('');
  return email.attachments.filter(({ cid, type, disposition, blobId }) => {
    if (blobId === null) return false;
    if (/^application\/(?:pgp-signature|(?:x-)?pkcs7-signature|pgp-encrypted)$/i.test(type)) return false;
    const inText = cid !== null && type.startsWith('image/') && html.includes(cid);
    return !inText || disposition === 'attachment';
  });
}
