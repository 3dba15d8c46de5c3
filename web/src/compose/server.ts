import { api, ApiError } from '../base/http.ts';
import { call, download, loadSession, ownAccountId, session } from '../jmap/client.ts';
import type { Email, Id, Identity, Mailbox, SetError, SetResponse } from '../jmap/types.ts';
import { type Attachment, type Draft, emailOf } from './draft.ts';
import { type Sender, sendersOf } from './recipients.ts';

/** What the composer asks of the server. */

/** The server refused an object of a set; `type` as RFC 8621 names it. */
export class SetRefused extends Error {
  readonly type: string;
  readonly properties: readonly string[];
  readonly invalidRecipients: readonly string[];

  constructor(error: SetError & { readonly invalidRecipients?: readonly string[] }) {
    super(error.description ?? error.type);
    this.type = error.type;
    this.properties = error.properties ?? [];
    this.invalidRecipients = error.invalidRecipients ?? [];
  }
}

export function isOffline(error: unknown): boolean {
  return error instanceof ApiError && error.kind === 'offline';
}

/** A change of one object that was asked for: its outcome, or why not. */
export function updatedOf<T>(answer: SetResponse<T>, id: Id): void {
  const refused = answer.notUpdated?.[id];
  if (refused !== undefined) throw new SetRefused(refused);
}

export interface Senders {
  readonly senders: readonly Sender[];
  readonly identities: readonly Identity[];
}

let senders: Promise<Senders> | undefined;

/** Who may stand in From. Kept until they are changed here (`forgetServer`). */
export function loadSenders(): Promise<Senders> {
  senders ??= fetchSenders().catch((error: unknown) => {
    senders = undefined;
    throw error;
  });
  return senders;
}

interface Masked {
  readonly addresses: readonly {
    readonly address: string;
    readonly label: string;
    readonly state: 'on' | 'off';
  }[];
}

async function fetchSenders(): Promise<Senders> {
  await loadSession();
  const [{ list }, masked] = await Promise.all([
    call('Identity/get', { accountId: ownAccountId(), ids: null }),
    // Without them one can still write.
    api<Masked>('GET', '/account/v1/masked').catch((): Masked => ({ addresses: [] })),
  ]);
  return { identities: list, senders: sendersOf(list, masked.addresses) };
}

/** Seconds that the server holds a message at most; 0: it sends at once. */
export function mostHoldSeconds(): number {
  const account = session.value?.accounts[session.value.primaryAccounts['urn:ietf:params:jmap:mail'] ?? ''];
  const most = account?.accountCapabilities['urn:ietf:params:jmap:submission']?.['maxDelayedSend'];
  return typeof most === 'number' ? most : 0;
}

/** Octets of all attachments of a message at most. */
export function mostAttachedOctets(): number {
  const account = session.value?.accounts[session.value.primaryAccounts['urn:ietf:params:jmap:mail'] ?? ''];
  const most = account?.accountCapabilities['urn:ietf:params:jmap:mail']?.['maxSizeAttachmentsPerEmail'];
  return typeof most === 'number' ? most : 25_000_000;
}

/** Octets of one file at most (RFC 8620 section 2), and of no more use than a message can take. */
export function mostUploadOctets(): number {
  const most = session.value?.capabilities['urn:ietf:params:jmap:core']?.['maxSizeUpload'];
  return Math.min(typeof most === 'number' ? most : Infinity, mostAttachedOctets());
}

const boxes = new Map<'drafts' | 'sent', Id>();

/** What was asked for somebody who is signed in no more, or before it was changed. */
export function forgetServer(): void {
  senders = undefined;
  boxes.clear();
}

/** The mailbox of a role, made when there is none. */
export async function mailboxOf(role: 'drafts' | 'sent'): Promise<Id> {
  const known = boxes.get(role);
  if (known !== undefined) return known;
  await loadSession();
  const accountId = ownAccountId();
  const { list } = await call('Mailbox/get', { accountId, ids: null, properties: ['id', 'name', 'role'] });
  const name = role === 'drafts' ? 'Drafts' : 'Sent';
  const found = list.find((each) => each.role === role) ?? list.find((each: Mailbox) => each.name === name);
  let id = found?.id;
  if (id === undefined) {
    const answer = await call('Mailbox/set', { accountId, create: { made: { name, role } } });
    id = answer.created?.['made']?.id;
    if (id === undefined) throw new SetRefused(answer.notCreated?.['made'] ?? { type: 'serverFail' });
  }
  boxes.set(role, id);
  return id;
}

const BODY = [
  'partId',
  'blobId',
  'size',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'header:Content-Type:asRaw',
];
const WHOLE = [
  'id',
  'blobId',
  'threadId',
  'mailboxIds',
  'keywords',
  'messageId',
  'inReplyTo',
  'references',
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'subject',
  'sentAt',
  'receivedAt',
  'size',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
  'header:Delivered-To:asText:all',
  'header:X-Original-To:asText:all',
  'header:List-Post:asRaw',
];

