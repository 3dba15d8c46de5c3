/**
 * Reading mail by IMAP, Postern beside Dovecot on this machine, the same messages on both:
 * `node bench/imap.ts [--messages N] [--mail DIR] [--rounds N] [--only NAME,...] [--system postern|peer]`.
 * `--mail` is a directory (or a .tar.xz) of messages, one a file; without it messages are made up. Needs Debian's
 * dovecot-imapd and root for the peer. docs/performance.md explains the figures.
 */
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/base/clock.ts';
import { startDovecot } from './support/dovecot.ts';
import { Figures } from './support/figures.ts';
import { greeting } from './support/line-client.ts';
import { memoryOf } from './support/memory.ts';
import { freeBase, PORTS_EACH } from './support/ports.ts';
import { startPostern } from './support/postern.ts';
import { RawImap } from './support/raw-imap.ts';
import { defer, undoAll, undoOnSignals } from './support/resources.ts';
import { accountNames, DOMAIN, type MailSystem, PASSWORD, type Setup } from './support/system.ts';

const { values: flags } = parseArgs({
  options: {
    messages: { type: 'string', default: '2000' },
    mail: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    system: { type: 'string', default: '' },
    dir: { type: 'string', default: tmpdir() },
    'port-base': { type: 'string', default: '20000' },
    'cpu-prof': { type: 'string', default: '' },
  },
});

type System = Pick<MailSystem, 'name' | 'roots' | 'stop'> & { readonly port: number };

interface Bench {
  readonly system: System;
  readonly figures: Figures;
  readonly messages: readonly Buffer[];
}

/** Connections of the cells in which many work at once. */
const MANY = 10;
const IDLE_SESSIONS = 200;
/** Milliseconds after the work of the other cells: memory is given back some seconds after a system falls quiet. */
const REST_MS = 30_000;
const MiB = 1024 * 1024;

type Work = (client: RawImap, index: number) => Promise<unknown>;

/** Connections of one account with INBOX selected. */
async function connections(port: number, name: string, count: number, mailbox?: string): Promise<RawImap[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const client = await RawImap.login(port, `${name}@${DOMAIN}`, PASSWORD);
      if (mailbox !== undefined) await client.command(`SELECT ${mailbox}`);
      return client;
    }),
  );
}

/** `times` units of work for each connection, all at once; units a second. `unit`: how many one call stands for. */
async function rate(clients: readonly RawImap[], times: number, unit: number, work: Work): Promise<number> {
  const from = systemClock.monotonic();
  await Promise.all(
    clients.map(async (client, c) => {
      for (let i = 0; i < times; i++) await work(client, c * times + i);
    }),
  );
  return (clients.length * times * unit * 1000) / (systemClock.monotonic() - from);
}

interface Cell {
  readonly name: string;
  run(bench: Bench): Promise<void>;
}

/** A cell whose work is done by one connection, and then by ten at once, on one mailbox. */
function reading(
  name: string,
  what: string,
  times: number,
  unit: (count: number) => number,
  work: (count: number) => Work,
): Cell {
  return {
    name,
    async run({ system, figures, messages }) {
      const count = messages.length;
      for (const many of [1, MANY]) {
        const clients = await connections(system.port, 'alice', many, 'INBOX');
        // Once before it counts: both keep what they have read.
        await clients[0]?.command('NOOP');
        await work(count)(clients[0] as RawImap, 0);
        const each = Math.max(1, Math.round(many === 1 ? times : (2 * times) / MANY));
        const value = await rate(clients, each, unit(count), work(count));
        figures.add(system.name, what, many === 1 ? 'one' : 'ten', '/s', true, value);
        for (const client of clients) client.close();
      }
    },
  };
}

const all = (count: number): number => count;
const one = (): number => 1;
const always =
  (text: string): ((count: number) => Work) =>
  () =>
  (client) =>
    client.command(text);

