/**
 * Messages a second that "postern import" brings in: `node bench/import.ts [--messages N] [--bytes N]`. A server and the
 * command line in processes of their own, as in use; a Maildir and, where Debian's Dovecot is installed and we are root,
 * that Dovecot by IMAP over loopback. Prints one line of JSON for each.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { skipUnlessRoot, skipWithout } from '../test/support/programs.ts';
import { startDovecot, DOVECOT_PASSWORD } from '../test/import/dovecot.ts';
import { startTestServer } from '../test/support/server.ts';
import { cp, chown, readdir } from 'node:fs/promises';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '5000' },
    bytes: { type: 'string', default: '8000' },
  },
});
const messages = Number(values.messages);
const bytes = Number(values.bytes);
const ADDRESS = 'alice@example.test';
const MAIN = new URL('../src/app/main.ts', import.meta.url).pathname;
/** Octets of a line of the messages. */
const LINE = 'All work and no play makes Jack a dull boy, and the line goes on a bit.\n';

const directory = await mkdtemp(join(tmpdir(), 'postern-bench-import-'));
const accounts = ['alice', 'bob', 'carol'].map((name) => `${name}@example.test`);
const server = await startTestServer({ accounts });
try {
  await makeMaildir();
  await measure('maildir', 'alice@example.test', ['import', 'maildir', join(directory, 'Maildir')]);
  await measure('maildir again', 'alice@example.test', ['import', 'maildir', join(directory, 'Maildir')]);
  const skip = skipWithout('dovecot') || skipUnlessRoot();
  if (skip !== false) console.log(JSON.stringify({ what: 'imap', skipped: skip }));
  else await fromDovecot();
} finally {
  await server.close();
  await rm(directory, { recursive: true, force: true });
}

async function makeMaildir(): Promise<void> {
  await mkdir(join(directory, 'Maildir/cur'), { recursive: true });
  await mkdir(join(directory, 'Maildir/new'));
  await mkdir(join(directory, 'Maildir/tmp'));
  const body = LINE.repeat(Math.ceil(bytes / LINE.length));
  for (let i = 0; i < messages; i++) {
    const head = `From: <a@x.test>\nTo: <${ADDRESS}>\nSubject: message ${i}\nMessage-ID: <${i}@x.test>\nDate: Mon, 5 Feb 2024 10:00:00 +0000\n\n`;
    await writeFile(join(directory, `Maildir/cur/${1_700_000_000 + i}.M${i}.host:2,S`), head + body);
  }
}

async function fromDovecot(): Promise<void> {
  const dovecot = await startDovecot([ADDRESS]);
  try {
    const maildir = dovecot.maildir(ADDRESS);
    await cp(join(directory, 'Maildir'), maildir, { recursive: true });
    await giveAway(join(maildir, '..'));
    await writeFile(join(directory, 'secret'), DOVECOT_PASSWORD);
    const place = [`127.0.0.1:${dovecot.port}`, '--tls', 'none', '--user', ADDRESS];
    const words = ['import', 'imap', ...place, '--password-file', join(directory, 'secret')];
    // Dovecot makes its index at the first look, which is no part of what is measured.
    await command([...words, '--account', 'bob@example.test', '--dry-run']);
    await measure('imap', 'bob@example.test', words);
    await measure('imap again', 'bob@example.test', words);
    await measure('imap, verified', 'carol@example.test', [...words, '--verify']);
  } finally {
    await dovecot.stop();
  }
}

async function giveAway(path: string): Promise<void> {
  await chown(path, 5000, 5000);
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (entry.isDirectory()) await giveAway(join(path, entry.name));
    else await chown(join(path, entry.name), 5000, 5000);
  }
}

async function measure(what: string, account: string, words: readonly string[]): Promise<void> {
  const begun = performance.now();
  const { out, peakKiB } = await command([...words, '--account', account, '--json']);
  const seconds = (performance.now() - begun) / 1000;
  const report = JSON.parse(out) as { accounts: { folders: { added: number; bytes: number }[] }[] };
  const added = report.accounts[0]?.folders.reduce((sum, folder) => sum + folder.added, 0) ?? 0;
  const perSecond = Math.round(messages / seconds);
  console.log(
    JSON.stringify({
      what,
      messages,
      bytes,
      added,
      seconds: Number(seconds.toFixed(2)),
      perSecond,
      peakMiB: Math.round(peakKiB / 1024),
    }),
  );
}

function command(words: readonly string[]): Promise<{ out: string; peakKiB: number }> {
  return new Promise((resolve, reject) => {
    const report =
      'process.on("exit",()=>process.stderr.write(`\\npeak ${process.resourceUsage().maxRSS}\\n`))';
    const options = ['--import', `data:text/javascript,${encodeURIComponent(report)}`];
    const child = spawn(process.execPath, [...options, MAIN, ...words, '--data', server.directory], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.on('close', (code) => {
      if (code !== 0) reject(new Error(`${words.join(' ')}: ${code}\n${err}${out}`));
      else resolve({ out, peakKiB: Number(/peak (\d+)/.exec(err)?.[1] ?? 0) });
    });
  });
}
