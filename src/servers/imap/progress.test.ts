import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Clock, systemClock } from '../../base/clock.ts';
import type { ReadName, Reader, WriteName, Writer } from '../../data/store.ts';
import { imapTestServer } from '../../../test/support/imap-server.ts';
import { SESSION_LIMITS } from './limits.ts';

/** Ten seconds of a long command pass in ten milliseconds; everything else takes its time. */
const hasty: Clock = {
  now: () => systemClock.now(),
  monotonic: () => systemClock.monotonic(),
  setTimer: (ms, fn) => systemClock.setTimer(ms === SESSION_LIMITS.progressMs ? 10 : ms, fn),
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
};

test('SEARCH, SORT and COPY that take long say so, with the tag of the command, and never inside an answer', async () => {
  const server = await imapTestServer({ clock: hasty });
  try {
    const c = await server.ready();
    for (let i = 0; i < 3; i++) await c.append('INBOX', `Subject: m${i}\r\n\r\nx\r\n`);
    await c.ok('SELECT INBOX');
    const slow = new Set<string>(['mailstore.uidsByFlags', 'mailstore.sort', 'mailstore.copy']);
    const { read, write } = server.store as { read: Reader; write: Writer };
    const [plainRead, plainWrite] = [read.run.bind(read), write.run.bind(write)];
    read.run = async (name: ReadName, args: never) => {
      if (slow.has(name)) await wait(60);
      return plainRead(name, args) as never;
    };
    write.run = async (name: WriteName, args: never) => {
      if (slow.has(name)) await wait(60);
      return plainWrite(name, args) as never;
    };
    for (const [command, answer] of [
      ['SEARCH UNSEEN', 'SEARCH 1 2 3'],
      ['SORT (SUBJECT) UTF-8 ALL', 'SORT 1 2 3'],
      ['UID SEARCH RETURN (ALL) UNSEEN', /^ESEARCH \(TAG "A\d+"\) UID ALL 1:3$/],
      ['UID COPY 1:3 Trash', undefined],
    ] as const) {
      const told = [...(await c.ok(command))];
      const last = answer === undefined ? undefined : told.pop();
      if (typeof answer === 'string') assert.equal(last, answer);
      else if (answer !== undefined) assert.match(last ?? '', answer);
      assert(told.length > 0, command);
      for (const line of told) assert.match(line, /^OK \[INPROGRESS \("A\d+" NIL NIL\)\] Still at it$/);
    }
    // What is quick says nothing.
    assert.deepEqual(await c.ok('SEARCH ALL'), ['SEARCH 1 2 3']);
    await wait(30);
    assert.equal(c.waiting(), '');
  } finally {
    await server.close();
  }
});