const append: Cell = {
  name: 'append',
  async run({ system, figures, messages }) {
    const single = await connections(system.port, 'alice', 1);
    const value = await rate(single, messages.length, 1, (client, i) =>
      client.append('INBOX', messages[i] ?? Buffer.alloc(0)),
    );
    figures.add(system.name, 'APPEND', 'one', '/s', true, value);
    const many = await connections(system.port, 'bob', MANY);
    const each = Math.floor(messages.length / MANY);
    figures.add(
      system.name,
      'APPEND',
      'ten',
      '/s',
      true,
      await rate(many, each, 1, (client, i) => client.append('INBOX', messages[i] ?? Buffer.alloc(0))),
    );
    // What was appended is found at once: the first search waits for the index, where there is one.
    const from = systemClock.monotonic();
    for (const client of [single[0], many[0]]) {
      await client?.command('SELECT INBOX');
      await client?.command(`SEARCH BODY "${RARE}"`);
    }
    const waited = systemClock.monotonic() - from;
    figures.add(system.name, 'first SEARCH BODY after APPEND', 'both mailboxes', 'ms', false, waited);
    for (const client of [...single, ...many]) client.close();
  },
};

const login: Cell = {
  name: 'login',
  async run({ system, figures }) {
    const enter = async (): Promise<void> => {
      const client = await RawImap.login(system.port, `alice@${DOMAIN}`, PASSWORD);
      await client.command('LOGOUT').catch(() => undefined);
      client.close();
    };
    for (const many of [1, MANY]) {
      const from = systemClock.monotonic();
      const times = 30;
      await Promise.all(
        Array.from({ length: many }, async () => {
          for (let i = 0; i < times; i++) await enter();
        }),
      );
      const value = (many * times * 1000) / (systemClock.monotonic() - from);
      figures.add(system.name, 'login and logout', many === 1 ? 'one' : 'ten', '/s', true, value);
    }
  },
};

/** COPY, MOVE and EXPUNGE change what is there: each round works on what it made. */
const moving: Cell = {
  name: 'moving',
  async run({ system, figures, messages }) {
    const [client] = await connections(system.port, 'alice', 1, 'INBOX');
    if (client === undefined) return;
    const count = messages.length;
    await client.command('CREATE Copies').catch(() => undefined);
    await client.command('CREATE Moved').catch(() => undefined);
    const timed = async (what: string, text: string): Promise<void> => {
      const from = systemClock.monotonic();
      await client.command(text);
      const value = (count * 1000) / (systemClock.monotonic() - from);
      figures.add(system.name, what, 'one', 'messages/s', true, value);
    };
    await client.command('SELECT INBOX');
    await timed('COPY 1:*', 'COPY 1:* Copies');
    await client.command('SELECT Copies');
    await timed('MOVE 1:*', 'MOVE 1:* Moved');
    await client.command('SELECT Moved');
    await client.command('STORE 1:* +FLAGS.SILENT (\\Deleted)');
    await timed('EXPUNGE', 'EXPUNGE');
    client.close();
  },
};

const sessions: Cell = {
  name: 'memory',
  async run({ system, figures }) {
    await systemClock.sleep(REST_MS);
    const before = memoryOf(system.roots()).pss;
    const clients = await connections(system.port, 'alice', IDLE_SESSIONS, 'INBOX');
    await systemClock.sleep(1500);
    const each = (memoryOf(system.roots()).pss - before) / IDLE_SESSIONS / 1024;
    figures.add(
      system.name,
      'memory of a session with INBOX selected',
      `${IDLE_SESSIONS}`,
      'KiB',
      false,
      each,
    );
    figures.add(system.name, 'memory at rest', 'all', 'MiB', false, before / MiB);
    for (const client of clients) client.close();
  },
};

