/** Scripts that people and administrators write, from the command line to the mailbox and the trace. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ALICE, BAD_IP, BOB, type Judged, letter, LISTED, startJudged } from '../support/judged.ts';

let mx: Judged;
let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'postern-'));
  mx = await startJudged();
});
after(async () => {
  await mx.close();
  await rm(directory, { recursive: true, force: true });
});

const SPAMMER = { ip: BAD_IP, helo: 'stranger.test', from: 'x@stranger.test' };

async function file(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ');

describe('scripts', () => {
  it('are put, run, seen in the trace with their line, and switched off', async () => {
    const path = await file(
      'main.sieve',
      'require ["fileinto", "mailbox"];\n\n# lists\nif header :contains "subject" "dev" {\n  fileinto :create "Lists/dev";\n}\n',
    );
    assert.match(await mx.said('sieve', 'put', ALICE, path), /main of alice@example.test is stored and runs/);
    assert.match(await mx.send({ message: letter({ subject: 'dev news' }) }), /^250 /);
    assert.equal((await mx.mailbox('Lists/dev')).length, 1);
    const trace = oneLine(await mx.trace('ann@good.test'));
    assert.match(trace, /It is in the mailbox Lists\/dev of alice@example\.test/);
    assert.match(trace, /filed into Lists\/dev by line 5 of script main/);
    assert.match(await mx.said('sieve', 'list', ALICE), /^main +yes /m);
    assert.match(await mx.said('sieve', 'show', ALICE), /fileinto :create/);
    const refused = await mx.cli('sieve', 'delete', ALICE, 'main');
    assert.equal(refused.status, 1);
    assert.match(refused.err, /is active: switch it off first/);
    await mx.said('sieve', 'deactivate', ALICE);
    await mx.send({ message: letter({ subject: 'dev news' }) });
    assert.equal((await mx.mailbox('Lists/dev')).length, 1);
    await mx.said('sieve', 'delete', ALICE, 'main');
    assert.match(await mx.said('sieve', 'list', ALICE), /has no scripts/);
  });

  it('change headers as IMAP shows them', async () => {
    const path = await file('edit.sieve', 'require "editheader";\naddheader "X-Mark" "yes";\n');
    await mx.said('sieve', 'put', ALICE, path, '--name', 'edit', '--activate');
    const message = letter({ subject: 'marked' });
    await mx.send({ message });
    const stored = (await mx.inbox()).find((text) => text.includes('Subject: marked')) ?? '';
    assert.match(stored, /^X-Mark: yes\r\nReturn-Path: /);
    assert.ok(stored.endsWith(message.slice(message.indexOf('\r\n\r\n'))));
    await mx.said('sieve', 'deactivate', ALICE);
    await mx.said('sieve', 'delete', ALICE, 'edit');
  });

  it('with errors are refused, with their places', async () => {
    const { status, err } = await mx.cli(
      'sieve',
      'put',
      ALICE,
      await file('bad.sieve', 'keep;\nfileinto "x";\n'),
    );
    assert.equal(status, 1);
    assert.match(err, /line 2, column 1: /);
  });

  it('of the site and of a domain run for everybody', async () => {
    const path = await file('site.sieve', 'require "imap4flags";\naddflag "$site";\nkeep;\n');
    assert.match(await mx.said('sieve', 'put', '--site-before', path), /the site \(site-before\) is stored/);
    const after_ = await file('after.sieve', 'require "fileinto";\nfileinto "Archive";\n');
    await mx.said('sieve', 'put', '--domain-after', 'example.test', after_);
    await mx.send({ to: [BOB] });
    assert.equal((await mx.mailbox('Archive', BOB)).length, 1);
    await mx.said('sieve', 'delete', '--site-before');
    await mx.said('sieve', 'delete', '--domain-after', 'example.test');
    await mx.send({ to: [BOB] });
    assert.equal((await mx.mailbox('Archive', BOB)).length, 1);
    assert.equal((await mx.cli('sieve', 'put', '--global', path)).status, 2, 'a global one needs a name');
  });

  it('see what the filter thinks; keep means Junk then, a fileinto wins, nobody is answered', async () => {
    await mx.want({ lists: [LISTED], refuse: 'never' });
    const junk = (await mx.junk()).length;
    await mx.said(
      'sieve',
      'put',
      ALICE,
      await file('keep.sieve', 'require "vacation";\nvacation "away";\nkeep;\n'),
    );
    await mx.send({ ...SPAMMER, message: letter({ from: 'x@stranger.test' }) });
    assert.equal((await mx.junk()).length, junk + 1);
    assert.match(oneLine(await mx.trace('x@stranger.test')), /the filter takes the message for unwanted/);
    const text =
      'require ["fileinto", "spamtest", "relational", "comparator-i;ascii-numeric"];\n' +
      'if allof (header :is "X-Spam-Flag" "YES", spamtest :value "ge" :comparator "i;ascii-numeric" "9") {\n' +
      '  fileinto "Trash";\n}\n';
    await mx.said('sieve', 'put', ALICE, await file('spam.sieve', text), '--activate', '--name', 'spam');
    await mx.send({ ...SPAMMER, message: letter({ from: 'x@stranger.test' }) });
    assert.equal((await mx.mailbox('Trash')).length, 1);
    await mx.said('sieve', 'deactivate', ALICE);
    await mx.want({});
  });
});

describe('settings', () => {
  it('vacation is set, shown as the script it becomes, and switched off', async () => {
    await mx.said(
      'vacation',
      'set',
      BOB,
      '--text',
      'I am away.',
      '--subject',
      'Away',
      '--until',
      '2099-01-06',
    );
    assert.match(await mx.said('vacation', 'show', BOB), /^Answers +yes, up to 2099-01-06$/m);
    assert.match(
      await mx.said('sieve', 'show', BOB, '--generated'),
      /vacation :days 7 :subject "Away" "I am away\."/,
    );
    await mx.send({ to: [BOB], message: letter({ to: BOB }) });
    const queued = await mx.said('queue', 'list');
    assert.match(queued, /ann@good\.test/);
    const trace = oneLine(await mx.trace(BOB));
    assert.match(trace, /answers ann@good\.test that bob@example\.test is away/);
    assert.match(trace, /In short: 1 delivered\./, 'the answer is not what became of the message');
    await mx.said('vacation', 'off', BOB);
    assert.match(await mx.said('vacation', 'show', BOB), /no: switched off/);
    await mx.send({ to: [BOB], message: letter({ to: BOB, from: 'eve@good.test' }), from: 'eve@good.test' });
    assert.doesNotMatch(await mx.said('queue', 'list'), /eve@good\.test/);
    assert.equal((await mx.cli('vacation', 'set', BOB, '--text', 'x', '--until', 'tomorrow')).status, 2);
  });

  it('forwards and rules too, from a file', async () => {
    await mx.said('forward', 'set', BOB, 'bob@far.test');
    assert.match(await mx.said('forward', 'show', BOB), /sent on to bob@far\.test; a copy stays here/);
    const rules = {
      rules: [
        { name: 'news', conditions: [{ field: 'subject', value: 'news' }], actions: [{ file: 'News' }] },
      ],
    };
    assert.match(
      await mx.said('sieve', 'settings', BOB, '--from', await file('rules.json', JSON.stringify(rules))),
      /# Rule: news/,
    );
    assert.match(await mx.said('forward', 'show', BOB), /is not sent on/, 'the file says all');
    await mx.send({ to: [BOB], message: letter({ subject: 'news' }) });
    assert.equal((await mx.mailbox('News', BOB)).length, 1);
    const bad = await mx.cli('sieve', 'settings', BOB, '--from', await file('bad.json', '{"rules":[{}]}'));
    assert.equal(bad.status, 1);
    assert.match(bad.err, /rules\.0\./);
    const nobody = await mx.cli('forward', 'set', BOB, 'no address');
    assert.equal(nobody.status, 1);
    assert.match(nobody.err, /make no script/);
  });
});

describe('scripts of Dovecot', () => {
  it('come with the Maildir; the one the link names runs', async () => {
    const home = join(directory, 'home');
    for (const part of ['cur', 'new', 'tmp']) await mkdir(join(home, 'Maildir', part), { recursive: true });
    await mkdir(join(home, 'sieve'));
    await writeFile(join(home, 'sieve', 'roundcube.sieve'), 'require "fileinto"; fileinto "Trash";');
    await writeFile(join(home, 'sieve', 'odd.sieve'), 'require "vnd.dovecot.pipe";');
    await symlink('sieve/roundcube.sieve', join(home, '.dovecot.sieve'));
    const args = ['import', 'maildir', join(home, 'Maildir'), '--account', BOB];
    assert.match((await mx.cli(...args, '--dry-run')).out, /Sieve script roundcube: would be added, runs/);
    const { status, out } = await mx.cli(...args);
    assert.equal(status, 1, 'one of them is not taken');
    assert.match(out, /Sieve script roundcube: added, runs/);
    assert.match(out, /Sieve script odd: refused: .*vnd\.dovecot\.pipe/);
    assert.match((await mx.cli(...args)).out, /Sieve script roundcube: there/);
    assert.match(await mx.said('sieve', 'list', BOB), /^roundcube +yes/m);
  });
});

describe('scripts in a backup', () => {
  it('come back with the account', async () => {
    const place = join(directory, 'copies');
    await mkdir(place);
    await mx.said('backup', 'set', 'target', place);
    const key = join(directory, 'key');
    await writeFile(key, Buffer.alloc(32, 7), { mode: 0o600 });
    await mx.said('backup', 'set', 'key_file', key);
    await mx.said('backup', 'create');
    await mx.said('sieve', 'deactivate', BOB);
    await mx.said('sieve', 'delete', BOB, 'roundcube');
    assert.match(await mx.said('sieve', 'list', BOB), /has no scripts/);
    assert.match(await mx.said('backup', 'restore', '--account', BOB), /1 filter script\(s\) are back/);
    assert.match(await mx.said('sieve', 'list', BOB), /^roundcube +yes/m);
  });
});
