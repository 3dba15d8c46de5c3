import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { appendFile, chmod, chown, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { hashPassword } from '../../src/data/directory/passwords.ts';
import { openStore } from '../../src/data/open.ts';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { testActor } from '../support/server.ts';
import { lineClient } from '../support/smtp-client.ts';
import { assertOneLine, freePort, KILL_MS, type Program, program, runProgram, scratch } from './program.ts';
import { skipUnlessLong } from '../support/programs.ts';

const PASSWORD = 'not the obvious one';
const isRoot = process.getuid?.() === 0;
/** Somebody without rights that every machine has. */
const NOBODY = 65534;

interface Site {
  readonly directory: string;
  readonly config: string;
  readonly data: string;
  readonly ports: { smtp: number; submission: number; submissions: number };
}

async function certificate(directory: string, commonName = 'mail.example.org'): Promise<void> {
  const names = [commonName, '127.0.0.1'];
  const pair = createSelfSigned({
    commonName,
    names,
    notBefore: Date.UTC(2020, 0, 1),
    notAfter: Date.UTC(2049, 0, 1),
  });
  await writeFile(join(directory, 'cert.pem'), pair.cert);
  await writeFile(join(directory, 'key.pem'), pair.key, { mode: 0o644 });
}

/** A server set up by init on free ports; as root for user nobody, else for ourselves. */
async function site(directory: string, withCertificate = true): Promise<Site> {
  const config = join(directory, 'etc', 'postern.toml');
  const data = join(directory, 'data');
  await chmod(directory, 0o755);
  if (withCertificate) await certificate(directory);
  const cert = withCertificate
    ? ['--cert', join(directory, 'cert.pem'), '--key', join(directory, 'key.pem')]
    : [];
  const args = [
    'init',
    '--domain',
    'example.org',
    '--admin',
    'me@example.org',
    '--data',
    data,
    '--config',
    config,
  ];
  const made = await runProgram([...args, '--user', 'nobody', '--password-stdin', ...cert], {
    stdin: `${PASSWORD}\n`,
  });
  assert.equal(made.status, 0, made.stderr);
  const ports = { smtp: await freePort(), submission: await freePort(), submissions: await freePort() };
  const off = ['imap', 'imaps', 'managesieve', 'http'].map((name) => `${name} = []`).join('\n');
  const on = Object.entries(ports).map(([name, port]) => `${name} = "127.0.0.1:${port}"`);
  await appendFile(config, `\n[listen]\n${on.join('\n')}\n${off}\n`);
  return { directory, config, data, ports };
}

async function serve({ config }: Site): Promise<Program> {
  const server = program(['serve', '--config', config]);
  await server.shows(/"msg":"ready"/);
  return server;
}

/** Receive one message at the SMTP port. */
async function deliver(port: number, to: string): Promise<void> {
  const client = await lineClient(port);
  await client.talk(
    ['', '220'],
    ['EHLO remote.test\r\n', '250'],
    ['MAIL FROM:<a@remote.test>\r\n', '250'],
    [`RCPT TO:<${to}>\r\n`, '250'],
    ['DATA\r\n', '354'],
    ['Subject: hello\r\n\r\nhello\r\n.\r\n', '250'],
    ['QUIT\r\n', '221'],
  );
  client.close();
}

function commonNameAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

describe('postern init and serve', () => {
  it('sets up a server that runs: mail, login, reload, a new certificate, a graceful stop', async () => {
    await using place = await scratch();
    const here = await site(place.path);
    assert.equal(statSync(here.config).mode & 0o777, 0o600);
    assert.equal(statSync(here.data).mode & 0o777, 0o700);
    const server = await serve(here);
    await deliver(here.ports.smtp, 'postmaster@example.org');
    const client = await lineClient(here.ports.submissions, { tls: true });
    const login = Buffer.from(`\0me@example.org\0${PASSWORD}`).toString('base64');
    await client.talk(['', '220'], ['EHLO here\r\n', '250'], [`AUTH PLAIN ${login}\r\n`, '235']);

    await certificate(here.directory, 'new.example.org');
    const text = await readFile(here.config, 'utf8');
    await writeFile(
      here.config,
      `delimiter = "-"\nuser = "somebody"\n${text.replace('user = "nobody"\n', '')}`,
    );
    server.child.kill('SIGHUP');
    await server.shows(/"msg":"reload: done"/);
    assert.match(server.stdout, /"keys":\["user"\],"msg":"reload: these changes need a restart"/);
    assert.match(server.stdout, /"changed":\["delimiter"\]/);
    await deliver(here.ports.smtp, 'me-lists@example.org');
    assert.equal(await commonNameAt(here.ports.submissions), 'new.example.org');

    await writeFile(here.config, 'hostname = 3');
    server.child.kill('SIGHUP');
    await server.shows(/"msg":"reload: nothing changed"/);
    await deliver(here.ports.smtp, 'me@example.org');

    server.child.kill('SIGTERM');
    assert.match(await client.reply(), /^421/);
    client.close();
    assert.equal(await server.ended, 0);
    assert.equal(server.stderr, '');
  });

  it('gives up root for good, for every thread, and owns what it makes', {
    skip: !isRoot && 'needs root',
  }, async () => {
    await using place = await scratch();
    const here = await site(place.path);
    await chmod(join(here.directory, 'key.pem'), 0o600);
    const server = await serve(here);
    await deliver(here.ports.smtp, 'me@example.org');
    const { pid } = server.child;
    assert.ok(pid);
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      const status = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8');
      assert.match(status, new RegExp(`^Uid:\\s+${NOBODY}\\s+${NOBODY}\\s+${NOBODY}\\s+${NOBODY}$`, 'm'));
      assert.match(status, /^CapEff:\s+0+$/m);
    }
    for (const name of ['mail.db', 'bodies', 'lock', 'run']) {
      assert.equal(statSync(join(here.data, name)).uid, NOBODY, name);
    }
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0);

    await chown(join(here.data, 'mail.db'), 0, 0);
    assertOneLine(
      await runProgram(['serve', '--config', here.config]),
      /user nobody cannot write .*mail\.db: "chown -R nobody/,
    );
  });

  it('starts without a certificate, says so, and offers no login', async () => {
    await using place = await scratch();
    const here = await site(place.path, false);
    const server = await serve(here);
    assert.match(server.stdout, /no certificate .* no logins/);
    assert.match(server.stdout, /"service":"submissions","reason":"it needs a certificate/);
    await deliver(here.ports.smtp, 'me@example.org');
    const client = await lineClient(here.ports.submission);
    await client.talk(['', '220']);
    assert.doesNotMatch(await client.command('EHLO here'), /AUTH/);
    client.close();
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0);
  });

  it('refuses what is not fit for the public, in one line each', { skip: skipUnlessLong() }, async () => {
    await using place = await scratch();
    const here = await site(place.path);
    const check = (env: Record<string, string>): ReturnType<typeof runProgram> =>
      runProgram(['serve', '--config', here.config], { env });
    const tryOut = join(place.path, 'try');
    await mkdir(tryOut);
    await writeFile(join(tryOut, 'TRY-OUT'), '');
    const cases: (readonly [env: Record<string, string>, says: RegExp])[] = [
      [{ POSTERN_DATA: join(place.path, 'nowhere') }, /nowhere holds no mail of Postern: run "postern init"/],
      [{ POSTERN_TLS_CERT: '/nowhere.pem' }, /cannot read \/nowhere\.pem/],
      [{ POSTERN_DNS_SERVERS: 'resolver' }, /dns\.servers: "resolver" is not an address/],
      [{ POSTERN_LISTEN_SMTP: '203.0.113.9:25' }, /smtp: .*203\.0\.113\.9/],
      [{ POSTERN_DATA: tryOut }, /belongs to a try-out/],
    ];
    if (isRoot) cases.push([{ POSTERN_USER: 'no-such-user' }, /no user "no-such-user"/]);
    await Promise.all(cases.map(async ([env, says]) => assertOneLine(await check(env), says)));
    const missing = await runProgram(['serve', '--config', '/nowhere.toml']);
    assertOneLine(missing, /\/nowhere\.toml: there is no such file/);
    const other = ['--data', tryOut, '--config', join(place.path, 'x.toml')];
    const init = await runProgram(['init', '--domain', 'example.org', '--yes', ...other]);
    assertOneLine(init, /belongs to a try-out/);
  });

  it('refuses the password of the try-out, and has a remedy', async () => {
    await using place = await scratch();
    const here = await site(place.path);
    const store = await openStore({ directory: here.data, clock: systemClock, logger: silentLogger });
    const weak = await hashPassword('postern', { minLength: 1 });
    const account = { actor: testActor, displayName: '', role: 'user', quota: 0, ...weak } as const;
    await store.write.run('directory.addAccount', { ...account, address: 'weak@example.org' });
    await store.close();
    if (isRoot)
      for (const name of ['mail.db', 'mail.db-wal', 'mail.db-shm'])
        await chown(join(here.data, name), NOBODY, NOBODY).catch(() => undefined);
    const refused = await runProgram(['serve', '--config', here.config]);
    assert.match(refused.stderr, /the password of weak@example\.org is "postern"/);
    assert.match(refused.stderr, /"postern serve --set-password weak@example\.org"/);
    assert.doesNotMatch(refused.stderr, /me@example\.org/);
    assert.equal(refused.status, 1);
    const remedy = ['serve', '--config', here.config, '--set-password'];
    const unknown = await runProgram([...remedy, 'no@example.org'], { stdin: 'a good one\n' });
    assertOneLine(unknown, /there is no account no@example\.org/);
    const mended = await runProgram([...remedy, 'weak@example.org'], { stdin: 'a good one\n' });
    assert.equal(mended.stdout, 'weak@example.org has a new password.\n', mended.stderr);
    const server = await serve(here);
    const busy = await runProgram([...remedy, 'weak@example.org'], { stdin: 'another one\n' });
    assertOneLine(busy, /is in use by another Postern/);
    server.child.kill('SIGTERM');
    assert.equal(await server.ended, 0);
  });

  it('checks a configuration without starting', async () => {
    await using place = await scratch();
    const here = await site(place.path);
    const good = await runProgram(['serve', '--check', '--config', here.config]);
    assert.match(good.stdout, /nothing wrong/);
    await appendFile(here.config, 'nonsense = 1\n');
    assertOneLine(
      await runProgram(['serve', '--check', '--config', here.config]),
      /listen\.nonsense: there is no such key/,
    );
  });

  it('checks as the user it will become what that user can read', {
    skip: isRoot ? skipUnlessLong() : 'needs root',
  }, async () => {
    await using place = await scratch();
    const here = await site(place.path);
    const check = () => runProgram(['serve', '--check', '--config', here.config]);
    const key = join(here.directory, 'key.pem');
    await chmod(key, 0o600);
    assertOneLine(await check(), /user nobody cannot read tls\.key, .*key\.pem/);
    await chmod(key, 0o644);
    await chown(here.config, 0, 0);
    assertOneLine(await check(), /user nobody cannot read the configuration, .*postern\.toml/);
    await chown(here.config, NOBODY, NOBODY);
    await chown(join(here.data, 'mail.db'), 0, 0);
    assertOneLine(await check(), /user nobody cannot write .*mail\.db/);
    await chown(join(here.data, 'mail.db'), NOBODY, NOBODY);
    assert.match((await check()).stdout, /nothing wrong/);
  });

  it('takes no other port, as root, where another program has a part of the one it wants', {
    skip: !isRoot && 'needs root',
  }, async () => {
    await using place = await scratch();
    const here = await site(place.path);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const refused = await runProgram(['serve', '--config', here.config], {
      env: { POSTERN_LISTEN_SMTP: `*:${port}` },
    });
    other.close();
    assertOneLine(
      refused,
      new RegExp(`smtp: cannot bind \\S+:${port}: another program has the port.*listen\\.smtp`),
    );
  });
});

