import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { type ImapTestServer, imapTestServer } from '../../../test/support/imap-server.ts';

async function withServer(run: (server: ImapTestServer) => Promise<void>): Promise<void> {
  const server = await imapTestServer();
  try {
    await run(server);
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
}

/** How many commands another session has answered before `busy` gets the tagged response to `command`. */
async function answeredMeanwhile(server: ImapTestServer, busy: ImapClient, command: string): Promise<number> {
  const other = await server.ready();
  const state = { over: false };
  const done = busy.ok(command).finally(() => {
    state.over = true;
  });
  let count = 0;
  for (; !state.over; count++) await other.ok('NOOP');
  await done;
  other.close();
  return count;
}

test('a search through hostile text lets other sessions go on', () =>
  withServer(async (server) => {
    const c = await server.ready();
    const marks = Buffer.from('\u0301\u0323'.repeat(50_000)).toString('latin1');
    await c.append('INBOX', `Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${marks}needle`);
    await c.ok('SELECT INBOX');
    assert(
      (await answeredMeanwhile(server, c, 'SEARCH BODY "nowhere"')) >= 5,
      'others had to wait for the search',
    );
    assert.deepEqual(await c.ok('SEARCH BODY needle'), ['SEARCH 1']);
  }));

test('hundreds of sections of one message let other sessions go on', () =>
  withServer(async (server) => {
    const c = await server.ready();
    const fields = Array.from({ length: 1000 }, (_, i) => `X-${i}: ${'y'.repeat(80)}\r\n`).join('');
    await c.append('INBOX', `${fields}Subject: x\r\n\r\nbody`);
    await c.ok('SELECT INBOX');
    const sections = Array.from({ length: 300 }, (_, i) => `BODY.PEEK[HEADER.FIELDS (X-${i})]`).join(' ');
    assert(
      (await answeredMeanwhile(server, c, `FETCH 1 (${sections})`)) >= 5,
      'others had to wait for the sections',
    );
  }));

test('a response of many megabytes comes whole', () =>
  withServer(async (server) => {
    const c = await server.ready();
    const body = `${'0123456789'.repeat(6000)}\r\n`;
    await c.append('INBOX', `Subject: x\r\n\r\n${body}`);
    await c.ok('SELECT INBOX');
    const sections = Array.from({ length: 100 }, () => 'BODY.PEEK[TEXT]').join(' ');
    const item = `BODY[TEXT] {${body.length}}\r\n${body}`;
    const [response] = await c.ok(`FETCH 1 (${sections})`);
    assert.equal(response, `1 FETCH (${Array.from({ length: 100 }, () => item).join(' ')})`);
  }));

test('lines of a long text without spaces are found across the windows they are read in', () =>
  withServer(async (server) => {
    const c = await server.ready();
    // Three octets a character: no window of 16 KiB ends with one.
    const long = `${'語'.repeat(20_000)}終わり${'語'.repeat(5000)}`;
    const coded = Buffer.from(long).toString('base64').replace(/.{76}/g, '$&\r\n');
    await c.append(
      'INBOX',
      `Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n${coded}\r\n`,
    );
    await c.append('INBOX', `Subject: y\r\n\r\n${'z'.repeat(4090)}needle${'z'.repeat(20_000)}\r\n`);
    await c.ok('SELECT INBOX');
    const search = async (text: string): Promise<readonly string[]> =>
      c.ok('SEARCH CHARSET UTF-8 BODY ', Buffer.from(text));
    assert.deepEqual(await search('語終わり語'), ['SEARCH 1']);
    assert.deepEqual(await search('語'.repeat(15_000)), ['SEARCH 1']);
    assert.deepEqual(await search('語'.repeat(20_001)), ['SEARCH']);
    assert.deepEqual(await search('zneedlez'), ['SEARCH 2']);
  }));
