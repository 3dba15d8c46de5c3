import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { imapTestServer } from '../support/imap-server.ts';
import { skipUnlessRoot, skipWithout } from '../support/programs.ts';

/** Sections of messages within messages: what FETCH gives is what Dovecot gives, octet for octet. */

const DOVECOT_IMAP = '/usr/lib/dovecot/imap';
/** Who reads the Maildir; no such user need exist. */
const UID = 5000;
const MESSAGES = 12;

/** Numbers that are the same in every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1103515245 + 12345) & 0x7fffffff;
    return (state >> 8) % below;
  };
}

/** A part with its header, CRLF throughout. */
function part(random: (below: number) => number, depth: number, name: string): string {
  const kind = depth === 0 ? random(3) : random(6);
  const noise = `X-Part: ${name}\r\n`;
  if (kind === 0)
    return `Content-Type: text/plain; charset=utf-8\r\n${noise}\r\ntext of ${name}\r\nline two\r\n`;
  if (kind === 1)
    return `Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n${noise}\r\n${Buffer.from(`octets of ${name}`).toString('base64')}\r\n`;
  // An empty part.
  if (kind === 2) return `Content-Type: text/html\r\n${noise}\r\n`;
  if (kind === 3)
    return `Content-Type: message/rfc822\r\n${noise}\r\n${message(random, depth - 1, `${name}m`)}`;
  if (kind === 4)
    return `Content-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n${noise}\r\nf=C3=BCr ${name} =\r\n and on\r\n`;
  return multipart(random, depth - 1, name, noise);
}

function multipart(random: (below: number) => number, depth: number, name: string, header: string): string {
  const boundary = `b-${name}-b`;
  const parts = Array.from({ length: 1 + random(3) }, (_, i) => part(random, depth, `${name}${i}`));
  const preamble = random(2) === 0 ? 'preamble\r\n' : '';
  const body = parts.map((each) => `--${boundary}\r\n${each}\r\n`).join('');
  return `Content-Type: multipart/mixed; boundary="${boundary}"\r\n${header}\r\n${preamble}${body}--${boundary}--\r\n`;
}

function message(random: (below: number) => number, depth: number, name: string): string {
  const header = `From: ${name}@example.test\r\nSubject: ${name}\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\nX-Long: a\r\n b\r\nx-long: c\r\n`;
  return depth > 0 && random(3) > 0
    ? multipart(random, depth, name, header)
    : header + part(random, depth, name);
}

const PATHS = ['1', '2', '3', '1.1', '1.2', '2.1', '2.2', '1.1.1', '2.1.1', '1.2.1', '1.1.1.1', '4', '1.9'];
const ITEMS: readonly string[] = [
  'BODY.PEEK[]',
  'BODY.PEEK[HEADER]',
  'BODY.PEEK[TEXT]',
  'BODY.PEEK[HEADER.FIELDS (subject x-long)]',
  'BODY.PEEK[HEADER.FIELDS.NOT (subject x-long)]',
  'BODY.PEEK[HEADER.FIELDS (None)]',
  'BODY.PEEK[]<0.10>',
  'BODY.PEEK[]<10.1000000>',
  'BODY.PEEK[TEXT]<4294967295.10>',
  ...PATHS.flatMap((path) => [
    `BODY.PEEK[${path}]`,
    `BODY.PEEK[${path}.MIME]`,
    `BODY.PEEK[${path}.HEADER]`,
    `BODY.PEEK[${path}.TEXT]`,
    `BODY.PEEK[${path}.HEADER.FIELDS (From X-Part)]`,
    `BODY.PEEK[${path}.HEADER.FIELDS.NOT (X-Long Date)]`,
    `BODY.PEEK[${path}]<3.4>`,
    `BODY.PEEK[${path}]<99999.4>`,
    `BINARY.PEEK[${path}]`,
    `BINARY.PEEK[${path}]<3.4>`,
    `BINARY.PEEK[${path}]<99999.4>`,
    `BINARY.SIZE[${path}]`,
  ]),
  'BINARY.SIZE[]',
  'BINARY.PEEK[]',
];

/** Tagged answers to commands, by the IMAP program itself, logged in already. */
async function askDovecot(directory: string, commands: readonly string[]): Promise<string> {
  const user = ['--reuid', `${UID}`, '--regid', `${UID}`, '--clear-groups'];
  const env = ['env', 'USER=mail', `HOME=${directory}/home`];
  const args = [...user, ...env, DOVECOT_IMAP, '-c', join(directory, 'dovecot.conf')];
  const child = spawn('setpriv', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  let output = '';
  child.stdout.on('data', (octets: Buffer) => {
    output += octets.toString('latin1');
  });
  child.stdin.end(`${commands.join('\r\n')}\r\nz LOGOUT\r\n`);
  await new Promise((resolve) => child.once('close', resolve));
  return output;
}

/** What responses of one item each say of it, by message and item: NIL, a number, or "=" and the octets. */
function answers(text: string): Map<string, string> {
  const found = new Map<string, string>();
  let at = 0;
  for (;;) {
    let end = text.indexOf('\r\n', at);
    for (;;) {
      if (end === -1) return found;
      const literal = /\{(\d+)\}$/.exec(text.slice(Math.max(at, end - 20), end));
      if (literal === null) break;
      end = text.indexOf('\r\n', end + 2 + Number(literal[1]));
    }
    const response = text.slice(at, end);
    at = end + 2;
    const match = /^\* (\d+) FETCH \(((?:BODY|BINARY(?:\.SIZE)?)\[[^\]]*\](?:<\d+>)?) ([\s\S]*)\)$/.exec(
      response,
    );
    if (match === null) continue;
    const [, seq = '', item = '', value = ''] = match;
    found.set(`${seq} ${item.toUpperCase()}`, plain(value));
  }
}