/** An email with all that an answer to it needs. */
export async function fetchEmail(emailId: Id, accountId?: Id): Promise<Email> {
  await loadSession();
  const { list } = await call('Email/get', {
    accountId: accountId ?? ownAccountId(),
    ids: [emailId],
    properties: WHOLE,
    bodyProperties: BODY,
    fetchTextBodyValues: true,
    fetchHTMLBodyValues: true,
  });
  const [email] = list;
  if (email === undefined) throw new SetRefused({ type: 'notFound' });
  return email;
}

export function fetchBlob(accountId: Id, blobId: Id): Promise<Uint8Array<ArrayBuffer>> {
  return download(accountId, blobId);
}

/** Files of another account as blobs of ours (RFC 8620 section 6.3): an email cannot have those of another one. */
export async function ownFiles(from: Id, files: readonly Attachment[]): Promise<readonly Attachment[]> {
  const blobIds = [...new Set(files.flatMap(({ blobId }) => blobId ?? []))];
  if (blobIds.length === 0) return files;
  const { copied, notCopied } = await call('Blob/copy', {
    fromAccountId: from,
    accountId: ownAccountId(),
    blobIds,
  });
  const [refused] = Object.values(notCopied ?? {});
  if (refused !== undefined) throw new SetRefused(refused);
  return files.map((each) => {
    const blobId = each.blobId === undefined ? undefined : copied?.[each.blobId];
    return blobId === undefined ? each : { ...each, blobId };
  });
}

export interface Saved {
  readonly emailId: Id;
  /** The attachments as the new copy has them. */
  readonly attachments: readonly Attachment[];
  /** The old copy was not there any more: somebody else changed or deleted the draft. */
  readonly replaced: boolean;
}

/**
 * Put a draft on the server in place of its old copy. `uncertain`: an earlier try may have succeeded without our
 * knowing; copies that it left are taken away.
 */
export async function saveDraft(draft: Draft, uncertain: boolean): Promise<Saved> {
  const mailboxId = await mailboxOf('drafts');
  const accountId = ownAccountId();
  const lost = uncertain ? await copiesOf(draft.messageId, mailboxId) : [];
  const destroy = [...new Set([...(draft.emailId === undefined ? [] : [draft.emailId]), ...lost])];
  const answer = await call('Email/set', {
    accountId,
    create: { draft: emailOf(draft, mailboxId) },
    destroy,
  });
  const made = answer.created?.['draft'];
  if (made === undefined) throw new SetRefused(answer.notCreated?.['draft'] ?? { type: 'serverFail' });
  const gone = draft.emailId !== undefined && answer.notDestroyed?.[draft.emailId]?.type === 'notFound';
  return {
    emailId: made.id,
    attachments: await attachmentsAfter(draft, made.id),
    replaced: gone && !uncertain,
  };
}

/** Emails in a mailbox with a Message-ID. */
export async function copiesOf(messageId: string, mailboxId?: Id): Promise<readonly Id[]> {
  const filter = {
    header: ['Message-ID', messageId],
    ...(mailboxId !== undefined && { inMailbox: mailboxId }),
  };
  const { ids } = await call('Email/query', { accountId: ownAccountId(), filter, limit: 20 });
  return ids;
}

/** The uploads are in the new copy now; the old blobs may go, so the new ones are named. */
async function attachmentsAfter(draft: Draft, emailId: Id): Promise<readonly Attachment[]> {
  const before = draft.attachments.filter(({ blobId }) => blobId !== undefined);
  if (before.length === 0) return draft.attachments;
  const { list } = await call('Email/get', {
    accountId: ownAccountId(),
    ids: [emailId],
    properties: ['attachments'],
    bodyProperties: ['blobId', 'name', 'type', 'size', 'cid'],
  });
  const left = [...(list[0]?.attachments ?? [])];
  return draft.attachments.map((each) => {
    if (each.blobId === undefined) return each;
    const at = left.findIndex(({ name, cid, type }) =>
      each.cid !== undefined && cid !== null
        ? cid === each.cid
        : name === each.name && sameType(type, each.type),
    );
    const [found] = at === -1 ? [] : left.splice(at, 1);
    return found?.blobId == null ? each : { ...each, blobId: found.blobId, size: found.size };
  });
}

function sameType(a: string, b: string): boolean {
  return a.toLowerCase() === (b === '' ? 'application/octet-stream' : b.toLowerCase());
}

export async function destroyEmail(emailId: Id): Promise<void> {
  await call('Email/set', { accountId: ownAccountId(), destroy: [emailId] });
}
