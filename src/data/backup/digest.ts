import { createHash } from 'node:crypto';
import type { DataDirectory } from './data-directory.ts';
import { mailboxesAfter, type MailboxRow, messageAt, messagesAfter, type PlacedRow } from './messages.sql.ts';

/** Messages read at a time: with their bodies, so few. */
const PAGE = 50;
const MAILBOXES = 500;

/** What a mailbox holds, in one number: UIDs, flags, keywords, dates and octets of all messages as a reader sees them. */
export interface MailboxDigest {
  readonly account: string;
  readonly mailbox: string;
  readonly uidvalidity: number;
  readonly messages: number;
  /** Octets of the messages. */
  readonly bytes: number;
  readonly sha256: string;
}

export interface Compared {
  /** Messages that both have. */
  readonly same: number;
  /** Sentences about those that are not the same in both. */
  readonly problems: readonly string[];
}

export async function* mailboxesOfAll({ tx }: Pick<DataDirectory, 'tx'>): AsyncGenerator<MailboxRow> {
  for (let after = 0; ; ) {
    const rows = await tx.all(mailboxesAfter, after, MAILBOXES);
    yield* rows;
    if (rows.length < MAILBOXES) return;
    after = rows.at(-1)?.id ?? after;
  }
}

export async function* messagesOf(
  { tx }: Pick<DataDirectory, 'tx'>,
  mailboxId: number,
): AsyncGenerator<PlacedRow> {
  for (let after = 0; ; ) {
    const rows = await tx.all(messagesAfter, mailboxId, after, PAGE);
    yield* rows;
    if (rows.length < PAGE) return;
    after = rows.at(-1)?.uid ?? after;
  }
}

export async function messageDigest(directory: DataDirectory, row: PlacedRow): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of directory.seen(row)) hash.update(piece);
  return hash.digest('hex');
}

/**
 * Read all mail of a directory and digest it, mailbox by mailbox. With `live`, a directory of the same store that may
 * have gone on since, each message that is still there is compared: its octets always, its flags while nobody has
 * changed them. Problems are told of up to `most`.
 */
export async function* digestMailboxes(
  directory: DataDirectory,
  live?: DataDirectory,
  most = 20,
): AsyncGenerator<MailboxDigest & Compared> {
  for await (const { id, address, name, uidvalidity } of mailboxesOfAll(directory)) {
    const whole = createHash('sha256');
    const problems: string[] = [];
    let [messages, bytes, same] = [0, 0, 0];
    for await (const row of messagesOf(directory, id)) {
      const { uid, flags, keywords, received_at: at } = row;
      const where = `${address}, ${name}, UID ${uid}`;
      try {
        const sha256 = await messageDigest(directory, row);
        whole.update(`${uid} ${flags} ${keywords ?? ''} ${at} ${sha256}\n`);
        messages++;
        bytes += row.size;
        const answer = live === undefined ? undefined : await compare(live, row, sha256);
        if (answer === 'same') same++;
        else if (answer !== undefined && answer !== 'gone') problems.push(`${where}: ${answer}`);
      } catch (error) {
        problems.push(`${where}: ${(error as Error).message}`);
      }
      if (problems.length >= most) break;
    }
    const sha256 = whole.digest('hex');
    yield { account: address, mailbox: name, uidvalidity, messages, bytes, sha256, same, problems };
  }
}

/** `gone`: the live store has it no more, or the mailbox is another one. */
async function compare(live: DataDirectory, row: PlacedRow, sha256: string): Promise<string> {
  const now = await live.tx.get(messageAt, row.mailbox_id, row.uid);
  if (now === undefined || now.uidvalidity !== row.uidvalidity) return 'gone';
  const octets = await messageDigest(live, now).catch((error: unknown) => {
    // It was expunged for good while it was read.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (octets === undefined) return 'gone';
  if (octets !== sha256) return 'its octets are not those that the server has';
  if (now.received_at !== row.received_at) return 'its date is not the one that the server has';
  const unchanged = now.modseq === row.modseq;
  if (unchanged && (now.flags !== row.flags || now.keywords !== row.keywords))
    return 'its flags are not those that the server has';
  return 'same';
}