function plain(value: string): string {
  const literal = /^~?\{\d+\}\r\n([\s\S]*)$/.exec(value);
  if (literal !== null) return `=${literal[1]}`;
  return value.startsWith('"') ? `=${value.slice(1, -1)}` : value;
}

/** Why an answer may differ from Dovecot's; undefined where it may not. `theirs` gives what Dovecot says of an item. */
function reasonFor(
  label: string,
  here: string | undefined,
  there: string | undefined,
  theirs: (item: string) => string | undefined,
): string | undefined {
  const path = /\[([\d.]*?)(?:\.(?:MIME|HEADER|TEXT).*)?\]/.exec(label)?.[1] ?? '';
  const parent = path.replace(/\.?\d+$/, '');
  // RFC 9051 section 7.5.2: a part that is not there is NIL; Dovecot has an empty string.
  if (here === 'NIL' && there === '=') return 'NIL for what is not there';
  // Only a message without parts has a part 1 (RFC 9051 section 6.4.5.1); for Dovecot any part without parts has.
  const above = label.replace(`[${path}`, `[${parent}`);
  if ((here === 'NIL' || here === '0') && path.endsWith('.1') && there === theirs(above))
    return 'no part 1 of a part without parts';
  // RFC 3516 decodes parts; Dovecot decodes what is inside of multiparts and messages too, and rewrites their headers.
  const mime = path === '' ? theirs('BODY[HEADER]') : theirs(`BODY[${path}.MIME]`);
  if (label.startsWith('BINARY') && /Content-Type: (?:multipart|message)\//.test(mime ?? ''))
    return 'multiparts and messages as they are in BINARY';
  return undefined;
}

const skip = skipUnlessRoot() || skipWithout('dovecot');

test('sections of nested messages are those of Dovecot', { skip }, async (t) => {
  const messages = Array.from({ length: MESSAGES }, (_, i) => message(numbers(i + 1), 4, 'm'));
  const directory = mkdtempSync(join(tmpdir(), 'postern-nested-'));
  const server = await imapTestServer();
  try {
    const cur = join(directory, 'home/Maildir/cur');
    mkdirSync(cur, { recursive: true });
    for (const path of ['.', 'home', 'home/Maildir', 'home/Maildir/cur']) {
      chmodSync(join(directory, path), 0o755);
      chownSync(join(directory, path), UID, UID);
    }
    const c = await server.ready();
    for (const [i, octets] of messages.entries()) {
      writeFileSync(join(cur, `${String(i).padStart(4, '0')}.x:2,S`), octets, { mode: 0o644 });
      await c.append('INBOX', octets);
    }
    writeFileSync(
      join(directory, 'dovecot.conf'),
      `base_dir = ${directory}/run\nmail_location = maildir:${directory}/home/Maildir\nlog_path = /dev/null\nssl = no\nmail_uid = ${UID}\nmail_gid = ${UID}\nfirst_valid_uid = 0\nfirst_valid_gid = 0\n`,
    );
    const asked = messages.flatMap((_, i) => ITEMS.map((item) => ({ seq: i + 1, item })));
    const lines = asked.map(({ seq, item }, n) => `f${n} FETCH ${seq} ${item}`);
    const theirs = answers(await askDovecot(directory, ['a SELECT INBOX', ...lines]));
    await c.ok('SELECT INBOX');
    const differ: string[] = [];
    const known = new Map<string, number>();
    for (const { seq, item } of asked) {
      const { untagged, tagged } = await c.command(`FETCH ${seq} ${item}`);
      const ours = answers(`* ${untagged[0]}\r\n`);
      const label = `${seq} ${item.replace('.PEEK', '').replace(/\.\d+>$/, '>')}`.toUpperCase();
      const [here, there] = [ours.get(label), theirs.get(label)];
      if (here === there) continue;
      const of = (other: string): string | undefined => theirs.get(`${seq} ${other}`);
      const reason = reasonFor(label.replace(/^\d+ /, ''), here, there, of);
      if (reason !== undefined) known.set(reason, (known.get(reason) ?? 0) + 1);
      else
        differ.push(`${label}\n  ours ${JSON.stringify(here)} ${tagged}\n  theirs ${JSON.stringify(there)}`);
    }
    t.diagnostic(
      `report: ${asked.length} items of ${messages.length} messages, ${differ.length} differ for no reason, ${[...known].map(([reason, count]) => `${count}: ${reason}`).join('; ')}`,
    );
    assert.deepEqual(differ, []);
  } finally {
    await server.close();
    rmSync(directory, { recursive: true });
  }
});
