import { formatLong } from '../base/format.ts';
import type { texts } from '../base/i18n.ts';
import { limitNesting } from '../base/nesting.ts';
import { preferences } from '../base/preferences.ts';
import { ownAccountId } from '../jmap/client.ts';
import type { Email, EmailAddress, EmailBodyPart, Identity } from '../jmap/types.ts';
import { distinct, parseMailto } from './addresses.ts';
import { type Attachment, attachmentsOf, type Draft, fromOf } from './draft.ts';
import { decodeFlowed } from './flowed.ts';
import type { ComposeWish, Purpose } from './open.ts';
import { escapeHtml, textToHtml, treeToText } from './plain-text.ts';
import {
  forwardHead,
  forwardSubject,
  newMessageId,
  quoteText,
  referencesFor,
  replySubject,
} from './quoting.ts';
import { type Answered, recipientsFor, type Sender, senderFor } from './recipients.ts';
import { fetchEmail, loadSenders, ownFiles, type Senders } from './server.ts';

type Words = ReturnType<typeof texts<'compose'>>;

export interface Loaded {
  readonly draft: Draft;
  readonly known: Senders;
}

/** Inert: nothing of it runs or is fetched. */
function parse(html: string): HTMLElement {
  return new DOMParser().parseFromString(limitNesting(html).html, 'text/html').body;
}

/** The draft that a wish asks for. Throws what the server throws. */
export async function draftFor(key: string, wish: ComposeWish, t: Words): Promise<Loaded> {
  const known = await loadSenders();
  const { emailId, kind: purpose = 'new' } = wish;
  if (emailId === undefined || purpose === 'mailto') return { known, draft: fresh(key, wish, known) };
  const email = await fetchEmail(emailId, wish.accountId);
  const draft =
    purpose === 'draft' || purpose === 'copy'
      ? reopened(key, purpose, email, known)
      : about(key, purpose, email, wish, known, t);
  const { accountId } = wish;
  if (accountId === undefined || accountId === ownAccountId()) return { known, draft };
  // From an account that others share: files become ours, and the copy of a draft that is there stays there.
  const attachments = await ownFiles(accountId, draft.attachments);
  return { known, draft: { ...draft, emailId: undefined, attachments } };
}

function empty(key: string, purpose: Purpose, sender: Sender | undefined): Draft {
  return {
    key,
    purpose,
    messageId: newMessageId(sender?.email ?? ''),
    from: sender && fromOf(sender),
    to: [],
    cc: [],
    bcc: [],
    subject: '',
    format: preferences.value.composeFormat,
    html: '',
    text: '',
    attachments: [],
    inReplyTo: [],
    references: [],
  };
}

export function identityOf({ identities }: Senders, sender: { readonly identityId: string } | undefined) {
  return identities.find(({ id }) => id === sender?.identityId);
}

/** Signatures: none for a masked address, which would say who is behind it. */
function signatureOf(known: Senders, from: Draft['from']): { html: string; text: string } {
  const identity: Identity | undefined = identityOf(known, from);
  if (identity === undefined || identity.email.toLowerCase() !== from?.email.toLowerCase())
    return { html: '', text: '' };
  const { textSignature, htmlSignature } = identity;
  const html = htmlSignature !== '' ? htmlSignature : escapeHtml(textSignature).replaceAll('\n', '<br>');
  const text = textSignature !== '' ? textSignature : treeToText(parse(htmlSignature));
  return { html, text };
}

/** The block that holds the signature; empty when there is none. */
export function signatureHtml(known: Senders, from: Draft['from']): string {
  const { html } = signatureOf(known, from);
  return html.trim() === '' ? '' : `<div data-signature="">-- <br>${html}</div>`;
}

export function signatureText(known: Senders, from: Draft['from']): string {
  const { text } = signatureOf(known, from);
  return text.trim() === '' ? '' : `-- \n${text.trimEnd()}`;
}