describe('postern init', () => {
  it('makes keys, account and configuration, and prints records and unit', async () => {
    await using place = await scratch();
    const config = join(place.path, 'postern.toml');
    const args = [
      'init',
      '--domain',
      'example.org',
      '--data',
      join(place.path, 'data'),
      '--config',
      config,
      '--user',
      'nobody',
      '--yes',
    ];
    const done = await runProgram(args);
    assert.equal(done.status, 0, done.stderr);
    for (const what of [
      /^ +example\.org {2}MX$/m,
      /r\._domainkey\.example\.org/,
      /e\._domainkey\.example\.org/,
      /_dmarc\.example\.org/,
      /AmbientCapabilities=CAP_NET_BIND_SERVICE/,
      /User=nobody/,
      /admin@example\.org \(administrator\)/,
      /password +[0-9a-z]{20} /,
    ]) {
      assert.match(done.stdout, what);
    }
    const again = await runProgram(args);
    assertOneLine(again, /exists already/);
    const elsewhere = await runProgram([...args, '--config', join(place.path, 'other.toml')]);
    assertOneLine(elsewhere, /holds a server’s data already/);
    assert.ok(!existsSync(join(place.path, 'other.toml')), 'nothing was written');
  });

  it('says in one line that a place is none for files, such as /proc', {
    skip: !existsSync('/proc/self') && 'needs /proc',
  }, async () => {
    await using place = await scratch();
    const init = (data: string, config: string) =>
      runProgram(
        ['init', '--domain', 'example.org', '--user', 'nobody', '--yes', '--data', data, '--config', config],
        { killAfterMs: KILL_MS },
      );
    const both = await init('/proc/x', '/proc/y/postern.toml');
    assertOneLine(both, /cannot use \/proc\/x: /);
    const data = join(place.path, 'data');
    assertOneLine(await init(data, '/proc/y/z/postern.toml'), /cannot use \/proc\/y\/z: /);
    const elsewhere = join(place.path, 'a', 'b', 'postern.toml');
    assert.equal((await init(data, elsewhere)).status, 0, 'the data directory can still be set up');
    assert.equal((await stat(join(place.path, 'a', 'b'))).mode & 0o777, 0o755);
    assert.equal((await stat(join(place.path, 'a'))).mode & 0o777, 0o755);
    assert.equal((await stat(elsewhere)).mode & 0o777, 0o600);
    assert.equal((await stat(data)).mode & 0o777, 0o700);
  });

  it('takes its places from the environment, and tells the commands that get a certificate', async () => {
    await using place = await scratch();
    const [data, config] = [join(place.path, 'd'), join(place.path, 'p.toml')];
    const words = ['init', '--domain', 'example.org', '--user', 'nobody', '--yes'];
    const env = { POSTERN_DATA: data, POSTERN_CONFIG: config };
    const named = await runProgram(words, { env, killAfterMs: KILL_MS });
    assert.equal(named.status, 0, named.stderr);
    assert.ok(existsSync(join(data, 'mail.db')));
    assert.match(await readFile(config, 'utf8'), /^# acme = \["\*:80"\]$/m);
    assert.match(named.stdout, /^ +postern certificate set enabled true$/m);
    // Where commands would not find the data by themselves, they are told.
    const other = join(place.path, 'other');
    const flags = ['--data', other, '--config', join(place.path, 'other.toml')];
    const told = await runProgram([...words, ...flags], { killAfterMs: KILL_MS });
    assert.ok(told.stdout.includes(`postern certificate set enabled true --data ${other}\n`), told.stdout);
  });

  it('sets up for the caller when that is an ordinary user', {
    skip: !isRoot && 'needs root, to be somebody else',
  }, async () => {
    await using place = await scratch();
    await chown(place.path, NOBODY, NOBODY);
    const { status, stdout, stderr } = await runProgram(['init', '--domain', 'example.org', '--yes'], {
      cwd: place.path,
      uid: NOBODY,
    });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /User=nobody$/m);
    assert.ok(stdout.includes('open https://mail.example.org/ and sign in as admin@example.org.'), stdout);
    assert.match(await readFile(join(place.path, 'postern.toml'), 'utf8'), /^user = "nobody"$/m);
  });

  it('begins anew where an earlier init was cut short', async () => {
    await using place = await scratch();
    const data = join(place.path, 'data');
    await mkdir(data);
    await writeFile(join(data, 'init-unfinished'), '');
    await writeFile(join(data, 'mail.db'), 'half');
    const args = [
      'init',
      '--domain',
      'example.org',
      '--data',
      data,
      '--config',
      join(place.path, 'postern.toml'),
      '--user',
      'nobody',
      '--yes',
    ];
    assert.equal((await runProgram(args)).status, 0);
    assert.ok(!existsSync(join(data, 'init-unfinished')));
  });

  it('prints the unit alone, and refuses what makes no sense', async () => {
    const unit = await runProgram([
      'init',
      '--print-unit',
      '--config',
      '/etc/postern/postern.toml',
      '--data',
      '/srv/my mail',
    ]);
    assert.match(unit.stdout, /^\[Unit\]/);
    assert.match(unit.stdout, /^ReadWritePaths="\/srv\/my mail"$/m);
    assert.match(unit.stdout, /^ExecStart=.* serve --config \/etc\/postern\/postern\.toml$/m);
    const cases: readonly (readonly [args: string[], says: RegExp, stdin?: string])[] = [
      [[], /--domain is missing/],
      [['--domain', 'org', '--yes'], /"org" is not a domain/],
      [['--domain', 'a.org', '--admin', 'me@b.org', '--yes'], /must be in a\.org/],
      [['--domain', 'a.org', '--password-stdin'], /at least 8 characters/, 'short\n'],
    ];
    const told = cases.map(async ([args, says, stdin = '']) => {
      assertOneLine(await runProgram(['init', ...args], { stdin }), says);
    });
    await Promise.all(told);
  });
});
