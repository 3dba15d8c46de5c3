/** A backup read by somebody who has the guide and no Postern: docs/guides/backup.md, "The format". */
import assert from 'node:assert/strict';
import { createDecipheriv, createHmac, hkdfSync, scryptSync } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import type { Secret } from '../../src/data/backup/keys.ts';
import { startJob } from '../../src/flow/backup/run-job.ts';
import { deposit, mailStore, placeOf } from '../support/backup.ts';
import { generatedMessages } from '../support/corpus.ts';

function unseal(key: Buffer, name: string, sealed: Buffer): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12));
  decipher.setAAD(Buffer.from(name)).setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]);
}

async function reader(root: string, secret: Secret) {
  const facts = JSON.parse(await readFile(join(root, 'repository.json'), 'utf8')) as {
    format: string;
    version: number;
    id: string;
    key: { derivation: { kdf: string; n: number; r: number; p: number; salt: string }; sealed: string };
  };
  assert.deepEqual([facts.format, facts.version], ['postern-backup', 1]);
  const { kdf, n, r, p, salt } = facts.key.derivation;
  const salted = Buffer.from(salt, 'base64');
  assert.equal(kdf, 'key' in secret ? 'hkdf-sha256' : 'scrypt');
  const wrapping =
    'key' in secret
      ? Buffer.from(hkdfSync('sha256', secret.key, salted, 'postern backup key file', 32))
      : scryptSync(secret.passphrase, salted, 32, { N: n, r, p, maxmem: 2 ** 28 });
  const master = unseal(wrapping, `postern-backup-key:${facts.id}`, Buffer.from(facts.key.sealed, 'base64'));
  const derive = (info: string): Buffer => Buffer.from(hkdfSync('sha256', master, '', info, 32));
  const [sealing, naming] = [derive('postern backup seal'), derive('postern backup name')];
  return {
    object: async (name: string): Promise<Buffer> => unseal(sealing, name, await readFile(join(root, name))),
    async chunk(name: string): Promise<Buffer> {
      const plain = await this.object(`chunks/${name.slice(0, 2)}/${name}`);
      const content = plain[0] === 1 ? zstdDecompressSync(plain.subarray(1)) : plain.subarray(1);
      assert.equal(createHmac('sha256', naming).update(content).digest('hex').slice(0, 40), name);
      return content;
    },
  };
}

for (const secret of [{ passphrase: 'Ångström' }, { key: Buffer.alloc(32, 7) }] satisfies Secret[]) {
  test(`the guide is enough to read a backup made with a ${'key' in secret ? 'key file' : 'passphrase'}`, async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'postern-format-'));
    t.after(() => rm(root, { recursive: true, force: true }));
    const [data, target] = [join(root, 'data'), join(root, 'backup')];
    const store = await mailStore(data);
    for (const [n, { octets }] of generatedMessages(5).entries()) await deposit(store, octets, n);
    await deposit(
      store,
      Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), Buffer.alloc(3_000_000, 'x')]),
      5,
    );
    const other = join(root, 'postern.toml');
    await writeFile(other, 'hostname = "mx.example.test"\n');
    await startJob({
      kind: 'create',
      now: Date.now(),
      place: placeOf(target),
      secret,
      data,
      system: [other],
      program: 'test',
      make: true,
      bytesPerSecond: 0,
      keep: undefined,
    }).done;
    await store.close();

    const backup = await reader(target, secret);
    const [id = ''] = await readdir(join(target, 'snapshots'));
    const snapshot = JSON.parse((await backup.object(`snapshots/${id}`)).toString()) as { index: string[] };
    const index = Buffer.concat(await Promise.all(snapshot.index.map((name) => backup.chunk(name))));
    const files = new Map<string, Buffer>();
    for (const line of index.toString().trimEnd().split('\n')) {
      const {
        root: where,
        path,
        size,
        chunks,
      } = JSON.parse(line) as {
        root: string;
        path: string;
        size: number;
        chunks: string[];
      };
      const octets = Buffer.concat(await Promise.all(chunks.map((name) => backup.chunk(name))));
      assert.equal(octets.length, size);
      files.set(`${where} ${path}`, octets);
    }
    assert.equal(files.get(`system ${other.slice(1)}`)?.toString(), 'hostname = "mx.example.test"\n');
    assert.equal([...files.keys()].filter((name) => name.startsWith('data bodies/')).length, 1);
    await writeFile(join(root, 'read.db'), files.get('data mail.db') ?? '');
    const db = new DatabaseSync(join(root, 'read.db'));
    assert.equal(db.prepare('SELECT COUNT(*) AS count FROM placements').get()?.count, 6);
    db.close();
  });
}