function fresh(key: string, wish: ComposeWish, known: Senders): Draft {
  const mailto = wish.url === undefined ? undefined : parseMailto(wish.url);
  const draft = empty(key, 'new', known.senders[0]);
  const text = wish.text ?? mailto?.text ?? '';
  const signature = signatureText(known, draft.from);
  const body = text === '' ? '<div><br></div>' : textToHtml(text);
  return {
    ...draft,
    to: distinct([...(wish.to ?? []), ...(mailto?.to ?? [])]),
    cc: distinct([...(wish.cc ?? []), ...(mailto?.cc ?? [])]),
    bcc: distinct([...(wish.bcc ?? []), ...(mailto?.bcc ?? [])]),
    subject: wish.subject ?? mailto?.subject ?? '',
    html: body + (signature === '' ? '' : `<div><br></div>${signatureHtml(known, draft.from)}`),
    text: text + (signature === '' ? '' : `\n\n${signature}`),
    attachments: (wish.files ?? []).map((file) => ({
      key: crypto.randomUUID(),
      name: file.name,
      type: file.type,
      size: file.size,
      file,
    })),
  };
}

function answeredOf(email: Email): Answered {
  const several = (name: string): string[] => {
    const value = email[`header:${name}:asText:all`];
    return Array.isArray(value) ? value.map((each) => String(each).trim()) : [];
  };
  const listPost = email['header:List-Post:asRaw'];
  return {
    from: email.from,
    replyTo: email.replyTo,
    to: email.to,
    cc: email.cc,
    bcc: email.bcc,
    deliveredTo: [...several('Delivered-To'), ...several('X-Original-To')],
    listPost: typeof listPost === 'string' ? listPost : null,
  };
}

function valuesOf(
  email: Email,
  parts: readonly EmailBodyPart[],
): readonly (readonly [type: string, value: string])[] {
  return parts.flatMap((part) => {
    const value = part.partId === null ? undefined : email.bodyValues[part.partId]?.value;
    if (value === undefined) return [];
    const type = part.type.toLowerCase();
    return [[type, type === 'text/plain' ? flowing(part, value) : value] as const];
  });
}

