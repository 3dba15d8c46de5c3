import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../base/clock.ts';
import { createLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { matchesOwn } from '../../data/directory/passwords.ts';
import { type InlineStore, openInlineStore } from '../../data/inline.ts';
import { terms } from '../../data/journal/types.ts';
import type { ServerFacts } from '../../servers/http/facts.ts';
import { type AdminServer, createAdminServer } from '../../servers/http/servers.ts';
import type { CliIo } from './command.ts';
import { parseLine } from './parse.ts';
import { runCli } from './run.ts';
import { commandTable } from './table.ts';

let data: string;
let store: InlineStore;
let server: AdminServer;

before(async () => {
  data = await mkdtemp(join(tmpdir(), 'pst-'));
  store = await openInlineStore({ path: ':memory:', clock: systemClock });
  const facts: ServerFacts = {
    version: '1.2.3',
    mode: 'serve',
    hostname: 'mail.example.org',
    startedAt: systemClock.now() - 7_200_000,
    dataDirectory: data,
    publicAddresses: () => ['192.0.2.1'],
    adminAddress: () => undefined,
    listeners: () => [
      { name: 'smtp', address: '0.0.0.0', port: 25, security: 'starttls', open: true },
      { name: 'smtp', address: '::', port: 25, security: 'starttls', open: true },
      { name: 'imaps', address: '::', port: 993, security: 'tls', open: false },
    ],
    certificates: () => [
      {
        names: ['mail.example.org'],
        notBefore: 0,
        notAfter: systemClock.now() + 3 * 86_400_000,
        certFile: undefined,
      },
    ],
    stopping: () => false,
    lastJournalError: () => ({ at: 0, message: 'disk \u001b[31mfull' }),
  };
  const deps = {
    store,
    clock: systemClock,
    logger: createLogger({ level: 'error', pretty: true, write: (l) => process.stderr.write(l) }),
    metrics: new Metrics(),
    facts,
  };
  server = await createAdminServer(deps);
  assert.equal((await cli('domain', 'add', 'example.org')).status, 0);
});

after(async () => {
  await server.drain(100);
  await store.close();
  await rm(data, { recursive: true, force: true });
});

interface Answer {
  status: number;
  out: string;
  err: string;
}

interface Surroundings {
  input?: string;
  tty?: boolean;
  cwd?: string;
  env?: Record<string, string>;
  data?: string | undefined;
}

async function cliWith(surroundings: Surroundings, ...words: string[]): Promise<Answer> {
  const answer = { out: '', err: '' };
  const stdin: CliIo['stdin'] = Object.assign(new PassThrough(), { isTTY: surroundings.tty ?? false });
  const io: CliIo = {
    out: (text) => (answer.out += text),
    err: (text) => (answer.err += text),
    stdin,
    env: surroundings.env ?? {},
    cwd: surroundings.cwd ?? '/nonexistent',
    clock: systemClock,
    systemDataDirectory: '/nonexistent/system',
    timeZone: 'UTC',
    width: 80,
  };
  const { input } = surroundings;
  // Piece by piece, as a person types and a pipe ends.
  if (input !== undefined) for (const piece of input.split(/(?<=\n)/)) (stdin as PassThrough).write(piece);
  if (surroundings.tty !== true) (stdin as PassThrough).end();
  const where =
    'data' in surroundings
      ? surroundings.data === undefined
        ? []
        : ['--data', surroundings.data]
      : ['--data', data];
  const status = await runCli([...words, ...where], io);
  return { status, ...answer };
}

const cli = (...words: string[]): Promise<Answer> => cliWith({}, ...words);

function assertTable(text: string): void {
  for (const line of text.split('\n')) assert.ok([...line].length <= 80, `over 80 columns: ${line}`);
}

describe('postern', () => {
  it('gives a domain its keys and records', async () => {
    const { out, status } = await cli('domain', 'add', 'example.net');
    assert.equal(status, 0);
    assert.match(out, /example\.net is set up, with DKIM keys/);
    assert.match(out, /10 mail\.example\.org/);
    assert.match(out, /v=DKIM1; k=ed25519; p=/);
    assert.match((await cli('domain', 'list')).out, /^example\.net +0 +0/m);
    assert.match(
      (await cli('domain', 'alias', 'example.com', 'example.net')).out,
      /another name of example\.net/,
    );
    assert.match((await cli('domain', 'show', 'example.net')).out, /Other names +example\.com/);
    assert.match(
      (await cli('domain', 'records', 'example.net', '--zone')).out,
      /^example\.net\. 3600 IN MX 10 mail\.example\.org\.$/m,
    );
    assert.match(
      (await cli('dkim', 'add', 'example.net', '--algorithm', 'ed25519', '--selector', 'mine')).out,
      /mine\._domainkey\.example\.net/,
    );
    assert.match(
      (await cli('dkim', 'list', 'example.net')).out,
      /^mine\._domainkey\.example\.net +ed25519-sha256 +active$/m,
    );
    const gone = await cli('domain', 'remove', 'example.com', '--yes');
    assert.match(gone.out, /is removed/, gone.err);
  });

  it('makes a password when there is nobody to ask, and shows it once', async () => {
    const { out, status } = await cli('account', 'add', 'gen@example.org', '--name', 'Gen', '--quota', '5G');
    assert.equal(status, 0);
    const password = /^Password: (\S{23})$/m.exec(out)?.[1] ?? '';
    const credential = await store.read.run('directory.credential', { login: 'gen@example.org' });
    assert.ok(await matchesOwn(password, credential?.hash ?? ''));
    const shown = (await cli('account', 'show', 'gen@example.org')).out;
    assert.match(shown, /Quota +5\.0 GiB/);
    assert.doesNotMatch(shown, new RegExp(password));
  });

  it('takes a password from standard input or asks twice without showing it', async () => {
    const piped = await cliWith(
      { input: 'from the pipe\nignored\n' },
      'account',
      'add',
      'pipe@example.org',
      '--password-stdin',
    );
    assert.equal(piped.status, 0, piped.err);
    assert.doesNotMatch(piped.out + piped.err, /from the pipe/);
    const stored = await store.read.run('directory.credential', { login: 'pipe@example.org' });
    assert.ok(await matchesOwn('from the pipe', stored?.hash ?? ''));

    const typed = await cliWith(
      { tty: true, input: 'typed at home\r\ntyped at home\r\n' },
      'account',
      'passwd',
      'pipe@example.org',
    );
    assert.equal(typed.status, 0, typed.err);
    assert.doesNotMatch(typed.out + typed.err, /typed at home/);
    const changed = await store.read.run('directory.credential', { login: 'pipe@example.org' });
    assert.ok(await matchesOwn('typed at home', changed?.hash ?? ''));

    const differs = await cliWith(
      { tty: true, input: 'one of them\nanother one\n' },
      'account',
      'passwd',
      'pipe@example.org',
    );
    assert.deepEqual([differs.status, /differ/.test(differs.err)], [2, true]);
    const given = await cliWith({ tty: true, input: 'half\u0003' }, 'account', 'passwd', 'pipe@example.org');
    assert.deepEqual([given.status, /given up/.test(given.err)], [2, true]);
  });

  it('never takes a password from the command line', async () => {
    const { status, err } = await cli('account', 'add', 'argv@example.org', '--password', 'secret words');
    assert.equal(status, 2);
    assert.match(err, /not taken from the command line.*--password-stdin/);
    assert.doesNotMatch(err, /secret words/);
  });

  it('asks before it removes an account, and undoes it', async () => {
    await cli('account', 'add', 'gone@example.org');
    const unasked = await cli('account', 'remove', 'gone@example.org');
    assert.deepEqual([unasked.status, /--yes/.test(unasked.err)], [2, true]);
    const no = await cliWith({ tty: true, input: 'n\n' }, 'account', 'remove', 'gone@example.org');
    assert.equal(no.status, 2);
    assert.match(no.err, /kept for 30 days, in which this can be undone\. \[y\/N\]/);
    assert.equal((await cli('account', 'show', 'gone@example.org')).status, 0);
    const yes = await cliWith({ tty: true, input: 'y\n' }, 'account', 'remove', 'gone@example.org');
    assert.match(yes.out, /postern account restore gone@example\.org/);
    assert.equal((await cli('account', 'show', 'gone@example.org')).status, 1);
    assert.match((await cli('account', 'list', '--removed')).out, /gone@example\.org/);
    assert.equal((await cli('account', 'restore', 'gone@example.org')).status, 0);
    assert.match(
      (await cli('account', 'remove', 'gone@example.org', '--purge', '--yes')).out,
      /and its mail are gone/,
    );
    assert.equal((await cli('account', 'restore', 'gone@example.org')).status, 1);
  });

  it('changes what an account may', async () => {
    await cli('account', 'add', 'may@example.org');
    assert.match((await cli('account', 'suspend', 'may@example.org')).out, /account resume may@example\.org/);
    assert.match((await cli('account', 'list', 'example.org')).out, /may@example\.org +user +suspended/);
    await cli('account', 'resume', 'may@example.org');
    await cli('account', 'role', 'may@example.org', 'domain-admin');
    await cli('account', 'quota', 'may@example.org', '1.5M');
    await cli('account', 'grant', 'may@example.org', '@example.net');
    await cli('alias', 'add', 'info@example.org', 'may@example.org', 'out@example.edu');
    const { out } = await cli('account', 'show', 'may@example.org');
    assert.match(
      out,
      /Role +domain-admin\nStatus +active\n[^]*Quota +1\.5 MiB\nAliases +info@example\.org\nMay send as +its own addresses, @example\.net/,
    );
    assert.match((await cli('account', 'grant', 'may@example.org')).out, /^@example\.net$/m);
    assert.match((await cli('alias', 'list')).out, /info@example\.org +may@example\.org\n +out@example\.edu/);
    const less = await cli('alias', 'remove', 'info@example.org', 'out@example.edu');
    assert.equal(less.status, 0, less.err);
    assert.doesNotMatch((await cli('alias', 'list')).out, /out@example\.edu/);
    assert.match((await cli('domain', 'catch-all', 'example.org', 'may@example.org')).out, /gets mail/);
    assert.match((await cli('domain', 'catch-all', 'example.org', '--off')).out, /refused/);
    assert.equal((await cli('account', 'role', 'may@example.org', 'king')).status, 2);
    assert.equal((await cli('account', 'quota', 'may@example.org', 'lots')).status, 1);
    assert.match((await cli('audit')).out, /cli:\S+ +account\.role/);
    assertTable((await cli('account', 'list')).out);
  });

  it('prints JSON for programs, refusals too', async () => {
    const { out } = await cli('account', 'list', '--json');
    assert.ok(Array.isArray((JSON.parse(out) as { accounts: unknown[] }).accounts));
    const refused = await cli('account', 'show', 'nobody@example.org', '--json');
    assert.equal(refused.status, 1);
    assert.deepEqual((JSON.parse(refused.out) as { error: { kind: string } }).error.kind, 'no-such-account');
  });

  it('tells how the server is', async () => {
    const { out, status } = await cli('status');
    assert.equal(status, 0);
    assert.match(out, /mail\.example\.org, Postern 1\.2\.3/);
    assert.match(out, /for 2 h, since/);
    assert.match(out, /^Listening +smtp 25 \(STARTTLS\)$/m);
    assert.match(out, /^NOT LISTENING +imaps 993 \(TLS\)$/m);
    assert.match(out, /EXPIRES in [23] d/);
    assert.match(out, /Queue +empty/);
    assert.match(out, /Journal +FAILED at 1970-01-01 00:00:00: disk \ufffd\[31mfull/);
    assertTable(out);
  });

  it('answers a slip with one line that says what to do instead', async () => {
    const slips: [string[], RegExp][] = [
      [
        ['account', 'add', 'x@example.org', '--qota', '5G'],
        /unknown option --qota \(did you mean --quota\?\)/,
      ],
      [['account', 'add', 'x@example.org', '--quota'], /--quota needs a value/],
      [['account', 'add'], /ADDRESS is missing/],
      [['account', 'show', 'a@example.org', 'b@example.org'], /"b@example\.org" is too much/],
      [['account', 'lst'], /did you mean "postern account list"/],
      [['account', '\u001b[2J'], /has .*add/],
      [['acount', 'list'], /no command "acount"/],
      [['stats', 'mial'], /no series begins with "mial" \(there are .*\bmail\b/],
      [['queue', 'retry'], /--all/],
      [['trace'], /--last/],
      [['domain', 'catch-all', 'example.org'], /--off/],
    ];
    for (const [words, expected] of slips) {
      // --quota would take --data for its value, which is a slip of its own.
      const { status, err, out } =
        words.at(-1) === '--quota' ? await cliWith({ data: undefined }, ...words) : await cli(...words);
      assert.equal(status, 2, words.join(' '));
      assert.match(err, expected);
      assert.equal(out, '');
      assert.equal(err.trim().split('\n').length, 1, err);
      assert.ok(!err.includes('\u001b'));
    }
  });

  it('has help with an example that is understood for every command', async () => {
    for (const command of commandTable) {
      const { status, out } = await cliWith({ data: undefined }, ...command.words, '--help');
      assert.equal(status, 0);
      assert.match(out, /^Usage: postern /);
      assert.ok(out.includes(`Example: postern ${command.example}\n`));
      assertTable(out);
      // The example gets as far as looking for a server.
      const words = command.example.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', '')) ?? [];
      if (command.offline === true) {
        // It would be run: asked for help instead, when its words and options are understood.
        parseLine(command, words.slice(command.words.length));
        continue;
      }
      const tried = await cliWith({ data: '/nonexistent/data' }, ...words);
      assert.match(tried.err, /No server answers/, command.example);
    }
    assert.match((await cliWith({ data: undefined }, 'account', '--help')).out, /passwd +set a new password/);
  });
});

describe('the program itself', () => {
  it('has every command of the table, and names it in its help', () => {
    const main = fileURLToPath(new URL('../main.ts', import.meta.url));
    const { stdout } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
    for (const { words } of commandTable) assert.match(stdout, new RegExp(`^  ${words[0]} `, 'm'));
    const audit = spawnSync(process.execPath, [main, 'audit', '--help'], { encoding: 'utf8' });
    assert.match(audit.stdout, /^Usage: postern audit/, audit.stderr);
  });
});

describe('finding the server', () => {
  it('says where it looked and how to start one', async () => {
    const { status, err } = await cliWith({ data: undefined, cwd: data }, 'status');
    assert.equal(status, 1);
    assert.match(err, /No server answers at \/nonexistent\/system \(found by the system's default\)/);
    assert.match(err, /--data DIR, POSTERN_DATA, .*\.postern, \/nonexistent\/system/);
    assert.match(err, /npm start/);
  });

  it('takes --data, then POSTERN_DATA, then ./.postern', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'pst-'));
    try {
      await mkdir(join(cwd, '.postern'));
      assert.match((await cliWith({ data: undefined, cwd }, 'status')).err, /found by \.\/\.postern/);
      assert.equal(
        (await cliWith({ data: undefined, cwd, env: { POSTERN_DATA: data } }, 'status')).status,
        0,
      );
      const both = await cliWith({ data: '.postern', cwd, env: { POSTERN_DATA: data } }, 'status');
      assert.match(both.err, /found by --data/);
    } finally {
      await rm(cwd, { recursive: true });
    }
  });

  it('does not talk to a socket in a directory that others can write to', async () => {
    await chmod(join(data, 'run'), 0o777);
    const { status, err } = await cli('status');
    await chmod(join(data, 'run'), 0o700);
    assert.equal(status, 1);
    assert.match(err, /not safe to use: .*mode 777/);
  });
});

describe('queue and trace', () => {
  const queueId = '01testqueue0000001';

  before(async () => {
    const now = systemClock.now();
    await store.write.run('delivery.accept', {
      blob: { size: 4, encoding: 'raw', data: Buffer.from('a\r\n\r'), file: undefined },
      content: {
        envelope: Buffer.from(''),
        bodystructure: Buffer.from(''),
        structure: '{}',
        sentAt: undefined,
        messageId: 'one@example.org',
        references: [],
      },
      deposits: [],
      overQuota: 'junk',
      queue: [
        {
          queueId,
          trace: queueId,
          origin: 'submission',
          accountId: undefined,
          reversePath: 'gen@example.org',
          mayBounce: true,
          prefix: Buffer.alloc(0),
          hidden: [],
          ret: undefined,
          envid: undefined,
          body: '7BIT',
          smtputf8: false,
          requireTls: false,
          originated: true,
          messageId: 'one@example.org',
          size: 4,
          warnAt: undefined,
          expiresAt: now + 86_400_000,
          holdReason: undefined,
          recipients: [
            { address: 'far@example.edu', destination: 'example.edu', orcpt: undefined, notify: '' },
          ],
        },
      ],
      events: [
        {
          trace: queueId,
          at: now,
          kind: 'message.queued',
          data: { queueId, from: 'gen@example.org', to: ['far@example.edu'], held: null },
          terms: [terms.queueId(queueId), terms.messageId('one@example.org')],
        },
      ],
    });
  });

  it('lists, shows, holds, releases and gives up', async () => {
    const list = (await cli('queue', 'list')).out;
    assert.match(list, new RegExp(`^${queueId}  4 B  0 s old  from gen@example\\.org$`, 'm'));
    assert.match(list, /^ {4}far@example\.edu: waiting, due now$/m);
    assert.match((await cli('queue', 'hold', queueId, '--reason', 'odd')).out, /1 recipient\(s\) held/);
    assert.match((await cli('queue', 'list', '--state', 'held')).out, /held: odd/);
    assert.match((await cli('queue', 'show', queueId)).out, /Held +odd[^]*State +held/);
    assert.match((await cli('status')).out, /Queue +1 held \(oldest \d+ s\)/);
    assert.match((await cli('queue', 'release', queueId)).out, /1 recipient\(s\) released/);
    assert.match((await cli('queue', 'release', queueId)).out, /Nothing of/);
    assert.equal((await cli('queue', 'retry', queueId)).status, 0);
    assert.equal((await cli('queue', 'retry', '--to', 'EXAMPLE.edu')).status, 0);
    assert.equal((await cli('queue', 'drop', queueId)).status, 2);
    assert.match((await cli('queue', 'drop', queueId, '--yes')).out, /1 recipient\(s\) dropped/);
    assert.equal((await cli('queue', 'list')).out, 'The queue is empty.\n');
    const dropped = (await cli('queue', 'list', '--state', 'dropped')).out;
    assert.match(dropped, /^ {4}far@example\.edu: dropped$/m);
    assert.equal(
      (await cli('queue', 'list', '--state', 'failed')).out,
      'Nothing in the queue is like that.\n',
    );
    assert.match((await cli('queue', 'show', 'nothing')).err, /No message in the queue/);
  });

  it('traces it by what a person has at hand', async () => {
    for (const term of [queueId, '<one@example.org>']) {
      const { out } = await cli('trace', term);
      assert.match(out, /It is in the queue for <far@example\.edu>/);
      assert.match(out, /cli:\S+ dropped it; the sender is not told/);
      assert.match(out, /In short: 1 given up \(by an administrator\)\./);
      assertTable(out);
    }
    assert.match((await cli('trace', '--last')).out, new RegExp(`^Message ${queueId}`));
    assert.match((await cli('trace', '--from', '5m')).out, /Message/);
    assert.match((await cli('trace', '--from', '600s')).out, /Message/);
    assert.match(
      (await cli('trace', 'nobody@example.edu')).out,
      /Nothing is known about nobody@example\.edu/,
    );
    assert.match((await cli('trace', '--from', 'yesterday-ish')).err, /is not a time/);
    const json = JSON.parse((await cli('trace', queueId, '--json')).out) as {
      traces: { events: unknown[] }[];
    };
    assert.ok((json.traces[0]?.events.length ?? 0) > 3);
  });

  it('traces a refusal that is counted in an older row: by its time, its own trace and its sender', async () => {
    const now = systemClock.now();
    const refused = (trace: string, at: number, from: string) => ({
      trace,
      at,
      kind: 'session.refused' as const,
      data: { stage: 'data', ip: '192.0.2.50', reason: 'message over 5 octets', from },
      terms: [terms.network('192.0.2.50'), terms.address(from)],
      foldKey: 'one row',
    });
    // In one window of ten minutes, whenever the test runs.
    const start = Math.floor(now / 600_000) * 600_000;
    const [old, fresh] = ['01testsess00000001', '01testsess00000002'];
    await store.write.run('journal.append', { events: [refused(old, start, 'first@sender.test')] });
    await store.write.run('journal.append', { events: [refused(fresh, now, 'second@sender.test')] });
    for (const args of [
      [fresh],
      ['second@sender.test'],
      ['192.0.2.50', '--from', '1m'],
      ['--from', '1m', '--limit', '100'],
    ]) {
      const { out } = await cli('trace', ...args);
      assert.match(
        out.replace(/\s+/g, ' '),
        /This happened 2 times within .*\(session 01testsess00000002\)/,
        args.join(' '),
      );
    }
  });

  it('shares mailboxes, and has accounts that nobody logs in to', async () => {
    const who = 'sharer@example.org';
    for (const address of [who, 'reader@example.org']) await cli('account', 'add', address);
    const shared = await cli('mailbox', 'share', who, 'INBOX', 'reader@example.org');
    assert.equal(shared.status, 0, shared.err);
    assert.match(shared.out, /^reader@example\.org +lrs +read$/m);
    assert.match(shared.out, /^sharer@example\.org +lrswipkxtea +manage$/m);
    await cli('mailbox', 'share', who, 'INBOX', 'reader@example.org', 'te', '--add');
    await cli('mailbox', 'share', who, 'INBOX', 'anyone', 'l', '--deny');
    const acl = await cli('mailbox', 'acl', who, 'INBOX', '--json');
    assert.deepEqual(JSON.parse(acl.out), {
      mailbox: 'INBOX',
      entries: [
        { who, rights: 'lrswipkxtea' },
        { who: 'reader@example.org', rights: 'lrste' },
        { who: '-anyone', rights: 'l' },
      ],
    });
    await cli('mailbox', 'unshare', who, 'INBOX', 'anyone', '--deny');
    const gone = await cli('mailbox', 'unshare', who, 'INBOX', 'reader@example.org');
    assert.doesNotMatch(gone.out, /reader|anyone/);
    for (const [wrong, problem] of [
      [['mailbox', 'share', who, 'INBOX', 'nobody@example.org'], /nobody here/],
      [['mailbox', 'share', who, 'Nowhere', 'anyone'], /has no mailbox "Nowhere"/],
      [['mailbox', 'share', who, 'INBOX', 'anyone', 'xyz'], /are no rights/],
      [['mailbox', 'share', who, 'INBOX', 'anyone', 'l', '--add', '--take'], /not both/],
      [['mailbox', 'acl', 'missing@example.org', 'INBOX'], /no account/],
    ] as const) {
      const { status, err } = await cli(...wrong);
      assert.notEqual(status, 0);
      assert.match(err, problem);
    }
    const unknown = await cli('user', 'rename', 'desk@example.org');
    assert.equal(unknown.status, 1);
    assert.match(unknown.err, /^Unknown command 'rename'\.\n\n[^]*  add  /);
    assert.equal((await cli('shared', 'add', 'desk@example.org', '--quota', '1G')).status, 0);
    assert.match((await cli('user', 'add', 'orders@example.org', '--shared')).out, /without a password/);
    assert.match((await cli('shared', 'list')).out, /^desk@example\.org +0\norders@example\.org +0$/m);
    const passwd = await cli('account', 'passwd', 'desk@example.org', '--generate');
    assert.match(passwd.err, /nobody logs in to it/);
  });
});
