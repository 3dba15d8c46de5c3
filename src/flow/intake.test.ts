import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Refusal } from '../base/errors.ts';
import { FileBlobStore } from '../data/blobs/file.ts';
import { BodySplit } from './body-split.ts';
import { createBodyHasher } from '../mail/dkim/body-hash.ts';
import { appendIntake, Intake } from './intake.ts';

describe('BodySplit', () => {
  const cases: [string, number][] = [
    ['A: b\r\n\r\nbody\r\n', 8],
    ['\r\nbody', 2],
    ['\r\n', 2],
    ['A: b\r\nB: c\r\n', 12],
    ['A: b\r\n\r\n\r\n\r\n', 8],
    ['A: b\n\nbody\r\n\r\nmore', 14],
    ['', 0],
    ['\r\r\n\r\nx', 5],
  ];
  for (const [message, bodyStart] of cases) {
    it(`${JSON.stringify(message)} wherever it is cut`, () => {
      const whole = Buffer.from(message);
      for (let size = 1; size <= Math.max(1, whole.length); size++) {
        const headers: Buffer[] = [];
        const body: Buffer[] = [];
        const split = new BodySplit({
          header: (all) => headers.push(all),
          body: (piece) => body.push(piece),
        });
        for (let at = 0; at < whole.length; at += size) split.push(whole.subarray(at, at + size));
        split.end();
        assert.equal(split.bodyStart, bodyStart);
        assert.deepEqual(headers.map(String), [message.slice(0, bodyStart)], 'given once');
        assert.equal(Buffer.concat(body).toString(), message.slice(bodyStart));
      }
    });
  }
});

describe('appendIntake', () => {
  let root: string;
  let bodies: FileBlobStore;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'postern-intake-'));
    bodies = await FileBlobStore.open(root);
  });
  after(() => rm(root, { recursive: true }));

  const files = async (): Promise<string[]> =>
    (await readdir(root, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(({ name }) => name);
  const open = (maxBytes = 2_000_000): Intake => appendIntake({ bodies }, maxBytes);

  it('keeps a small message in memory', async () => {
    const intake = open();
    await intake.write(Buffer.from('Subject: a\r\n'));
    await intake.write(Buffer.from('Message-ID: <x@y>\r\n\r\nbody'));
    const { blob, content, size } = await intake.finish();
    assert.equal(size, 37);
    assert.equal(Buffer.from(blob.data ?? []).toString(), 'Subject: a\r\nMessage-ID: <x@y>\r\n\r\nbody');
    assert.equal(content.messageId, 'x@y');
    assert.deepEqual(await files(), []);
  });

  it('writes a large one to a file that is there when it resolves', async () => {
    const intake = open();
    const whole = Buffer.concat([Buffer.from('A: b\r\n\r\n'), Buffer.alloc(700_000, '0123456789\r\n')]);
    for (let at = 0; at < whole.length; at += 50_001) await intake.write(whole.subarray(at, at + 50_001));
    const { blob } = await intake.finish();
    const hash = createHash('sha256');
    for await (const piece of bodies.read(blob.file ?? '', 0, blob.size)) hash.update(piece);
    assert.equal(hash.digest('hex'), createHash('sha256').update(whole).digest('hex'));
    await bodies.remove(blob.file ?? '');
  });

  it('keeps nothing of a chunk once the promise it gave has resolved', async () => {
    const whole = Buffer.concat([Buffer.from('A: b\r\n\r\n'), Buffer.alloc(700_000, '0123456789 \r\n\r\n')]);
    const header: Buffer[] = [];
    const body = createBodyHasher('relaxed');
    const split = new BodySplit({ header: (all) => header.push(all), body: (chunk) => body.update(chunk) });
    const intake = new Intake({ bodies, maxBytes: 2_000_000, tap: (chunk) => split.push(chunk) });
    for (let at = 0; at < whole.length; at += 50_001) {
      const chunk = Buffer.from(whole.subarray(at, at + 50_001));
      const taken = intake.write(chunk);
      if (taken === undefined) continue;
      await taken;
      chunk.fill('?');
    }
    const { blob } = await intake.finish();
    const kept: Buffer[] = [];
    for await (const piece of bodies.read(blob.file ?? '', 0, blob.size)) kept.push(piece);
    assert.ok(Buffer.concat(kept).equals(whole));
    assert.equal(header.join(), 'A: b\r\n\r\n');
    const expected = createBodyHasher('relaxed');
    expected.update(whole.subarray(8));
    assert.deepEqual(body.digest(), expected.digest());
    await bodies.remove(blob.file ?? '');
  });

  it('leaves nothing of one that is too large, given up, or has an endless header', async () => {
    const large = open(600_000);
    await large.write(Buffer.alloc(500_000, 'x'));
    assert.throws(
      () => large.write(Buffer.alloc(200_000)),
      (error) => error instanceof Refusal && error.imapCode === 'TOOBIG',
    );
    large.abort();
    const given = open();
    const pending = given.write(Buffer.alloc(500_000, 'x'));
    given.abort();
    await pending;
    const endless = open();
    await endless.write(Buffer.alloc(500_000, 'A: b\r\n'));
    await assert.rejects(endless.finish(), (error) => error instanceof Refusal && error.kind === 'too-large');
    // Closing goes on after abort has returned.
    for (let i = 0; i < 50 && (await files()).length > 0; i++)
      await new Promise((resolve) => setTimeout(resolve, 10));
    assert.deepEqual(await files(), []);
  });
});
