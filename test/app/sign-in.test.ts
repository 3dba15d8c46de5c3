import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { scramClient } from '../../src/mail/sasl/client.ts';
import { Browser, PASSWORD, totpCode } from '../support/auth-site.ts';
import { runCommand } from '../support/cli.ts';
import { imapClient } from '../support/imap-client.ts';
import { cleanEnvironment, skipWithout } from '../support/programs.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** App passwords, tokens and sessions against the whole server, with curl and by hand. */

const SECURITY = '/account/v1/security';
const REDIRECT = 'http://127.0.0.1/back';
const BOB = 'bob@example.test';
const MESSAGE = `From: ${BOB}\r\nTo: ${BOB}\r\nSubject: by token\r\n\r\nHello\r\n`;

describe('signing in to the whole server', { skip: skipWithout('curl') }, () => {
  let server: TestServer;
  let directory = '';
  let bob: Browser;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-sign-in-'));
    await writeFile(join(directory, 'message'), MESSAGE);
    server = await startTestServer();
    bob = new Browser({ port: server.ports.http ?? 0 });
    assert.equal((await bob.signIn('bob', PASSWORD)).status, 200);
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });

  const curl = (url: string, ...args: string[]): Promise<Output> =>
    run('curl', ['-sS', '-k', '--max-time', '15', ...args, url], {
      env: cleanEnvironment(directory),
      allowFailure: true,
    });
  const byToken = (token: string, url: string, ...args: string[]): Promise<Output> =>
    curl(url, '--oauth2-bearer', token, '-u', `${BOB}:`, ...args);
  const sent = ['--mail-from', BOB, '--mail-rcpt', BOB, '--upload-file'];
  const message = (): string => join(directory, 'message');

  /** What a program gets after the person agreed. */
  async function grant(scope: string): Promise<{ access_token: string; refresh_token: string }> {
    const program = new Browser({ port: server.ports.http ?? 0 });
    const registration = { client_name: 'curl', redirect_uris: [REDIRECT] };
    const client_id = String((await program.post('/oauth/register', registration)).json['client_id']);
    const code_verifier = randomBytes(32).toString('base64url');
    const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
    const asked = { response_type: 'code', client_id, redirect_uri: REDIRECT, scope };
    const query = new URLSearchParams({ ...asked, code_challenge, code_challenge_method: 'S256' });
    const page = await program.get(`/oauth/authorize?${query}`);
    const request = page.headers.get('location')?.split('request=')[1];
    const decision = await bob.post('/oauth/decision', { request, allow: true });
    const code = new URL(String(decision.json['redirect'])).searchParams.get('code') ?? '';
    const fields = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT,
      client_id,
      code_verifier,
    };
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const body = new URLSearchParams(fields).toString();
    return (await program.ask('POST', '/oauth/token', body, form)).json as never;
  }

  async function appPassword(scopes: string[], more = {}): Promise<{ id: number; password: string }> {
    return (await bob.post(`${SECURITY}/app-passwords`, { name: 'Test', scopes, ...more })).json as never;
  }

  it('OAUTHBEARER: curl reads by imaps and pop3s and sends by submissions with an access token', async () => {
    const { access_token: token } = await grant('mail send');
    const { imaps, pop3s, submissions } = server.ports;
    const smtp = await byToken(token, `smtps://127.0.0.1:${submissions}`, ...sent, message());
    assert.equal(smtp.code, 0, smtp.stderr);
    const imap = await byToken(token, `imaps://127.0.0.1:${imaps}/INBOX;MAILINDEX=1`);
    assert.match(imap.stdout, /Subject: by token/, imap.stderr);
    const pop3 = await byToken(token, `pop3s://127.0.0.1:${pop3s}/1`);
    assert.match(pop3.stdout, /Subject: by token/, pop3.stderr);
    const forced = ['--login-options', 'AUTH=XOAUTH2'];
    const xoauth2 = await byToken(token, `imaps://127.0.0.1:${imaps}/INBOX;MAILINDEX=1`, ...forced);
    assert.match(xoauth2.stdout, /Subject: by token/, xoauth2.stderr);
  });

  it('OAUTHBEARER: a token that is not for it, or is none, is refused as RFC 7628 has it', async () => {
    const { access_token: token } = await grant('mail');
    const { submissions, imaps = 0 } = server.ports;
    const smtp = await byToken(token, `smtps://127.0.0.1:${submissions}`, ...sent, message());
    assert.equal(smtp.code, 67, 'login denied');
    const client = await imapClient(imaps, { tls: true });
    await client.next(/^\* OK .*AUTH=OAUTHBEARER AUTH=XOAUTH2/);
    const attempt = Buffer.from(`n,a=${BOB},\x01auth=Bearer pst_at_${'A'.repeat(43)}\x01\x01`);
    client.send(`a AUTHENTICATE OAUTHBEARER ${attempt.toString('base64')}\r\n`);
    const challenge = (await client.response()) ?? '';
    const error = JSON.parse(Buffer.from(challenge.slice(2), 'base64').toString('utf8')) as object;
    assert.deepEqual(error, { status: 'invalid_token' });
    client.send('AQ==\r\n');
    await client.next(/^a NO \[AUTHENTICATIONFAILED\]/);
    client.send(`b AUTHENTICATE XOAUTH2 ${Buffer.from(`user=${BOB}\x01\x01`).toString('base64')}\r\n`);
    await client.next(/^\+ /);
    client.send('\r\n');
    await client.next(/^b BAD|^b NO/);
    client.close();
  });

  it('a grant that is taken back cuts the open IMAP connection, and so does a removed app password', async () => {
    const { imaps = 0 } = server.ports;
    const { access_token: token } = await grant('mail');
    const client = await imapClient(imaps, { tls: true });
    await client.next(/^\* OK/);
    const first = Buffer.from(`n,a=${BOB},\x01auth=Bearer ${token}\x01\x01`).toString('base64');
    client.send(`a AUTHENTICATE OAUTHBEARER ${first}\r\n`);
    await client.next(/^a OK/);
    const { id, password } = await appPassword(['mail']);
    const other = await imapClient(imaps, { tls: true });
    await other.next(/^\* OK/);
    await other.ok(`LOGIN ${BOB} ${password}`);
    const grants = (await bob.get(SECURITY)).json['grants'] as { id: number }[];
    assert.equal((await bob.delete(`${SECURITY}/grants/${grants.at(-1)?.id}`)).status, 200);
    assert.match(await client.closed(), /\* BYE .*revoked/i);
    await other.ok('NOOP');
    assert.equal((await bob.delete(`${SECURITY}/app-passwords/${id}`)).status, 200);
    assert.match(await other.closed(), /\* BYE .*revoked/i);
    const again = await imapClient(imaps, { tls: true });
    await again.next(/^\* OK/);
    await again.expect('NO', `LOGIN ${BOB} ${password}`);
    again.close();
  });

  it('a web session that is ended ends the event stream of JMAP', async () => {
    const other = new Browser({ port: server.ports.http ?? 0 });
    await other.signIn('bob', PASSWORD);
    const response = await fetch(
      `http://127.0.0.1:${server.ports.http}/jmap/eventsource?types=*&closeafter=no&ping=0`,
      {
        headers: { Cookie: `postern=${other.cookies.get('postern')}`, 'Sec-Fetch-Site': 'same-origin' },
      },
    );
    assert.equal(response.status, 200);
    const ended = (async () => {
      for await (const _ of response.body ?? []);
    })().catch(() => undefined);
    assert.equal((await other.post('/auth/sign-out')).status, 200);
    await ended;
  });

  it('app passwords: each is for its protocols, by PLAIN and by SCRAM, until it expires', async () => {
    const mail = await appPassword(['mail']);
    const send = await appPassword(['send'], { expiresAt: server.clock.now() + 3_600_000 });
    const login = (password: string, url: string, ...args: string[]): Promise<Output> =>
      curl(url, '-u', `${BOB}:${password}`, ...args);
    const { imaps, pop3s, submissions } = server.ports;
    const smtp = (password: string) =>
      login(password, `smtps://127.0.0.1:${submissions}`, ...sent, message());
    const codes = [
      await login(mail.password, `imaps://127.0.0.1:${imaps}/`),
      await login(mail.password, `pop3s://127.0.0.1:${pop3s}/`),
      await smtp(mail.password),
      await login(send.password, `imaps://127.0.0.1:${imaps}/`),
      await login(send.password, `pop3s://127.0.0.1:${pop3s}/`),
      await smtp(send.password),
    ].map(({ code }) => code);
    assert.deepEqual(codes, [0, 0, 67, 67, 67, 0]);
    for (const [password, said] of [
      [PASSWORD, /^a OK/],
      [mail.password, /^a OK/],
      [send.password, /^a NO \[ALERT\] This app password is not for reading mail/],
      ['abcd-efgh-jkmn-pqrs-tvwx-yz23', /^a NO \[AUTHENTICATIONFAILED\]/],
    ] as const) {
      assert.match(await scram(password), said);
    }
  });

  it('with a second factor the password is for the web alone; app passwords and tokens go on', async () => {
    const { password } = await appPassword(['mail']);
    const { access_token: token } = await grant('mail');
    const begun = await bob.post(`${SECURITY}/totp/begin`);
    const code = totpCode(String(begun.json['secret']), server.clock.now());
    assert.equal((await bob.post(`${SECURITY}/totp/confirm`, { code })).status, 200);
    assert.match(await scram(PASSWORD), /^a NO \[ALERT\] This account has a second factor/);
    assert.match(await scram(password), /^a OK/);
    const { imaps } = server.ports;
    assert.equal((await byToken(token, `imaps://127.0.0.1:${imaps}/`)).code, 0);
    const jmap = (secret: string) =>
      fetch(`http://127.0.0.1:${server.ports.http}/jmap/session`, {
        headers: { Authorization: `Basic ${Buffer.from(`${BOB}:${secret}`).toString('base64')}` },
      });
    const refused = await jmap(PASSWORD);
    assert.deepEqual([refused.status, /second factor/.test(await refused.text())], [403, true]);
    assert.equal((await jmap(password)).status, 200);
  });

  it('the command line makes and removes app passwords, ends sessions, and takes a lost second factor away', async () => {
    const cli = async (...words: string[]): Promise<string> => {
      const { status, out, err } = await runCommand(words, { data: server.directory });
      assert.equal(status, 0, err);
      return out;
    };
    const made = await cli('app-password', 'add', BOB, 'Printer', '--for', 'send', '--expires', '30d');
    const password = /^App password: (\S+)$/m.exec(made)?.[1] ?? '';
    const by = () =>
      curl(`smtps://127.0.0.1:${server.ports.submissions}`, '-u', `${BOB}:${password}`, ...sent, message());
    assert.equal((await by()).code, 0);
    const line =
      (await cli('app-password', 'list', BOB)).split('\n').find((one) => one.includes('Printer')) ?? '';
    assert.match(line, /send/);
    await cli('app-password', 'remove', BOB, line.trim().split(' ')[0] ?? '');
    assert.equal((await by()).code, 67);
    assert.match(
      await cli('second-factor', 'show', BOB),
      /authenticator app: yes, passkeys: 0, recovery codes left: 10/,
    );
    assert.match(await cli('session', 'list', BOB), /curl/, 'the grants stand there too');
    await cli('session', 'revoke', BOB);
    assert.equal((await bob.get('/auth/me')).status, 401);
    await cli('second-factor', 'reset', BOB, '--yes');
    assert.match(await scram(PASSWORD), /^a OK/);
  });

  /** A login by SCRAM-SHA-256; the server's last line. */
  async function scram(password: string): Promise<string> {
    const client = await imapClient(server.ports.imaps ?? 0, { tls: true });
    await client.next(/^\* OK/);
    const mechanism = scramClient('SCRAM-SHA-256', {
      login: BOB,
      password,
      channelBinding: undefined,
      random: randomBytes,
    });
    client.send(`a AUTHENTICATE SCRAM-SHA-256 ${mechanism.initial?.toString('base64')}\r\n`);
    for (;;) {
      const line = (await client.response()) ?? '';
      if (!line.startsWith('+ ')) {
        client.close();
        return line;
      }
      const step = await mechanism.step(Buffer.from(line.slice(2), 'base64'));
      assert.ok('response' in step, 'the server has proved that it knows the keys of this password');
      client.send(`${step.response.toString('base64')}\r\n`);
    }
  }
});
