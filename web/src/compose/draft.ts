import type { Email, EmailAddress, Id } from '../jmap/types.ts';
import { isAddress } from './addresses.ts';
import { encodeFlowed } from './flowed.ts';
import type { Purpose } from './open.ts';
import type { Sender } from './recipients.ts';

/** A message that is being written. */

export interface Attachment {
  readonly key: string;
  readonly name: string;
  readonly type: string;
  /** Octets. */
  readonly size: number;
  /** Shown within the text under this Content-ID. */
  readonly cid?: string;
  /** The server has it. */
  readonly blobId?: Id;
  /** What this device has of it, until the server does. */
  readonly file?: Blob;
}

export interface From {
  readonly identityId: Id;
  readonly name: string;
  readonly email: string;
  /** Where answers should go, when not there. */
  readonly replyTo?: readonly EmailAddress[];
}

export function fromOf({ identityId, name, email, replyTo }: Sender): From {
  return { identityId, name, email, ...(replyTo !== undefined && { replyTo }) };
}

export interface Draft {
  readonly key: string;
  readonly purpose: Purpose;
  /** The server's copy; undefined: it has none. */
  readonly emailId?: Id | undefined;
  /** One for as long as the message lives: by it copies are told that a broken connection left behind. */
  readonly messageId: string;
  readonly from: From | undefined;
  readonly to: readonly EmailAddress[];
  readonly cc: readonly EmailAddress[];
  readonly bcc: readonly EmailAddress[];
  readonly subject: string;
  readonly format: 'rich' | 'plain';
  /** What stands within the body element; images by cid:. Empty when the format is plain. */
  readonly html: string;
  readonly text: string;
  readonly attachments: readonly Attachment[];
  readonly inReplyTo: readonly string[];
  readonly references: readonly string[];
  /** What is marked when this was sent. */
  readonly answers?: { readonly emailId: Id; readonly keyword: '$answered' | '$forwarded' } | undefined;
}

/** The whole document of the part text/html. */
export function htmlDocument(body: string): string {
  return `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>${body}</body></html>`;
}

/** The attachments that the server has: others cannot be in a message yet. */
export function uploaded(draft: Draft): readonly (Attachment & { readonly blobId: Id })[] {
  return draft.attachments.filter(
    (each): each is Attachment & { readonly blobId: Id } => each.blobId !== undefined,
  );
}

/** Octets of all attachments. */
export function attachedOctets(attachments: readonly Attachment[]): number {
  let octets = 0;
  for (const { size } of attachments) octets += size;
  return octets;
}

/** The properties of an Email as Email/set creates it (RFC 8621 section 4.6). `sendAt`: its Date, in ms; undefined: now. */
export function emailOf(draft: Draft, mailboxId: Id, sendAt?: number): Record<string, unknown> {
  const rich = draft.format === 'rich';
  const list = (addresses: readonly EmailAddress[]): readonly EmailAddress[] | undefined => {
    // What is no address yet cannot stand in a header; it is kept on this device.
    const good = addresses.filter(({ email }) => isAddress(email));
    return good.length > 0 ? good : undefined;
  };
  const properties: Record<string, unknown> = {
    mailboxIds: { [mailboxId]: true },
    keywords: { $draft: true, $seen: true },
    messageId: [draft.messageId],
    subject: draft.subject,
    from: draft.from && [{ name: draft.from.name === '' ? null : draft.from.name, email: draft.from.email }],
    to: list(draft.to),
    cc: list(draft.cc),
    bcc: list(draft.bcc),
    // What its identity asks for (RFC 8621 section 6).
    replyTo: list(draft.from?.replyTo ?? []),
    inReplyTo: draft.inReplyTo.length > 0 ? draft.inReplyTo : undefined,
    references: draft.references.length > 0 ? draft.references : undefined,
    sentAt: sendAt === undefined ? undefined : localDate(sendAt),
    // With its own field there is no `type` (RFC 8621 section 4.6).
    textBody: [{ partId: 'text', 'header:Content-Type': ' text/plain; format=flowed' }],
    htmlBody: rich ? [{ partId: 'html', type: 'text/html' }] : undefined,
    bodyValues: {
      text: { value: encodeFlowed(draft.text) },
      ...(rich && { html: { value: htmlDocument(draft.html) } }),
    },
    attachments: uploaded(draft).map(({ blobId, type, name, cid }) => ({
      blobId,
      type: type === '' ? 'application/octet-stream' : type,
      name,
      ...(rich && cid !== undefined ? { cid, disposition: 'inline' } : { disposition: 'attachment' }),
    })),
  };
  return Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== undefined));
}

/** RFC 8620 section 1.4: Date, to the second, with the offset of this device's clock at that time. */
function localDate(ms: number): string {
  const minutes = -new Date(ms).getTimezoneOffset();
  const local = new Date(ms + minutes * 60_000).toISOString().slice(0, 19);
  const two = (value: number): string => String(Math.trunc(value)).padStart(2, '0');
  const ahead = Math.abs(minutes);
  return `${local}${minutes < 0 ? '-' : '+'}${two(ahead / 60)}:${two(ahead % 60)}`;
}

/** Addresses of the envelope: everybody, once each. */
export function envelopeRecipients(draft: Draft): string[] {
  const found = new Map<string, string>();
  for (const { email } of [...draft.to, ...draft.cc, ...draft.bcc]) found.set(email.toLowerCase(), email);
  return [...found.values()];
}

/** Nobody would miss it. */
export function isBlank(draft: Draft, signature = ''): boolean {
  const bare = (text: string): string => text.replace(/^-- *$/m, '').trim();
  const written = bare(draft.text);
  return (
    draft.to.length + draft.cc.length + draft.bcc.length === 0 &&
    draft.subject.trim() === '' &&
    draft.attachments.length === 0 &&
    (written === '' || written === bare(signature))
  );
}

/** The files of an email as attachments of a draft; `cids`: those that its text shows. */
export function attachmentsOf(email: Pick<Email, 'attachments'>, cids: ReadonlySet<string>): Attachment[] {
  return email.attachments.flatMap(({ blobId, name, type, size, cid }) =>
    blobId === null
      ? []
      : [
          {
            key: crypto.randomUUID(),
            blobId,
            name: name ?? nameFor(type),
            type,
            size,
            ...(cid !== null && cids.has(cid) && { cid }),
          },
        ],
  );
}

/** A name for what has none. */
export function nameFor(type: string): string {
  const [, kind = 'bin'] = /^\w+\/(?:x-)?([\w]+)/.exec(type) ?? [];
  return kind === 'rfc822' ? 'message.eml' : `file.${kind === 'jpeg' ? 'jpg' : kind}`;
}
