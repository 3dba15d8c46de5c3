/** For tests of backups: a store filled with mail, and everything a reader would see of it. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { openDataDirectory } from '../../src/data/backup/data-directory.ts';
import { mailboxesOfAll, messagesOf } from '../../src/data/backup/digest.ts';
import { backupSettingsSchema } from '../../src/data/backup/settings.ts';
import type { PlaceSettings } from '../../src/data/backup/place.ts';
import { type OpenStore, openStore } from '../../src/data/open.ts';
import { Intake } from '../../src/flow/intake.ts';
import { hashPassword } from '../../src/data/directory/passwords.ts';
import { testActor } from './server.ts';

export const SECRET = { passphrase: 'a passphrase that nobody guesses' };
export const ACCOUNTS = ['alice@example.test', 'bob@example.test'] as const;
const MAILBOXES = ['INBOX', 'Archive', 'Archive/2025'] as const;
const KEYWORDS: readonly (readonly string[])[] = [[], ['$Forwarded'], ['Work', '$Label1']];

export function placeOf(target: string, more: Partial<PlaceSettings> = {}): PlaceSettings {
  return { ...backupSettingsSchema.parse({ target }), ...more };
}

/** A store with two accounts, ready for `deposit`. */
export async function mailStore(directory: string): Promise<OpenStore> {
  const store = await openStore({ directory, clock: systemClock, logger: silentLogger });
  await store.write.run('directory.addDomain', { actor: testActor, name: 'example.test' });
  const secrets = await hashPassword('correct horse', { minLength: 1 });
  for (const address of ACCOUNTS) {
    const account = { address, displayName: '', role: 'user', quota: 0, ...secrets } as const;
    await store.write.run('directory.addAccount', { actor: testActor, ...account });
    const { id } = await accountOf(store, address);
    for (const name of MAILBOXES.slice(1))
      await store.write.run('mailstore.createMailbox', { accountId: id, name }).catch(() => undefined);
  }
  return store;
}

async function accountOf(store: OpenStore, address: string): Promise<{ id: number }> {
  const account = await store.read.run('directory.account', { address });
  assert.ok(account);
  return account;
}

/** Put a message into a mailbox that its number chooses, with flags and keywords that it chooses too. */
export async function deposit(store: OpenStore, octets: Buffer, n: number): Promise<void> {
  const { id: accountId } = await accountOf(store, ACCOUNTS[n % 2] ?? ACCOUNTS[0]);
  const boxes = await store.read.run('mailstore.mailboxes', { accountId });
  const mailbox = boxes.find(({ name }) => name === MAILBOXES[n % 3]);
  assert.ok(mailbox);
  const intake = new Intake({ bodies: store.bodies, maxBytes: 64 * 1024 * 1024 });
  for (let at = 0; at < octets.length; at += 65_536) await intake.write(octets.subarray(at, at + 65_536));
  const { blob, content } = await intake.finish();
  await store.write.run('mailstore.append', {
    accountId,
    mailboxId: mailbox.id,
    blob,
    content,
    deposit: {
      accountId,
      mailbox: { id: mailbox.id },
      prefix: Buffer.from(`Return-Path: <sender${n}@remote.test>\r\n`),
      hidden: n % 5 === 0 && octets.length > 20 ? [[3, 10]] : [],
      set: { flags: n % 32, keywords: KEYWORDS[n % 3] ?? [] },
      receivedAt: Date.UTC(2025, 0, 1) + n * 60_000,
      trace: undefined,
      ignoreQuota: false,
    },
  });
}

/** "account mailbox uidvalidity uid" -> "flags keywords date hash of the octets as a reader sees them". */
export async function everything(directory: string): Promise<Map<string, string>> {
  const data = openDataDirectory(directory);
  const found = new Map<string, string>();
  try {
    for await (const { id, address, name, uidvalidity } of mailboxesOfAll(data)) {
      for await (const row of messagesOf(data, id)) {
        const hash = createHash('sha256');
        for await (const piece of data.seen(row)) hash.update(piece);
        found.set(
          `${address} ${name} ${uidvalidity} ${row.uid}`,
          `${row.flags} ${row.keywords ?? ''} ${row.received_at} ${hash.digest('hex')}`,
        );
      }
    }
  } finally {
    data.close();
  }
  return found;
}
