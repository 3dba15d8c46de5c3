import { createHash } from 'node:crypto';
import { Refusal } from '../../base/errors.ts';
import { type DataDirectory, openDataDirectory } from '../../data/backup/data-directory.ts';
import { messagesOf } from '../../data/backup/digest.ts';
import { messageAt, type MailboxRow, type PlacedRow } from '../../data/backup/messages.sql.ts';
import { givenAway } from '../../data/blobs/given.ts';
import { parseKeywords } from '../../data/mailstore/flags.ts';
import { parseHidden } from '../../data/mailstore/rows.ts';
import { MAX_UID, type Mailbox, type SpecialUse } from '../../data/mailstore/types.ts';
import type { OpenStore } from '../../data/open.ts';
import { dropBody, Intake } from '../intake.ts';
import { type Extract, wantedMailboxes } from './extract.ts';
import { bringBackScripts } from './scripts.ts';
import { bringBackSharing, type RestoredMailbox } from './sharing.ts';

/** Messages of a mailbox that are looked at in one read. */
const PAGE = 200;
/** Octets of a message: what was stored once is stored again, whatever the limit is now. */
const MESSAGE_BYTES = 1024 * 1024 * 1024;

export interface BringBack {
  readonly store: Pick<OpenStore, 'read' | 'write' | 'bodies'>;
  /** A data directory with what is needed of a backup (extract.ts). */
  readonly from: string;
  readonly what: Extract;
  /** Address of the account that gets it. */
  readonly to: string;
  /** Mailbox below which it is put; undefined: to where it was. */
  readonly below?: string | undefined;
  /** Whether to end before the end: what was put back by then stays. */
  readonly stopped?: (() => boolean) | undefined;
}

export interface BroughtBack {
  /** Messages that were put into mailboxes, and those that were there already. */
  readonly restored: number;
  readonly there: number;
  readonly mailboxes: readonly { readonly name: string; readonly restored: number; readonly there: number }[];
  /** Sieve scripts and settings that came back with a whole account. */
  readonly scripts: number;
}

/**
 * Put mail of a backup into an account of the running server: with its flags, keywords and dates, and with new UIDs, so
 * that no mail program takes it for something else. What lies in the mailbox already is left alone, so it can be done
 * again. Quotas do not count. Refusal 'no-such-account', 'not-found'.
 */
export async function bringBack({
  store,
  from,
  what,
  to,
  below,
  stopped = () => false,
}: BringBack): Promise<BroughtBack> {
  const account = await store.read.run('directory.account', { address: to });
  if (account === undefined || account.status === 'removed')
    throw new Refusal(
      'no-such-account',
      `There is no account ${to} here: add it ("postern account add ${to}"), or bring it back ("postern account restore ${to}").`,
    );
  const directory = openDataDirectory(from);
  const mailboxes: { name: string; restored: number; there: number }[] = [];
  const targets: RestoredMailbox[] = [];
  let scripts = 0;
  try {
    for (const row of await wantedMailboxes(directory, what)) {
      const name = below === undefined ? row.name : `${below}/${row.name}`;
      const target = await mailboxFor(store, account.id, name, below === undefined ? row : undefined);
      const there = await digests(store, target.id);
      const done = { name, restored: 0, there: 0 };
      for await (const message of messagesWanted(directory, row, what)) {
        if (stopped())
          throw new Refusal('unavailable', 'The server stops; run it again, nothing comes twice.');
        if (there.has(digestOf(message))) done.there++;
        else {
          await put(store, directory, message, target);
          done.restored++;
        }
      }
      mailboxes.push(done);
      targets.push({ savedId: row.id, id: target.id, name: target.name });
    }
    const isWhole = what.mailbox === undefined && what.uid === undefined && below === undefined;
    // Somebody else's copy of the mail is not for those who might see the original.
    if (what.uid === undefined && below === undefined && what.account === account.address)
      await bringBackSharing(store, directory, account, targets, isWhole);
    if (isWhole) scripts = await bringBackScripts(store, directory, what.account, account.id);
  } finally {
    directory.close();
  }
  const sum = (of: 'restored' | 'there'): number => mailboxes.reduce((all, each) => all + each[of], 0);
  return { restored: sum('restored'), there: sum('there'), mailboxes, scripts };
}

async function* messagesWanted(
  directory: DataDirectory,
  { id }: MailboxRow,
  { uid }: Extract,
): AsyncGenerator<PlacedRow> {
  if (uid === undefined) {
    yield* messagesOf(directory, id);
    return;
  }
  const row = await directory.tx.get(messageAt, id, uid);
  if (row === undefined) throw new Refusal('not-found', `There is no message with UID ${uid} in the backup.`);
  yield row;
}

async function mailboxFor(
  { read, write }: BringBack['store'],
  accountId: number,
  name: string,
  row: MailboxRow | undefined,
): Promise<Mailbox> {
  const find = async (): Promise<Mailbox | undefined> =>
    (await read.run('mailstore.mailboxes', { accountId })).find((one) => one.id !== 0 && one.name === name);
  const found = await find();
  if (found !== undefined) return found;
  const use = row?.special_use as SpecialUse | null | undefined;
  try {
    return await write.run('mailstore.createMailbox', {
      accountId,
      name,
      ...(use !== null && use !== undefined && { specialUse: use }),
    });
  } catch (error) {
    // Another mailbox has the special use by now.
    if (!(error instanceof Refusal) || error.kind !== 'not-permitted') throw error;
    return write.run('mailstore.createMailbox', { accountId, name });
  }
}

/** What a message is told by: what it says of itself, how large it is and when it came. */
function digestOf(row: { envelope: Uint8Array; size: number; received_at: number }): string {
  return createHash('sha256').update(`${row.size} ${row.received_at} `).update(row.envelope).digest('base64');
}

async function digests({ read }: BringBack['store'], mailboxId: number): Promise<Set<string>> {
  const found = new Set<string>();
  for (let from = 1; ; ) {
    const rows = await read.run('mailstore.fetch', {
      mailboxId,
      ranges: [{ from, to: MAX_UID }],
      want: ['envelope'],
      limit: PAGE,
    });
    for (const { envelope = new Uint8Array(), size, receivedAt } of rows)
      found.add(digestOf({ envelope, size, received_at: receivedAt }));
    if (rows.length < PAGE) return found;
    from = (rows.at(-1)?.uid ?? 0) + 1;
  }
}

async function put(
  store: BringBack['store'],
  directory: DataDirectory,
  row: PlacedRow,
  { id: mailboxId, accountId }: Mailbox,
): Promise<void> {
  const intake = new Intake({ bodies: store.bodies, maxBytes: MESSAGE_BYTES });
  for await (const piece of directory.stored(row)) await intake.write(piece);
  const { blob, content } = await intake.finish();
  try {
    await store.write.run(
      'mailstore.append',
      {
        accountId,
        mailboxId,
        blob,
        content,
        deposit: {
          accountId,
          mailbox: { id: mailboxId },
          prefix: row.prefix,
          hidden: parseHidden(row.hidden),
          set: { flags: row.flags, keywords: parseKeywords(row.keywords) },
          receivedAt: row.received_at,
          trace: row.trace ?? undefined,
          ignoreQuota: true,
        },
      },
      givenAway(blob),
    );
  } catch (error) {
    await dropBody(store.bodies, blob);
    throw error;
  }
}
