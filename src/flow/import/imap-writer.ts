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

/** Append mail to an account of another IMAP server; what is there already is left alone. */
export function imapWriter(client: ImapClient): MailWriter {
  let listed: Promise<ListedMailbox[]> | undefined;
  return {
    async open({ name, subscribed, specialUse }) {
      const boxes = await (listed ??= client.list());
      const levels = name.split('/');
      const found =
        boxes.find((box) => specialUse !== undefined && box.attributes.includes(specialUse)) ??
        boxes.find(
          (box) => box.levels.join('/') === name || (name === 'INBOX' && box.wire.toUpperCase() === 'INBOX'),
        );
      const wire = found?.wire ?? (await makeMailbox(client, levels, delimiterOf(boxes)));
      if (subscribed) await client.subscribe(wire).catch(ignoreRefusal);
      return folder(client, wire);
    },
    close: () => client.logout(),
  };
}

/** What the server puts between levels: told by how a nested name is written, "/" where none is. */
function delimiterOf(boxes: readonly ListedMailbox[]): string {
  return boxes.find(({ delimiter }) => delimiter !== '')?.delimiter ?? '/';
}

async function makeMailbox(
  client: ImapClient,
  levels: readonly string[],
  delimiter: string,
): Promise<string> {
  const clean = levels.map((level) => level.replaceAll(delimiter, '_'));
  const wire = wireName(clean, delimiter);
  await client.create(wire).catch((error: unknown) => {
    if (!(error instanceof ImapFailure) || error.code !== 'ALREADYEXISTS') throw error;
  });
  return wire;
}

function ignoreRefusal(error: unknown): void {
  if (!(error instanceof ImapFailure) || error.kind !== 'refused') throw error;
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
