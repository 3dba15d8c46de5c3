import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import type { OpenStore } from '../open.ts';
import { acceptOf, contentOf, depositOf, DOMAIN, SYSTEM } from '../mailstore/contract-fixtures.ts';
import type { NewBlob } from '../mailstore/types.ts';
import { givenAway } from './given.ts';

const KiB = 1024;
/** Around where rows end and segments begin, around a read's piece, and the largest that is no file of its own. */
const SIZES = [0, 1, 4 * KiB, 32 * KiB - 1, 32 * KiB, 64 * KiB, 64 * KiB + 1, 100 * KiB, 256 * KiB];

/** What every store promises of the octets of messages; `segments`: whether it keeps those of middling size in them. */
export function blobsContract(open: () => Promise<OpenStore>, { segments }: { segments: boolean }): void {
  describe(`bodies${segments ? ', with segments' : ''}`, () => {
    let store: OpenStore;
    let accountId: number;
    before(async () => {
      store = await open();
      await store.write.run('directory.addDomain', { actor: SYSTEM, name: DOMAIN });
      const person = { actor: SYSTEM, address: `b@${DOMAIN}`, displayName: '', role: 'user' } as const;
      const account = { ...person, quota: 0, hash: 'none', scram: null };
      accountId = (await store.write.run('directory.addAccount', account)).id;
    });
    after(() => store.close());

    /** Store a body as the flow does; its memory is the store's from then on. */
    const deliver = async (data: Buffer, mailbox = 'INBOX'): Promise<{ emailId: number; blobId: number }> => {
      const blob: NewBlob = { size: data.length, encoding: 'raw', data, file: undefined };
      const accept = {
        ...acceptOf([depositOf(accountId, { mailbox: { name: mailbox } })], '', contentOf()),
        blob,
      };
      const { deposits } = await store.write.run('delivery.accept', accept, givenAway(blob));
      const [deposit] = deposits;
      assert.ok(deposit?.status === 'stored');
      const { emailId } = deposit;
      const content = await store.read.run('mailstore.content', { accountId, emailId });
      return { emailId, blobId: content?.blobId ?? 0 };
    };
    const placeOf = async (blobId: number): Promise<string> => {
      const row = await store.read.run('blobs.row', { id: blobId });
      return row?.file ?? '';
    };
    const inUse = async (): Promise<{ name: string; size: number; bytes: number }[]> => {
      const all = await store.bodies.segments();
      return Promise.all(
        all.map(async ({ name, size }) => {
          const use = await store.read.run('blobs.segmentUse', { segment: name });
          return { name, size, bytes: use.bytes };
        }),
      );
    };
    /** Remove mail of a mailbox for good. */
    const purgeMailbox = async (mailbox: string): Promise<void> => {
      await store.write.run('mailstore.deleteMailbox', { accountId, name: mailbox });
      const purged = await store.write.run('mailstore.purge', {
        before: systemClock.now() + 1000,
        limit: 1000,
      });
      for (const file of purged.files) await store.bodies.remove(file);
    };

    it('gives back bodies of all sizes octet for octet, whole and in ranges, those sent at once too', async () => {
      const bodies = SIZES.map(own);
      const copies = bodies.map((body) => Buffer.from(body));
      const stored = await Promise.all(bodies.map((body) => deliver(body)));
      for (const [i, { blobId }] of stored.entries()) {
        const body = copies[i] ?? Buffer.alloc(0);
        assert.ok((await store.blobs.bytes(blobId)).equals(body), `${body.length} octets`);
        const ranges = [
          [0, 10],
          [body.length - 5, body.length],
          [Math.floor(body.length / 3), Math.floor(body.length / 3) * 2],
          [5, body.length + 100],
        ] as const;
        for (const [start, end] of ranges) {
          const from = Math.max(0, start);
          assert.ok(
            (await store.blobs.bytes(blobId, from, end)).equals(body.subarray(from, end)),
            `${start}`,
          );
        }
        const pieces: number[] = [];
        for await (const piece of store.blobs.read(blobId)) pieces.push(piece.length);
        assert.ok(pieces.every((length) => length <= 64 * KiB));
        assert.equal((await placeOf(blobId)).includes('/'), segments && body.length >= 32 * KiB);
      }
    });

    it('refuses to store memory that was handed over before', async () => {
      const data = own(100 * KiB);
      await deliver(data);
      if (data.length > 0) return; // This store copied it.
      const blob: NewBlob = { size: 100 * KiB, encoding: 'raw', data, file: undefined };
      const accept = { ...acceptOf([depositOf(accountId)], '', contentOf()), blob };
      await assert.rejects(store.write.run('delivery.accept', accept));
    });

    if (!segments) return;

    it('keeps nothing of a write that is refused', async () => {
      const known = await inUse();
      const blob: NewBlob = { size: 40 * KiB, encoding: 'raw', data: own(40 * KiB), file: undefined };
      const request = {
        accountId,
        mailboxId: 999_999,
        blob,
        content: contentOf(),
        deposit: depositOf(accountId),
      };
      await assert.rejects(store.write.run('mailstore.append', request), /mailbox/i);
      assert.deepEqual(await inUse(), known);
    });

    it('gives back the room of deleted mail: moves what is left elsewhere, then lets the segment go', async () => {
      await store.write.run('mailstore.createMailbox', { accountId, name: 'Old' });
      const kept = own(50 * KiB);
      const copy = Buffer.from(kept);
      for (let i = 0; i < 3; i++) await deliver(own(200 * KiB), 'Old');
      const { blobId } = await deliver(kept);
      const place = await placeOf(blobId);
      const segment = place.split('/')[0] ?? '';
      await purgeMailbox('Old');
      assert.equal(await store.write.run('blobs.moveOut', { segment }), 'active', 'not while it grows');
      assert.equal(await store.write.run('blobs.mayRemoveSegment', { segment }), false);
      await endSegment(store, (data) => deliver(data, 'Filler'), accountId);
      assert.equal(await store.write.run('blobs.mayRemoveSegment', { segment }), false, 'it is named');
      let state = await store.write.run('blobs.moveOut', { segment });
      while (state === 'more') state = await store.write.run('blobs.moveOut', { segment });
      assert.equal(state, 'done');
      assert.notEqual(await placeOf(blobId), place);
      assert.ok((await store.blobs.bytes(blobId)).equals(copy), 'moved octet for octet');
      assert.equal(await store.write.run('blobs.mayRemoveSegment', { segment }), true);
      await store.bodies.removeSegment(segment);
      assert.ok((await store.blobs.bytes(blobId)).equals(copy));
      assert.ok(!(await inUse()).some(({ name }) => name === segment));
    });
  });
}

/** Random octets in memory of their own. */
function own(length: number): Buffer {
  const data = Buffer.allocUnsafeSlow(length);
  randomBytes(length).copy(data);
  return data;
}

/** Write until the active segment is ended, and one body more, which begins the next. */
async function endSegment(
  store: OpenStore,
  deliver: (data: Buffer) => Promise<unknown>,
  accountId: number,
): Promise<void> {
  await store.write.run('mailstore.createMailbox', { accountId, name: 'Filler' });
  for (let i = 0; i < 8; i++) {
    await Promise.all(Array.from({ length: 32 }, () => deliver(Buffer.allocUnsafeSlow(256 * KiB))));
  }
  await deliver(Buffer.allocUnsafeSlow(256 * KiB));
}
