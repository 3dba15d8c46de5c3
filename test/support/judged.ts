/** A whole server that judges mail: scripted DNS, strangers at addresses of the test's choice, mailboxes read over IMAP. */
import assert from 'node:assert/strict';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import type { FilterSettingsInput } from '../../src/flow/spam/settings.ts';
import type { Dns } from '../../src/mail/dns.ts';
import { createResolver } from '../../src/net/dns/resolver.ts';
import type { TestClock } from './clock.ts';
import { startDnsServer, type TestDnsServer, type Zone } from './dns-server.ts';
import { fetchBodies, openMailbox } from './imap-mailbox.ts';
import { type ClientProxy, proxyFor } from './proxy.ts';
import {
  startTestServer,
  TEST_PASSWORD,
  testActor,
  type TestServer,
  type TestServerOptions,
} from './server.ts';
import { type LineClient, lineClient } from './smtp-client.ts';
import { type CliAnswer, runCommand } from './cli.ts';

export const ALICE = 'alice@example.test';
export const BOB = 'bob@example.test';

/** A sender with everything in order, one that nobody knows, and a list that has 192.0.2.66 and 192.0.2.67. */
export const GOOD_IP = '192.0.2.7';
export const BAD_IP = '192.0.2.66';
export const LIST = 'bl.test';
export const ZONE: Zone = {
  'good.test': {
    MX: [{ preference: 10, exchange: 'mail.good.test' }],
    A: [GOOD_IP],
    TXT: [`v=spf1 ip4:${GOOD_IP} -all`],
  },
  '_dmarc.good.test': { TXT: ['v=DMARC1; p=reject'] },
  'mail.good.test': { A: [GOOD_IP] },
  '7.2.0.192.in-addr.arpa': { PTR: ['mail.good.test'] },
  'set-aside.test': { A: [GOOD_IP], TXT: [`v=spf1 ip4:${GOOD_IP} -all`] },
  '_dmarc.set-aside.test': { TXT: ['v=DMARC1; p=quarantine'] },
  'stranger.test': { A: [BAD_IP], MX: [{ preference: 10, exchange: 'stranger.test' }] },
  '66.2.0.192.in-addr.arpa': { PTR: ['stranger.test'] },
  '2.0.0.127.bl.test': { A: ['127.0.0.2'] },
  '66.2.0.192.bl.test': { A: ['127.0.0.2'], TXT: ['https://bl.test/192.0.2.66'] },
};

/** So bad a mark that no content makes up for it. */
export const LISTED: NonNullable<FilterSettingsInput['lists']>[number] = {
  zone: LIST,
  of: 'ip',
  codes: { '127.0.0.2': { score: 20, means: 'sends nothing but spam' } },
};

export interface Sending {
  /** The client's address as its proxy tells it. */
  readonly ip?: string;
  readonly helo?: string;
  readonly from?: string;
  readonly to?: readonly string[];
  readonly message?: string | Buffer;
  readonly lmtp?: boolean;
}

export interface Judged extends AsyncDisposable {
  readonly server: TestServer;
  readonly dns: TestDnsServer;
  readonly zone: Zone;
  /** What the site wants of its filter from now on; greylisting is off unless it says otherwise. */
  want(settings: FilterSettingsInput): Promise<void>;
  /** A session up to its EHLO. */
  stranger(ip?: string, helo?: string): Promise<LineClient>;
  /** One whole transaction; the answer to the message, or to what was refused before. With LMTP an answer for each recipient. */
  send(sending?: Sending): Promise<string>;
  /** Messages in a mailbox as IMAP shows them. */
  inbox(user?: string): Promise<string[]>;
  junk(user?: string): Promise<string[]>;
  mailbox(name: string, user?: string): Promise<string[]>;
  /** Port of IMAPS for clients of this machine. */
  readonly imaps: number;
  /** `postern ...`: what it prints; it must succeed. */
  said(...words: string[]): Promise<string>;
  cli(...words: string[]): Promise<{ readonly status: number; readonly out: string; readonly err: string }>;
  /** `postern trace TERM ...` after everything is written. */
  trace(...words: string[]): Promise<string>;
  close(): Promise<void>;
  /** As if the power failed: the directory stays. */
  abandon(): Promise<void>;
}

export interface JudgedOptions extends Partial<TestServerOptions> {
  readonly zone?: Zone;
  /** Instead of the scripted server; null: none at all. */
  readonly resolver?: Dns | null;
  readonly clock?: Clock | TestClock;
}

