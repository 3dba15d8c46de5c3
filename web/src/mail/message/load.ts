import { onForget } from '../../base/session.ts';
import { keepObjects, readObjects } from '../../jmap/cache.ts';
import { call, download } from '../../jmap/client.ts';
import { type AccountStore, entryOf, isOffline } from '../../jmap/store/account.ts';
import type { Email, EmailBodyPart, Id } from '../../jmap/types.ts';

/** Octets of a text that are fetched at first; the rest when it is asked for. */
const FIRST_BYTES = 300_000;
const BODY_PROPERTIES = [
  'partId',
  'blobId',
  'size',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'subParts',
  'header:Content-Type',
];
const PROPERTIES = [
  'id',
  'blobId',
  'threadId',
  'mailboxIds',
  'keywords',
  'size',
  'receivedAt',
  'messageId',
  'inReplyTo',
  'references',
  'sender',
  'from',
  'to',
  'cc',
  'bcc',
  'replyTo',
  'subject',
  'sentAt',
  'preview',
  'hasAttachment',
  'bodyStructure',
  'bodyValues',
  'textBody',
  'htmlBody',
  'attachments',
  'header:List-Id:asText',
  'header:List-Unsubscribe:asURLs',
  'header:List-Post:asURLs',
  'header:Authentication-Results:asText:all',
  'header:Importance:asText',
  'header:Disposition-Notification-To:asAddresses',
];

/** Read lately: going back and forth asks nothing. */
const recent = new Map<string, Email>();
const MOST_RECENT = 60;

onForget.add(() => recent.clear());

/** A whole email; `whole`: all of a long text. From this device when the server cannot be reached. */
export async function loadEmail(store: AccountStore, id: Id, whole = false): Promise<Email> {
  const key = `${store.id}/${id}${whole ? '/whole' : ''}`;
  const known = recent.get(key);
  if (known !== undefined) return known;
  const { edits } = store;
  try {
    const { list, state } = await call('Email/get', {
      accountId: store.id,
      ids: [id],
      properties: PROPERTIES,
      bodyProperties: BODY_PROPERTIES,
      fetchTextBodyValues: true,
      fetchHTMLBodyValues: true,
      ...(!whole && { maxBodyValueBytes: FIRST_BYTES }),
    });
    const [email] = list;
    if (email === undefined) throw new Gone();
    store.put([entryOf(email)], [], state, edits);
    keep(key, email);
    if (!whole) void keepObjects('bodies', store.id, [email]);
    return email;
  } catch (error) {
    if (!isOffline(error)) throw error;
    const [kept] = await readObjects<Email>('bodies', store.id, [id]);
    if (kept === undefined) throw error;
    keep(key, kept);
    return kept;
  }
}

/** The message is not there any more. */
export class Gone extends Error {}

function keep(key: string, email: Email): void {
  recent.set(key, email);
  for (const old of recent.keys()) {
    if (recent.size <= MOST_RECENT) return;
    recent.delete(old);
  }
}

/** Have the newest of a list here before they are opened, so that they can be read offline. */
export async function prefetch(store: AccountStore, ids: readonly Id[]): Promise<void> {
  const kept = await readObjects<Email>('bodies', store.id, ids);
  const have = new Set(kept.map(({ id }) => id));
  const missing = ids.filter((id) => !have.has(id));
  if (missing.length === 0) return;
  const { list } = await call('Email/get', {
    accountId: store.id,
    ids: missing,
    properties: PROPERTIES,
    bodyProperties: BODY_PROPERTIES,
    fetchTextBodyValues: true,
    fetchHTMLBodyValues: true,
    maxBodyValueBytes: 60_000,
  });
  // What is cut would be taken for all of it.
  const whole = list.filter(({ bodyValues }) => Object.values(bodyValues).every((each) => !each.isTruncated));
  await keepObjects('bodies', store.id, whole);
}

/** Every part of a message. */
export function partsOf(part: EmailBodyPart): EmailBodyPart[] {
  return [part, ...(part.subParts ?? []).flatMap(partsOf)];
}

/** Outlook's package of files (winmail.dat). */
export function isTnef({ type, name }: EmailBodyPart): boolean {
  return /^application\/(?:vnd\.)?ms-tnef$/i.test(type) || name?.toLowerCase() === 'winmail.dat';
}

/** Pictures of an HTML part by their Content-ID, as blob: URLs; revoked by `close`. */
export interface InlineImages {
  readonly get: (cid: string) => string | undefined;
  readonly close: () => void;
}

const PICTURES = /^image\/(?:png|jpe?g|gif|webp|bmp|avif)$/i;

export async function inlineImages(store: AccountStore, email: Email, html: string): Promise<InlineImages> {
  const urls = new Map<string, string>();
  const wanted = partsOf(email.bodyStructure).filter(
    ({ cid, type, blobId }) => cid !== null && blobId !== null && PICTURES.test(type) && html.includes(cid),
  );
  await Promise.all(
    wanted.slice(0, 100).map(async ({ cid, type, blobId }) => {
      try {
        const octets = await download(store.id, blobId ?? '');
        urls.set(cid ?? '', URL.createObjectURL(new Blob([octets], { type })));
      } catch {
        // It is shown as missing.
      }
    }),
  );
  return {
    get: (cid) => urls.get(cid),
    close() {
      for (const url of urls.values()) URL.revokeObjectURL(url);
    },
  };
}
