import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { greeting } from './line-client.ts';
import { exitOf, run, stopTree, until } from './processes.ts';
import { defer } from './resources.ts';
import { SmtpClient } from './smtp.ts';
import { accountNames, DOMAIN, type MailSystem, PASSWORD, type Setup } from './system.ts';

const CHECKOUT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const MAIN = join(CHECKOUT, 'src/app/main.ts');

/**
 * The try-out as a child process: the same server as in real use, on loopback, without limits by address. Passwords go
 * without TLS, as with the peer. Its log goes to a file, as the peer's do.
 */
export async function startPostern(setup: Setup): Promise<MailSystem> {
  const dir = join(setup.dir, 'postern');
  await mkdir(dir, { recursive: true });
  const data = join(dir, 'data');
  const ports = { smtp: setup.portBase + 25, imap: setup.portBase + 143 };
  const log = openSync(join(dir, 'log'), 'a');
  const flags = ['--data', data, '--port-base', `${setup.portBase}`, '--plaintext-auth'];
  const from = systemClock.monotonic();
  const child = spawn(
    process.execPath,
    [...setup.nodeFlags, MAIN, 'try', ...flags, '--relay', `127.0.0.1:${setup.relayPort}`],
    { stdio: ['ignore', log, log], cwd: dir },
  );
  const exit = exitOf(child);
  const pid = child.pid ?? 0;
  const undo = defer(() => stopTree(pid));
  const died = exit.then((code) => {
    throw new Error(`Postern ended with ${code}; see its log`);
  });
  died.catch(() => undefined);
  await Promise.race([died, ready(ports.smtp, ports.imap)]);
  const startMs = systemClock.monotonic() - from;
  const cli = async (...args: string[]) =>
    (await run(process.execPath, [MAIN, ...args, '--data', data], { input: `${PASSWORD}\n` })).stdout;
  // The peer has no content filter here either; bench/filter.ts compares with one on both sides.
  await cli('filter', 'set', 'enabled', 'false');
  // alice and bob are there; others are added as an administrator would.
  for (const name of accountNames(setup.accounts).slice(2)) {
    await cli('account', 'add', `${name}@${DOMAIN}`, '--password-stdin');
  }
  return {
    name: 'Postern',
    ports,
    accounts: accountNames(setup.accounts).map((name) => ({
      address: `${name}@${DOMAIN}`,
      password: PASSWORD,
    })),
    submission: setup.portBase + 587,
    roots: () => [pid],
    startMs,
    flushQueue: async () => void (await cli('queue', 'retry', '--all')),
    stop: undo,
  };
}

/** Both ports greet, and bob, who is made last in the first run, gets mail. */
async function ready(smtp: number, imap: number): Promise<void> {
  await Promise.all([greeting(smtp, '220'), greeting(imap, '* OK')]);
  const client = await SmtpClient.open(smtp);
  await until('the accounts', 10_000, 5, () => client.takes(`bob@${DOMAIN}`));
  client.close();
}