const RARE = 'zyzzyva';
const CELLS: readonly Cell[] = [
  append,
  login,
  reading('select', 'SELECT', 100, one, always('SELECT INBOX')),
  reading('flags', 'FETCH FLAGS', 20, all, always('FETCH 1:* (UID FLAGS)')),
  reading(
    'envelopes',
    'FETCH ENVELOPE BODYSTRUCTURE',
    5,
    all,
    always('FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE)'),
  ),
  reading('headers', 'FETCH header', 5, all, always('FETCH 1:* (BODY.PEEK[HEADER])')),
  reading(
    'fields',
    'FETCH header fields',
    5,
    all,
    always('FETCH 1:* (BODY.PEEK[HEADER.FIELDS (FROM TO SUBJECT DATE)])'),
  ),
  reading('bodies', 'FETCH BODY[]', 5, all, always('FETCH 1:* (BODY.PEEK[])')),
  reading(
    'one-body',
    'FETCH one BODY[]',
    500,
    one,
    (count) => (client, i) => client.command(`FETCH ${((i * 7919) % count) + 1} (BODY.PEEK[])`),
  ),
  reading(
    'store',
    'STORE one',
    500,
    one,
    (count) => (client, i) =>
      client.command(`STORE ${((i * 7919) % count) + 1} ${i % 2 === 0 ? '+' : '-'}FLAGS (\\Flagged)`),
  ),
  reading(
    'store-all',
    'STORE 1:*',
    4,
    all,
    () => (client, i) => client.command(`STORE 1:* ${i % 2 === 0 ? '+' : '-'}FLAGS.SILENT (\\Answered)`),
  ),
  reading('search-flags', 'SEARCH UNSEEN', 100, one, always('SEARCH UNSEEN')),
  reading('search-subject', 'SEARCH SUBJECT', 20, one, always('SEARCH SUBJECT "meeting"')),
  reading('search-from', 'SEARCH FROM', 20, one, always('SEARCH FROM "alice"')),
  reading('search-body', 'SEARCH BODY, a common word', 10, one, always('SEARCH BODY "people"')),
  reading('search-rare', 'SEARCH BODY, a word that is nowhere', 10, one, always(`SEARCH BODY "${RARE}"`)),
  reading('search-text', 'SEARCH TEXT', 10, one, always('SEARCH TEXT "receipt"')),
  reading('sort-date', 'SORT (DATE)', 20, one, always('SORT (DATE) UTF-8 ALL')),
  reading('sort-subject', 'SORT (SUBJECT)', 20, one, always('SORT (SUBJECT) UTF-8 ALL')),
  reading('thread', 'THREAD REFERENCES', 20, one, always('THREAD REFERENCES UTF-8 ALL')),
  moving,
  sessions,
];

const WORDS =
  'meeting receipt people invoice weather garden letter number project answer holiday station'.split(' ');

await main();

async function main(): Promise<void> {
  undoOnSignals();
  const dir = await mkdtemp(join(flags.dir, 'postern-bench-imap-'));
  defer(() => rm(dir, { recursive: true, force: true }));
  try {
    await chmod(dir, 0o755);
    const messages = await messagesOf(Number(flags.messages), dir);
    const octets = messages.reduce((sum, message) => sum + message.length, 0);
    const [cpu] = cpus();
    console.log(`${availableParallelism()} × ${cpu?.model ?? '?'}, Node ${process.version}`);
    console.log(
      `${messages.length} messages of ${Math.round(octets / messages.length)} octets each on average`,
    );
    const figures = new Figures();
    for (let round = 0; round < Number(flags.rounds); round++) {
      for (const start of starters())
        await runRound(await start(await setupIn(dir, round)), messages, figures);
    }
    console.log(
      '\nmin / median / max of the rounds; the ratio is of medians, over 1 is better for Postern\n',
    );
    console.log(figures.table(['Postern', 'Dovecot']));
  } finally {
    await undoAll();
  }
}

/** Each round has new systems with empty mailboxes. */
async function runRound(system: System, messages: readonly Buffer[], figures: Figures): Promise<void> {
  try {
    const wanted = flags.only === '' ? undefined : new Set(['append', ...flags.only.split(',')]);
    for (const cell of CELLS) {
      if (wanted !== undefined && !wanted.has(cell.name)) continue;
      const from = systemClock.monotonic();
      try {
        await cell.run({ system, figures, messages });
        console.log(`  ${system.name} ${cell.name}: ${Math.round(systemClock.monotonic() - from)} ms`);
      } catch (error) {
        console.log(
          `  ${system.name} ${cell.name} FAILED: ${error instanceof Error ? error.message : String(error)}`,
        );
        process.exitCode = 1;
      }
    }
  } finally {
    await system.stop();
  }
}