export async function startJudged(options: JudgedOptions = {}): Promise<Judged> {
  const { zone: more, resolver, clock = systemClock, ...rest } = options;
  const dns = await startDnsServer(structuredClone({ ...ZONE, ...more }));
  const ours = createResolver({
    servers: [{ address: dns.address, port: dns.port, trusted: false }],
    clock,
  });
  const asked = resolver === undefined ? ours : (resolver ?? undefined);
  const server = await startTestServer({
    ...rest,
    clock,
    ...(asked !== undefined && { dns: asked }),
    config: { ...rest.config, listen: { proxy_from: ['127.0.0.1'], ...rest.config?.listen } },
  });
  const imap: ClientProxy = await proxyFor(server.ports.imaps ?? 0, '127.0.0.1');

  async function connect(ip: string, lmtp: boolean): Promise<LineClient> {
    const client = await lineClient((lmtp ? server.ports.lmtp : server.ports.smtp) ?? 0);
    if (!lmtp) client.send(`PROXY TCP4 ${ip} 198.51.100.25 40000 25\r\n`);
    return client;
  }

  async function transact(client: LineClient, sending: Sending): Promise<string> {
    const { from = 'ann@good.test', to = [ALICE], helo = 'mail.good.test', lmtp = false } = sending;
    const greeting = await client.reply();
    if (!greeting.startsWith('220')) return greeting;
    await client.talk([`${lmtp ? 'LHLO' : 'EHLO'} ${helo}\r\n`, '250']);
    const mail = await client.command(`MAIL FROM:<${from}>`);
    if (!mail.startsWith('250')) return mail;
    for (const address of to) {
      const answer = await client.command(`RCPT TO:<${address}>`);
      if (!answer.startsWith('250')) return answer;
    }
    await client.talk(['DATA\r\n', '354']);
    client.send(sending.message ?? letter({ from }));
    client.send('.\r\n');
    const answers: string[] = [];
    for (const _ of lmtp ? to : [0]) answers.push(await client.reply());
    return answers.join('\n');
  }

  async function mailbox(name: string, user = ALICE): Promise<string[]> {
    const client = await openMailbox(imap.port, { user, password: TEST_PASSWORD, mailbox: name });
    try {
      return [...(await fetchBodies(client)).values()].map((body) => body.toString('latin1'));
    } finally {
      client.close();
    }
  }

  function cli(...words: string[]): Promise<CliAnswer> {
    return runCommand(words, { data: server.directory, clock });
  }

  async function said(...words: string[]): Promise<string> {
    const { status, out, err } = await cli(...words);
    assert.equal(status, 0, err);
    return out;
  }

  async function want(settings: FilterSettingsInput): Promise<void> {
    const json = JSON.stringify({ greylist: { mode: 'off' }, ...settings });
    await server.store.write.run('spam.saveSettings', { actor: testActor, json });
    await server.deps().filter?.current(true);
    await server.deps().filter?.current();
  }

  async function close(): Promise<void> {
    await imap[Symbol.asyncDispose]();
    await server.close();
    await dns.close();
  }

  await want({});
  return {
    server,
    dns,
    zone: dns.zone,
    imaps: imap.port,
    want,
    async stranger(ip = GOOD_IP, helo = 'mail.good.test') {
      const client = await connect(ip, false);
      await client.talk(['', '220'], [`EHLO ${helo}\r\n`, '250']);
      return client;
    },
    async send(sending = {}) {
      const client = await connect(sending.ip ?? GOOD_IP, sending.lmtp === true);
      try {
        return await transact(client, sending);
      } finally {
        client.close();
      }
    },
    mailbox,
    inbox: (user) => mailbox('INBOX', user),
    junk: (user) => mailbox('Junk', user),
    cli,
    said,
    async trace(...words) {
      await server.recorder.flush();
      return said('trace', ...words);
    },
    close,
    async abandon() {
      await imap[Symbol.asyncDispose]();
      await server.abandon();
      await dns.close();
    },
    [Symbol.asyncDispose]: close,
  };
}

let serial = 0;

/** A letter that nobody would take for spam. `more`: header lines, with their CRLF. */
export function letter(
  options: { from?: string; to?: string; subject?: string; more?: string; body?: string; date?: Date } = {},
): string {
  const {
    from = 'ann@good.test',
    to = ALICE,
    subject = 'Minutes of our meeting',
    more = '',
    date = new Date(),
  } = options;
  const body =
    options.body ??
    'Dear Alice,\r\n\r\nthank you for coming on Tuesday. The minutes are on our page; please tell me\r\nwhether I forgot anything.\r\n\r\nBest regards,\r\nAnn\r\n';
  const id = `letter-${serial++}@${from.slice(from.lastIndexOf('@') + 1)}`;
  return `From: Ann <${from}>\r\nTo: <${to}>\r\nSubject: ${subject}\r\nDate: ${date.toUTCString().replace('GMT', '+0000')}\r\nMessage-ID: <${id}>\r\n${more}\r\n${body}`;
}

/** The case number in a refusal. */
export function caseOf(reply: string): string {
  const found = /\(case ([0-9A-Z]{5}-[0-9A-Z]{5})\)/.exec(reply)?.[1];
  assert.ok(found, `no case number in: ${reply}`);
  return found;
}
