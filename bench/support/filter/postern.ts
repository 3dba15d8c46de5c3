import { fork } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.ts';
import { exitOf, stopTree, until } from '../processes.ts';
import { defer } from '../resources.ts';
import { ImapClient } from '../imap.ts';
import { accountNames, DOMAIN, PASSWORD, type Setup } from '../system.ts';
import type { LoopDelay, PosternOptions } from './postern.main.ts';
import type { FilteredSystem } from './system.ts';

const MAIN = fileURLToPath(new URL('./postern.main.ts', import.meta.url));

/** Postern with its filter; `filter: false` leaves only the authentication of senders. */
export async function startFilteredPostern(
  setup: Setup,
  dns: number,
  filter = true,
): Promise<FilteredSystem> {
  const dir = join(setup.dir, 'postern');
  await mkdir(dir, { recursive: true });
  const ports = { smtp: setup.portBase + 25, imap: setup.portBase + 143 };
  const names = accountNames(setup.accounts);
  const options: PosternOptions = { data: join(dir, 'data'), ...ports, dns, accounts: names, filter };
  const log = openSync(join(dir, 'log'), 'a');
  const from = systemClock.monotonic();
  const child = fork(MAIN, [JSON.stringify(options)], {
    stdio: ['ignore', log, log, 'ipc'],
    execArgv: [...setup.nodeFlags],
    cwd: dir,
  });
  const pid = child.pid ?? 0;
  const undo = defer(() => stopTree(pid));
  const died = exitOf(child).then((code) => {
    throw new Error(`Postern ended with ${code}; see ${dir}/log`);
  });
  died.catch(() => undefined);
  const accounts = names.map((name) => ({ address: `${name}@${DOMAIN}`, password: PASSWORD }));
  const first = accounts[0] ?? { address: '', password: '' };
  const answers = async (): Promise<boolean> => {
    try {
      (await ImapClient.login(ports.imap, first)).close();
      return true;
    } catch {
      return false;
    }
  };
  await Promise.race([died, until('Postern', 60_000, 50, answers)]);
  return {
    name: filter ? 'Postern' : 'Postern, filter off',
    ports,
    accounts,
    mailboxes: ['INBOX', 'Junk'],
    submission: 0,
    roots: () => [pid],
    startMs: systemClock.monotonic() - from,
    flushQueue: async () => undefined,
    stop: undo,
    watchLoop() {
      child.send('watch');
    },
    async loopDelay() {
      child.send('tell');
      const [delay] = (await once(child, 'message')) as [LoopDelay];
      return delay;
    },
  };
}
