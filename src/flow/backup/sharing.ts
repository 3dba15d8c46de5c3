import { errorText, Refusal } from '../../base/errors.ts';
import type { DataDirectory } from '../../data/backup/data-directory.ts';
import type { Actor } from '../../data/directory/types.ts';
import type { OpenStore } from '../../data/open.ts';
import { acl } from '../../data/sharing/acl.ts';
import { annotations, type Annotation } from '../../data/sharing/annotations.ts';
import { personByAddress, subscriptionsOf } from '../../data/sharing/sharing.sql.ts';
import type { AclEntry } from '../../data/sharing/types.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };

type Access = Pick<OpenStore, 'read' | 'write'>;

/** A mailbox in the backup, and the one of the running server that its mail went to. */
export interface RestoredMailbox {
  readonly savedId: number;
  readonly id: number;
  readonly name: string;
}

interface Saved {
  readonly lists: ReadonlyMap<number, readonly AclEntry[]>;
  readonly annotations: ReadonlyMap<number, readonly Annotation[]>;
  readonly ofServer: readonly Annotation[];
  readonly subscriptions: readonly string[];
}

/**
 * Put back who had rights to the mailboxes of an account, its annotations and, with `whole`, its subscriptions to
 * others' mailboxes. Of a mailbox that was never away nothing comes back: what was taken from somebody since must not
 * be given again. Whoever is not there any more is passed over.
 */
export async function bringBackSharing(
  store: Access,
  directory: DataDirectory,
  account: { readonly id: number; readonly address: string },
  mailboxes: readonly RestoredMailbox[],
  whole: boolean,
): Promise<void> {
  const away = mailboxes.filter(({ savedId, id }) => savedId !== id);
  const saved = await readSaved(directory, account.address, away);
  for (const mailbox of away) {
    await restoreList(store, account.address, mailbox, saved.lists.get(mailbox.savedId) ?? []);
    await restoreAnnotations(store, account.id, mailbox.id, saved.annotations.get(mailbox.savedId) ?? []);
  }
  if (!whole) return;
  const mine = saved.ofServer.filter(({ scope }) => scope === 'private');
  await restoreAnnotations(store, account.id, 0, mine);
  for (const name of saved.subscriptions) {
    const wish = { accountId: account.id, name, subscribed: true };
    await unlessGone(store.write.run('sharing.subscribe', wish));
  }
}

async function readSaved(
  { tx }: DataDirectory,
  address: string,
  mailboxes: readonly RestoredMailbox[],
): Promise<Saved> {
  const lists = new Map<number, readonly AclEntry[]>();
  const notes = new Map<number, readonly Annotation[]>();
  try {
    const person = await tx.get(personByAddress, address);
    if (person === undefined) return { lists, annotations: notes, ofServer: [], subscriptions: [] };
    const accountId = person.id;
    for (const { savedId: mailboxId } of mailboxes) {
      lists.set(mailboxId, await acl(tx, { mailboxId }));
      notes.set(mailboxId, await annotations(tx, { accountId, mailboxId }));
    }
    const names = await tx.all(subscriptionsOf, accountId);
    return {
      lists,
      annotations: notes,
      ofServer: await annotations(tx, { accountId, mailboxId: 0 }),
      subscriptions: names.map(({ name }) => name),
    };
  } catch (error) {
    // A backup of a version that shared nothing.
    if (/no such (?:table|column)/.test(errorText(error)))
      return { lists, annotations: notes, ofServer: [], subscriptions: [] };
    throw error;
  }
}

async function restoreList(
  { read, write }: Access,
  account: string,
  { id: mailboxId, name: mailbox }: RestoredMailbox,
  entries: readonly AclEntry[],
): Promise<void> {
  const there = new Set((await read.run('sharing.acl', { mailboxId })).map(({ identifier }) => identifier));
  for (const { identifier, rights } of entries) {
    if (there.has(identifier)) continue;
    const args = { actor: SYSTEM, account, mailbox, identifier, mode: 'replace', rights } as const;
    await unlessGone(write.run('sharing.setRights', args));
  }
}

async function restoreAnnotations(
  { read, write }: Access,
  accountId: number,
  mailboxId: number,
  saved: readonly Annotation[],
): Promise<void> {
  if (saved.length === 0) return;
  const now = await read.run('sharing.annotations', { accountId, mailboxId });
  const there = new Set(now.map(({ scope, entry }) => `${scope}${entry}`));
  const changes = saved.filter(({ scope, entry }) => !there.has(`${scope}${entry}`));
  if (changes.length > 0) await unlessGone(write.run('sharing.annotate', { accountId, mailboxId, changes }));
}

/** What cannot be put back because somebody or something is not there any more costs the rest nothing. */
async function unlessGone(promise: Promise<unknown>): Promise<void> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
