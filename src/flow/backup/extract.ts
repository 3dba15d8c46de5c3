import { join } from 'node:path';
import { Refusal } from '../../base/errors.ts';
import { parsePlace } from '../../data/blobs/place.ts';
import { openDataDirectory } from '../../data/backup/data-directory.ts';
import { bodiesOfMailbox, mailboxesOf, type MailboxRow, messageAt } from '../../data/backup/messages.sql.ts';
import type { Repository, Snapshot } from '../../data/backup/repository.ts';
import { restoreFiles, type RestoreOptions } from '../../data/backup/restore.ts';

/** Whose mail is wanted of a backup: of an account all, one mailbox, or one message. */
export interface Extract {
  /** Address of the account. */
  readonly account: string;
  readonly mailbox?: string | undefined;
  /** Of the mailbox. */
  readonly uid?: number | undefined;
  /** Id of a snapshot, or its begin; undefined: the newest. */
  readonly snapshot?: string | undefined;
}

/** Octets in a chunk of a body's file (create.ts); a hole is as large. */
const CHUNK_BYTES = 1024 * 1024;

/** Put the database of a snapshot into a directory, and of the bodies what the wanted mail needs. Refusal 'not-found'. */
export async function extractMail(options: {
  readonly repository: Repository;
  readonly snapshot: Snapshot;
  readonly directory: string;
  readonly what: Extract;
  readonly progress?: RestoreOptions['progress'];
}): Promise<void> {
  const { directory, what } = options;
  await restoreFiles({
    ...options,
    target: ({ root, path }) => (root === 'data' && path === 'mail.db' ? join(directory, path) : undefined),
  });
  const needed = await neededChunks(directory, what);
  await restoreFiles({
    ...options,
    target: ({ root, path }) => (root === 'data' && needed.has(path) ? join(directory, path) : undefined),
    wanted: (path, chunk) => needed.get(path)?.has(chunk) === true,
  });
}

/** The mailboxes that are wanted. Refusal 'not-found'. */
export async function wantedMailboxes(
  directory: ReturnType<typeof openDataDirectory>,
  { account, mailbox }: Extract,
): Promise<MailboxRow[]> {
  const all = await directory.tx.all(mailboxesOf, account);
  if (all.length === 0) throw new Refusal('not-found', `The backup has no account ${account}.`);
  const same = (name: string): boolean =>
    mailbox === undefined || name === mailbox || (/^inbox$/i.test(mailbox) && name === 'INBOX');
  const wanted = all.filter(({ name }) => same(name));
  if (wanted.length > 0) return wanted;
  throw new Refusal(
    'not-found',
    `${account} has no mailbox "${mailbox ?? ''}" in the backup, but ${all.map(({ name }) => name).join(', ')}.`,
  );
}

async function neededChunks(path: string, what: Extract): Promise<Map<string, Set<number>>> {
  const directory = openDataDirectory(path);
  const needed = new Map<string, Set<number>>();
  const need = ({ file, size }: { file: string; size: number }): void => {
    const place = parsePlace(file);
    const name =
      place === undefined ? `bodies/${file.slice(0, 2)}/${file}` : `bodies/segments/${place.segment}`;
    const chunks = needed.get(name) ?? new Set();
    needed.set(name, chunks);
    const offset = place?.offset ?? 0;
    const last = Math.floor((offset + Math.max(1, size) - 1) / CHUNK_BYTES);
    for (let i = Math.floor(offset / CHUNK_BYTES); i <= last; i++) chunks.add(i);
  };
  try {
    for (const { id, name } of await wantedMailboxes(directory, what)) {
      if (what.uid === undefined) {
        for (const body of await directory.tx.all(bodiesOfMailbox, id)) need(body);
        continue;
      }
      const row = await directory.tx.get(messageAt, id, what.uid);
      if (row === undefined)
        throw new Refusal('not-found', `${name} has no message with UID ${what.uid} in the backup.`);
      if (row.file !== null) need({ file: row.file, size: row.blob_size });
    }
  } finally {
    directory.close();
  }
  return needed;
}
