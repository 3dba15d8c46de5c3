import { createHash } from 'node:crypto';
import { Flag } from '../../data/mailstore/types.ts';
import { type ImapClient, type ListedMailbox, wireName } from '../../net/imap-client/client.ts';
import { ImapFailure } from '../../net/imap-client/failure.ts';
import { firstFields, HEADER_BYTES } from './header-facts.ts';
import { headOf, type Spooled, spool } from './spool.ts';
import type { FolderWriter, MailWriter, OutMessage } from './writer.ts';

/** Fields that tell whether a message is there already: its octets may have been changed on the way in. */
const FIELDS = ['message-id', 'date', 'from', 'subject'] as const;

const NAMES: readonly (readonly [number, string])[] = [
  [Flag.Seen, '\\Seen'],
  [Flag.Answered, '\\Answered'],
  [Flag.Flagged, '\\Flagged'],
  [Flag.Deleted, '\\Deleted'],
  [Flag.Draft, '\\Draft'],
];

/** Where mailboxes of the account are, and what there is. */
interface Place {
  readonly boxes: readonly ListedMailbox[];
  /** What names of its own begin with (RFC 2342): "INBOX." at Courier and Cyrus, mostly ''. */
  readonly prefix: string;
  readonly delimiter: string;
}

/** Append mail to an account of another IMAP server; what is there already is left alone. */
export function imapWriter(client: ImapClient): MailWriter {
  let looked: Promise<Place> | undefined;
  return {
    async open({ name, subscribed, specialUse }) {
      const place = await (looked ??= look(client));
      const wire = wireOf(place, name);
      const found =
        place.boxes.find((box) => specialUse !== undefined && box.attributes.includes(specialUse)) ??
        place.boxes.find((box) => box.wire === wire || (name === 'INBOX' && isInbox(box)));
      if (found === undefined) await makeMailbox(client, wire);
      if (subscribed) await client.subscribe(found?.wire ?? wire).catch(ignoreRefusal);
      return folder(client, found?.wire ?? wire);
    },
    close: () => client.logout(),
  };
}

async function look(client: ImapClient): Promise<Place> {
  const boxes = await client.list();
  const namespaces = await client.namespaces().catch(ignoreRefusal);
  // A nested name tells what stands between levels; where there is none, "/" will do.
  const delimiter = boxes.find((box) => box.delimiter !== '')?.delimiter ?? '/';
  return { boxes, prefix: namespaces?.own[0] ?? '', delimiter };
}

function isInbox({ wire }: ListedMailbox): boolean {
  return wire.toUpperCase() === 'INBOX';
}

function wireOf({ prefix, delimiter }: Place, name: string): string {
  if (name === 'INBOX') return name;
  const levels = name.split('/').map((level) => level.replaceAll(delimiter, '_'));
  return `${prefix}${wireName(levels, delimiter)}`;
}

async function makeMailbox(client: ImapClient, wire: string): Promise<void> {
  try {
    await client.create(wire);
  } catch (error) {
    ignoreRefusal(error);
    // It may be there and not be listed; not all servers have the code ALREADYEXISTS.
    await client.open(wire).catch(() => {
      throw error;
    });
  }
}

function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof ImapFailure) || error.kind !== 'refused') throw error;
  return undefined;
}

async function folder(client: ImapClient, wire: string): Promise<FolderWriter> {
  const there = await known(client, wire);
  return {
    async write(message, octets) {
      const whole = await spool(octets);
      try {
        const name = await identity(whole);
        const count = there.get(name) ?? 0;
        if (count > 0) {
          there.set(name, count - 1);
          return 'known';
        }
        const { receivedAt: at } = message;
        await client.append(wire, { flags: flagText(message), at, size: whole.size }, whole.chunks());
        return 'written';
      } finally {
        await whole.dispose();
      }
    },
    close: async () => undefined,
  };
}

/** How often each message is there. */
async function known(client: ImapClient, wire: string): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const { exists } = await client.open(wire);
  if (exists === 0) return found;
  const items = `BODY.PEEK[HEADER.FIELDS (${FIELDS.join(' ').toUpperCase()})]`;
  await client.fetch('1:*', items, (_uid, row) => {
    for (const [item, value] of row) {
      if (!item.startsWith('BODY[') || !Buffer.isBuffer(value)) continue;
      const name = identityOf(value);
      found.set(name, (found.get(name) ?? 0) + 1);
    }
  });
  return found;
}

async function identity(message: Spooled): Promise<string> {
  return identityOf(await headOf(message, HEADER_BYTES));
}

function identityOf(header: Buffer): string {
  const fields = firstFields(header);
  const text = FIELDS.map((name) => (fields.get(name) ?? '').replace(/\s+/g, ' ')).join('\n');
  return createHash('sha256').update(text, 'latin1').digest('base64');
}

function flagText({ flags, keywords }: OutMessage): string {
  return [...NAMES.filter(([bit]) => flags & bit).map(([, name]) => name), ...keywords].join(' ');
}
