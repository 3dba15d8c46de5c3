/**
 * `node scripts/upgrade-fixture.ts`: write test/fixtures/upgrade/vN.db.zst, a small database as this version of the
 * program leaves it. Run it before a change of the schema, so that the next version has something to be upgraded from.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { systemClock } from '../src/base/clock.ts';
import { openInlineStore } from '../src/data/inline.ts';
import { schemaVersion } from '../src/data/db/migrations/index.ts';
import { inlineBlob, parsedContent } from '../src/flow/intake.ts';
import { scanMessage } from '../src/mail/message/scanner.ts';

const actor = { name: 'fixture', role: 'system', domainId: undefined } as const;
const directory = await mkdtemp(join(tmpdir(), 'postern-fixture-'));
const clock = { ...systemClock, now: () => Date.UTC(2026, 0, 1) };
const store = await openInlineStore({ path: directory, clock });
await store.write.run('directory.addDomain', { actor, name: 'example.org' });
await store.write.run('directory.addDomain', { actor, name: 'example.net', aliasOf: 'example.org' });
const secrets = { hash: '{PLAIN}fixture password', scram: null };
const ids: number[] = [];
for (const name of ['alice', 'bob']) {
  const account = {
    actor,
    address: `${name}@example.org`,
    displayName: name,
    role: 'admin',
    quota: 0,
    ...secrets,
  } as const;
  ids.push((await store.write.run('directory.addAccount', account)).id);
}
await store.write.run('directory.addAlias', {
  actor,
  address: 'both@example.org',
  targets: ['alice@example.org', 'x@example.com'],
});

for (let i = 0; i < 12; i++) {
  const message = Buffer.from(
    `From: somebody@example.com\r\nTo: both@example.org\r\nSubject: message ${i}\r\nMessage-ID: <m${i}@example.com>\r\n` +
      `References: <m${Math.max(0, i - 1)}@example.com>\r\n\r\n${'A line of text.\r\n'.repeat(i * 20)}`,
  );
  const structure = scanMessage(message);
  const trace = `trace${String(i).padStart(4, '0')}`;
  await store.write.run('delivery.accept', {
    blob: inlineBlob(message),
    content: parsedContent(structure, message.subarray(0, structure.root.bodyStart)),
    deposits: ids.map((accountId) => ({
      accountId,
      mailbox: { name: 'INBOX' },
      prefix: Buffer.from('Return-Path: <somebody@example.com>\r\n'),
      hidden: [],
      set: { flags: i % 4, keywords: i % 3 === 0 ? ['$Label1'] : [] },
      receivedAt: clock.now() + i,
      trace,
      ignoreQuota: false,
    })),
    overQuota: 'report',
    queue: [
      {
        queueId: `queue${i}`,
        trace,
        origin: 'forward',
        accountId: undefined,
        reversePath: 'somebody@example.com',
        mayBounce: false,
        prefix: Buffer.alloc(0),
        hidden: [],
        ret: undefined,
        envid: undefined,
        body: '7BIT',
        smtputf8: false,
        requireTls: false,
        originated: false,
        messageId: `m${i}@example.com`,
        size: message.length,
        warnAt: undefined,
        expiresAt: undefined,
        holdReason: i % 2 === 0 ? 'fixture' : undefined,
        recipients: [{ address: 'x@example.com', destination: 'example.com', orcpt: undefined, notify: '' }],
      },
    ],
    events: [
      {
        trace,
        at: clock.now(),
        kind: 'message.accepted',
        data: { from: 'somebody@example.com' },
        terms: [`m:m${i}@example.com`],
      },
    ],
  });
}
const inbox = await store.read.run('mailstore.mailbox', { accountId: ids[0] ?? 0, name: 'INBOX' });
const archive = await store.read.run('mailstore.mailbox', { accountId: ids[0] ?? 0, name: 'Archive' });
const place = { accountId: ids[0] ?? 0, mailboxId: inbox?.id ?? 0 };
await store.write.run('mailstore.copy', {
  ...place,
  ranges: [{ from: 1, to: 3 }],
  targetId: archive?.id ?? 0,
});
await store.write.run('mailstore.expunge', { ...place, ranges: [{ from: 4, to: 5 }], anyFlag: true });
await store.write.run('account.putKey', {
  accountId: ids[0] ?? 0,
  kind: 'pgp',
  address: 'somebody@example.com',
  fingerprint: 'ab'.repeat(20),
  data: Buffer.from('a key'),
  source: 'given',
  trusted: true,
});
await store.close();

const file = `test/fixtures/upgrade/v${schemaVersion}.db.zst`;
const packed = zstdCompressSync(await readFile(join(directory, 'mail.db')));
await writeFile(file, packed);
await rm(directory, { recursive: true });
console.log(`wrote ${file}, ${packed.length} octets`);