/** Text whose lines were cut for the journey is put together again (RFC 3676). */
function flowing(part: EmailBodyPart, value: string): string {
  const field = (part as { readonly 'header:Content-Type:asRaw'?: unknown })['header:Content-Type:asRaw'];
  if (typeof field !== 'string' || !/\bformat\s*=\s*"?flowed/i.test(field)) return value;
  return decodeFlowed(value, /\bdelsp\s*=\s*"?yes/i.test(field));
}

/** What an email shows, as what stands within a body element. */
function htmlOf(email: Email): string {
  return valuesOf(email, email.htmlBody)
    .map(([type, value]) => (type === 'text/html' ? parse(value).innerHTML : textToHtml(value)))
    .join('<hr>');
}

/** What an email says, as plain text. */
export function textOf(email: Email): string {
  return valuesOf(email, email.textBody)
    .map(([type, value]) => (type === 'text/html' ? treeToText(parse(value)) : value.replace(/\r\n?/g, '\n')))
    .join('\n\n');
}

/** Content-IDs that a text shows. */
export function cidsIn(html: string): Set<string> {
  const found = new Set<string>();
  for (const [, cid = ''] of html.matchAll(/\bcid:([^"'\s)>&]{1,300})/gi)) {
    found.add(cid);
    try {
      found.add(decodeURIComponent(cid));
    } catch {
      // It stands as it is.
    }
  }
  return found;
}

function reopened(key: string, purpose: Purpose, email: Email, known: Senders): Draft {
  const from = email.from?.[0];
  const sender =
    known.senders.find((each) => each.email.toLowerCase() === from?.email.toLowerCase()) ?? known.senders[0];
  const isRich = email.htmlBody.some(({ type }) => type.toLowerCase() === 'text/html');
  const html = isRich ? htmlOf(email) : '';
  const [messageId] = email.messageId ?? [];
  const draft = empty(key, purpose, sender);
  return {
    ...draft,
    ...(purpose === 'draft' && { emailId: email.id, ...(messageId !== undefined && { messageId }) }),
    // Another program may have set one of its own.
    ...(draft.from !== undefined &&
      email.replyTo?.length && { from: { ...draft.from, replyTo: email.replyTo } }),
    to: email.to ?? [],
    cc: email.cc ?? [],
    bcc: email.bcc ?? [],
    subject: email.subject ?? '',
    format: isRich ? 'rich' : 'plain',
    html,
    text: textOf(email),
    attachments: attachmentsOf(email, cidsIn(html)),
    inReplyTo: purpose === 'draft' ? (email.inReplyTo ?? []) : [],
    references: purpose === 'draft' ? (email.references ?? []) : [],
  };
}

function nameOf(addresses: readonly EmailAddress[] | null): string {
  const [first] = addresses ?? [];
  return first === undefined ? '' : (first.name ?? '') === '' ? first.email : (first.name ?? '');
}

function about(
  key: string,
  purpose: Purpose,
  email: Email,
  wish: ComposeWish,
  known: Senders,
  t: Words,
): Draft {
  const answered = answeredOf(email);
  const sender = senderFor(answered, known.senders);
  const forward = purpose === 'forward' || purpose === 'forward-attached';
  const draft = empty(key, purpose, sender);
  const { to, cc } = recipientsFor(answered, purpose, known.senders);
  const subject = email.subject ?? '';
  const date = formatLong(Date.parse(email.sentAt ?? email.receivedAt));
  const base = {
    ...draft,
    to: wish.to ?? to,
    cc: wish.cc ?? cc,
    subject: forward ? forwardSubject(subject) : replySubject(subject),
    inReplyTo: forward ? [] : (email.messageId ?? []),
    references: referencesFor(email),
    // What others share with us is theirs to mark.
    ...(wish.accountId === undefined || wish.accountId === ownAccountId()
      ? {
          answers: { emailId: email.id, keyword: forward ? ('$forwarded' as const) : ('$answered' as const) },
        }
      : {}),
  };
  const signature = { html: signatureHtml(known, draft.from), text: signatureText(known, draft.from) };
  const top = `<div><br></div>${signature.html === '' ? '' : `<div><br></div>${signature.html}`}<div><br></div>`;
  const topText = `\n${signature.text === '' ? '' : `\n${signature.text}\n`}\n`;
  if (purpose === 'forward-attached')
    return { ...base, html: top, text: topText, attachments: [wholeMessage(email, subject)] };
  const html = htmlOf(email);
  const attachments = attachmentsOf(email, cidsIn(html));
  if (purpose === 'forward') {
    const head = forwardHead(email, date, {
      title: t('forwardTitle'),
      from: t('from'),
      date: t('date'),
      subject: t('subject'),
      to: t('to'),
      cc: t('cc'),
    });
    const rows = head
      .map(([label, value]) => `<b>${escapeHtml(label)}:</b> ${escapeHtml(value)}`)
      .join('<br>');
    return {
      ...base,
      html: `${top}<div>-------- ${escapeHtml(t('forwardTitle'))} --------<br>${rows}</div><div><br></div>${html}`,
      text: `${topText}-------- ${t('forwardTitle')} --------\n${head.map(([label, value]) => `${label}: ${value}`).join('\n')}\n\n${textOf(email)}`,
      attachments,
    };
  }
  const line = t('wrote', { date, name: nameOf(email.from) });
  return {
    ...base,
    html: `${top}<div>${escapeHtml(line)}</div><blockquote type="cite">${html}</blockquote>`,
    text: `${topText}${line}\n${quoteText(textOf(email))}`,
    // Pictures of the text stay with it; other files need not travel back.
    attachments: attachments.filter(({ cid }) => cid !== undefined),
  };
}

function wholeMessage(email: Email, subject: string): Attachment {
  // Control characters, and those that no file's name may have.
  const clean = subject
    .replace(/[\p{Cc}/\\:*?"<>|]+/gu, ' ')
    .trim()
    .slice(0, 80);
  return {
    key: crypto.randomUUID(),
    blobId: email.blobId,
    name: `${clean === '' ? 'message' : clean}.eml`,
    type: 'message/rfc822',
    size: email.size,
  };
}
