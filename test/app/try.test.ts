import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { lineClient } from '../support/smtp-client.ts';
import { storeViolations } from '../support/server.ts';
import { assertOneLine, freePortBase, KILL_MS, program, runProgram, scratch } from './program.ts';
import { skipUnlessLong } from '../support/programs.ts';

const login = Buffer.from('\0alice@example.test\0postern').toString('base64');

/** Submit a message from alice to someone; what the server said at the end. */
async function submit(base: number, to: string): Promise<string> {
  const client = await lineClient(base + 465, { tls: true });
  await client.talk(
    ['', '220'],
    ['EHLO here\r\n', '250'],
    [`AUTH PLAIN ${login}\r\n`, '235'],
    ['MAIL FROM:<alice@example.test>\r\n', '250'],
    [`RCPT TO:<${to}>\r\n`, '250'],
    ['DATA\r\n', '354'],
  );
  const reply = await client.command('From: alice@example.test\r\nSubject: hello\r\n\r\nhello\r\n.');
  client.close();
  return reply;
}

describe('npm start', () => {
  it('shows where to connect, takes and serves mail, holds what is for elsewhere, and keeps it all between runs', async () => {
    await using place = await scratch();
    const base = await freePortBase();
    const args = ['try', '--data', join(place.path, 'data'), '--port-base', String(base)];
    const first = program(args);
    await first.shows(/Ctrl-C stops it/);
    for (const port of [25, 24, 80, 143, 465, 587, 993]) {
      assert.match(
        first.stdout,
        new RegExp(`^ +${base + port} `, 'm'),
        `port ${base + port} is in the table`,
      );
    }
    assert.match(first.stdout, new RegExp(`swaks --server 127\\.0\\.0\\.1:${base + 587} `));
    assert.match(first.stdout, new RegExp(`curl .*imaps://127\\.0\\.0\\.1:${base + 993}/`));
    assert.match(await submit(base, 'bob@example.test'), /^250/);
    assert.match(await submit(base, 'someone@elsewhere.test'), /^250/);
    const certificate = await readFile(join(place.path, 'data', 'certificate.pem'), 'utf8');
    first.child.kill('SIGTERM');
    assert.equal(await first.ended, 0);
    assert.equal(first.stderr, '');
    assert.deepEqual(await storeViolations(join(place.path, 'data')), []);

    const second = program(args);
    await second.shows(/Ctrl-C stops it/);
    assert.equal(await readFile(join(place.path, 'data', 'certificate.pem'), 'utf8'), certificate);
    const reader = await lineClient(base + 993, { tls: true });
    await reader.line();
    reader.send('a LOGIN bob@example.test postern\r\nb STATUS INBOX (MESSAGES)\r\n');
    let line: string | undefined = '';
    while (line !== undefined && !line.startsWith('* STATUS')) line = await reader.line();
    assert.match(line ?? '', /MESSAGES 1/);
    reader.close();
    const metrics = await fetch(`http://127.0.0.1:${base + 80}/metrics`);
    assert.match(await metrics.text(), /postern_events_total/);
    const foreign = await fetch(`http://127.0.0.1:${base + 80}/metrics`, {
      headers: { origin: 'https://evil.test' },
    });
    assert.ok(foreign.status >= 400, 'a foreign origin is refused');

    // The terminal and npm both deliver Ctrl-C.
    second.child.kill('SIGINT');
    second.child.kill('SIGINT');
    assert.equal(await second.ended, 0);
    assert.match(second.stdout, /stopped/);
  });

  it('answers on loopback only', async () => {
    await using place = await scratch();
    const base = await freePortBase();
    const server = program(['try', '--data', place.path, '--port-base', String(base)]);
    await server.shows(/Ctrl-C stops it/);
    const tables = ['/proc/net/tcp', '/proc/net/tcp6'].filter((path) => existsSync(path));
    const lines = (await Promise.all(tables.map((path) => readFile(path, 'latin1')))).join('').split('\n');
    const listening = lines.map((line) => line.trim().split(/\s+/)).filter((fields) => fields[3] === '0A');
    const ours = listening.filter(([, local = '']) => {
      const port = Number.parseInt(local.split(':')[1] ?? '', 16);
      return port > base && port < base + 1000;
    });
    for (const [, local = ''] of ours) {
      assert.match(local, /^(?:0100007F|00000000000000000000000001000000):/, `${local} is loopback`);
    }
    assert.ok(ours.length >= 7 || tables.length === 0);
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0);
  });

  it('says in one line that a port is taken', async () => {
    await using place = await scratch();
    const base = await freePortBase();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(base + 143, '127.0.0.1', resolve));
    const result = await runProgram(['try', '--data', place.path, '--port-base', String(base)]);
    assertOneLine(result, new RegExp(`127\\.0\\.0\\.1:${base + 143} is taken`));
    taken.close();
  });

  it('says in one line that another try-out has the directory', async () => {
    await using place = await scratch();
    const base = await freePortBase();
    const first = program(['try', '--data', place.path, '--port-base', String(base)]);
    await first.shows(/Ctrl-C stops it/);
    const other = String(await freePortBase());
    const result = await runProgram(['try', '--data', place.path, '--port-base', other]);
    assertOneLine(
      result,
      new RegExp(`${place.path} is in use by another Postern \\(process ${first.child.pid}\\)`),
    );
    const fresh = await runProgram(['try', '--data', place.path, '--port-base', other, '--fresh']);
    assertOneLine(fresh, /is in use/);
    assert.match(await submit(base, 'bob@example.test'), /^250/, 'the first one goes on');
    first.child.kill('SIGKILL');
    await first.ended;
    const third = program(['try', '--data', place.path, '--port-base', other]);
    await third.shows(/Ctrl-C stops it/);
    third.child.kill('SIGTERM');
    assert.equal(await third.ended, 0, 'what a killed one held is free');
  });

  it('says in one line that the directory cannot be written', async () => {
    await using place = await scratch();
    const file = join(place.path, 'file');
    await writeFile(file, '');
    assertOneLine(await runProgram(['try', '--data', join(file, 'data')]), new RegExp(`${file}/data`));
    if (process.getuid?.() === 0) {
      const result = await runProgram(['try', '--data', join(place.path, 'mine')], {
        uid: 65534,
        gid: 65534,
      });
      assertOneLine(result, new RegExp(`cannot write in ${place.path}/mine: permission denied`));
    }
  });

  it('says in one line that a place is none for files, such as /proc', {
    skip: !existsSync('/proc/self') && 'needs /proc',
  }, async () => {
    const options = { killAfterMs: KILL_MS };
    assertOneLine(await runProgram(['try', '--data', '/proc/foo'], options), /cannot use \/proc\/foo: /);
    const deep = await runProgram(['try', '--data', '/proc/foo/bar', '--fresh'], options);
    assertOneLine(deep, /cannot use \/proc\/foo\/bar: /);
  });

  it('begins anew with --fresh, but deletes nothing that is not a try-out', {
    skip: skipUnlessLong(),
  }, async () => {
    await using place = await scratch();
    const base = String(await freePortBase());
    const home = join(place.path, 'home');
    await mkdir(home);
    await writeFile(join(home, 'letter'), 'dear');
    assertOneLine(await runProgram(['try', '--data', home, '--fresh']), /not the directory of a try-out/);
    assertOneLine(await runProgram(['try', '--data', home]), /holds other files/);
    assert.deepEqual(readdirSync(home), ['letter']);

    const data = join(place.path, 'data');
    const first = program(['try', '--data', data, '--port-base', base]);
    await first.shows(/Ctrl-C stops it/);
    await submit(Number(base), 'bob@example.test');
    first.child.kill('SIGTERM');
    await first.ended;
    const before = await readFile(join(data, 'certificate.pem'), 'utf8');
    const second = program(['try', '--data', data, '--port-base', base, '--fresh']);
    await second.shows(/Ctrl-C stops it/);
    assert.notEqual(await readFile(join(data, 'certificate.pem'), 'utf8'), before);
    second.child.kill('SIGTERM');
    assert.equal(await second.ended, 0);
  });

  it('explains itself and what it does not understand', async () => {
    const wrong: readonly (readonly [args: string[], says: RegExp])[] = [
      [['try', '--frehs'], /unknown option --frehs; did you mean --fresh\?/],
      [['try', '--port-base', 'x'], /--port-base must be a whole number/],
      [['try', '--relay', 'nowhere'], /--relay must be HOST:PORT/],
      [['try', 'now'], /unexpected argument "now"/],
      [['try', '--data'], /--data/],
      [['frobnicate'], /there is no command "frobnicate"/],
    ];
    const told = wrong.map(async ([args, says]) => assertOneLine(await runProgram(args), says));
    const asked = ['try --help', '', '--version'].map((text) => runProgram(text.split(' ').filter(Boolean)));
    const [help, nothing, version] = await Promise.all(asked);
    assert.match(help?.stdout ?? '', /--fresh/);
    assert.match(nothing?.stdout ?? '', /postern COMMAND --help/);
    assert.match(version?.stdout ?? '', /^postern \d+\.\d+\.\d+/);
    assert.equal(help?.status, 0);
    await Promise.all(told);
  });
});