function starters(): ((setup: Setup) => Promise<System>)[] {
  return [...(flags.system === 'peer' ? [] : [postern]), ...(flags.system === 'postern' ? [] : [dovecot])];
}

async function postern(setup: Setup): Promise<System> {
  const system = await startPostern(setup);
  return { name: 'Postern', port: system.ports.imap, roots: () => system.roots(), stop: () => system.stop() };
}

async function dovecot(setup: Setup): Promise<System> {
  const port = setup.portBase + 143;
  const started = await startDovecot(setup, port);
  const stop = defer(() => started.stop());
  await greeting(port, '* OK');
  return { name: 'Dovecot', port, roots: () => [started.pid], stop };
}

async function setupIn(dir: string, round: number): Promise<Setup> {
  const portBase = await freeBase(Number(flags['port-base']) + PORTS_EACH * (round % 3));
  const own = await mkdtemp(join(dir, 'system-'));
  await chmod(own, 0o755);
  const profile = flags['cpu-prof'];
  const nodeFlags = profile === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  return {
    dir: own,
    portBase,
    accounts: accountNames(2).length,
    relayPort: portBase + 999,
    mailFormat: 'sdbox',
    nodeFlags,
  };
}

/** The first `count` messages there are, in the order of their names, or made-up ones; every line ended by CRLF. */
async function messagesOf(count: number, dir: string): Promise<Buffer[]> {
  if (flags.mail === '') return Array.from({ length: count }, (_, n) => madeUp(n));
  let from = flags.mail;
  if ((await stat(from)).isFile()) {
    from = join(dir, 'mail');
    await mkdir(from);
    execFileSync('tar', ['-xf', flags.mail, '-C', from]);
  }
  const files = (await readdir(from, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  const found: Buffer[] = [];
  for (const file of files) {
    if (found.length >= count) break;
    const text = (await readFile(file)).toString('latin1').replace(/^From .*\r?\n/, '');
    if (!/^[A-Za-z][A-Za-z-]*:/.test(text)) continue;
    found.push(
      Buffer.from(text.replaceAll('\r\n', '\n').replaceAll('\0', ' ').replaceAll('\n', '\r\n'), 'latin1'),
    );
  }
  return found;
}

function alternative(type: string, text: string): string {
  return `--b\r\nContent-Type: ${type}; charset=utf-8\r\n\r\n${text}\r\n`;
}

/** Like a mailbox of people: threads of three, some with a HTML part, bodies of 1 to 12 KiB. */
function madeUp(n: number): Buffer {
  const word = (i: number): string => WORDS[(n * 7 + i * 5 + ((i * i) % 11)) % WORDS.length] ?? '';
  const first = n - (n % 3);
  const paragraph = Array.from({ length: 60 }, (_, i) => `${word(i)}${(n * i) % 97 === 0 ? n * i : ''}`).join(
    ' ',
  );
  const lines = (paragraph.match(/.{1,70}(?: |$)/g) ?? []).join('\r\n');
  const body = `${lines}\r\n`.repeat(2 + (n % 24));
  const more =
    n === first ? '' : `In-Reply-To: <${first}@example.net>\r\nReferences: <${first}@example.net>\r\n`;
  const head = `From: ${['Alice', 'Bob', 'Carol'][n % 3]} <${['alice', 'bob', 'carol'][n % 3]}@example.net>\r\nTo: reader@${DOMAIN}\r\nSubject: ${n === first ? '' : 'Re: '}${word(1)} ${word(2)} ${first}\r\nDate: ${new Date(1_700_000_000_000 + n * 3_600_000).toUTCString().replace('GMT', '+0000')}\r\nMessage-ID: <${n}@example.net>\r\n${more}MIME-Version: 1.0\r\n`;
  if (n % 2 === 0) return Buffer.from(`${head}Content-Type: text/plain; charset=utf-8\r\n\r\n${body}`);
  return Buffer.from(
    `${head}Content-Type: multipart/alternative; boundary=b\r\n\r\n${alternative('text/plain', body)}${alternative('text/html', `<p>${body}</p>`)}--b--\r\n`,
  );
}
