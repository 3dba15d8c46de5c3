/**
 * Postern's server as `postern serve` starts it, with all of the filter on, for the benchmark: passwords without TLS, the
 * client's address from the PROXY protocol, DNS from the port that is given. Argument: `PosternOptions` as JSON. A
 * message from the parent asks how long the event loop was held since the last one.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { every, systemClock } from '../../../src/base/clock.ts';
import { createLogger } from '../../../src/base/log.ts';
import { makeConfig } from '../../../src/app/config-load.ts';
import { runProgram } from '../../../src/app/run.ts';
import { startServer } from '../../../src/app/server.ts';
import { systemDns } from '../../../src/app/settings.ts';
import { hashPassword } from '../../../src/data/directory/passwords.ts';
import type { OpenStore } from '../../../src/data/open.ts';
import { DOMAIN, PASSWORD } from '../system.ts';
import { PROXY } from './client.ts';
import { DOMAIN_LIST, IP_LIST } from './zone.ts';

export interface PosternOptions {
  readonly data: string;
  readonly smtp: number;
  readonly imap: number;
  readonly dns: number;
  readonly accounts: readonly string[];
  readonly filter: boolean;
}

/** How long the event loop was held, milliseconds. */
export interface LoopDelay {
  readonly p99: number;
  readonly worst: number;
  /** The most CPU time that the main thread used between two looks of a millisecond's timer: what no other program can cause. */
  readonly worstCpu: number;
}

const MS = 1e6;
const given = JSON.parse(process.argv[2] ?? '{}') as PosternOptions;
const logger = createLogger({ level: 'warn', pretty: false });

const code = await runProgram({
  logger,
  graceMs: 5000,
  async start() {
    const config = makeConfig({
      hostname: `mail.${DOMAIN}`,
      data: given.data,
      dns: { servers: [`127.0.0.1:${given.dns}`] },
      listen: {
        smtp: [`127.0.0.1:${given.smtp}`],
        imap: [`127.0.0.1:${given.imap}`],
        submission: [],
        submissions: [],
        imaps: [],
        managesieve: [],
        http: [],
        proxy_from: [`${PROXY}/32`],
      },
      limits: { sessions: 2000, sessions_per_address: 0 },
    });
    const codes = { '127.0.0.2': { score: 2, means: 'listed' } };
    const server = await startServer({
      config,
      logger,
      dns: await systemDns(config, systemClock),
      plaintextAuth: true,
      filter: (settings) => ({
        ...settings,
        enabled: given.filter,
        // Everything is delivered, on both sides, so that it can be counted.
        refuse: 'never',
        greylist: { ...settings.greylist, mode: 'off' },
        attachments: { refuse: [], junk: settings.attachments.junk },
        lists: [
          { zone: IP_LIST, of: 'ip', codes, refuse: false },
          { zone: DOMAIN_LIST, of: 'domain', codes, refuse: false },
        ],
      }),
      beforeListening: makeAccounts,
    });
    watchLoop();
    return server;
  },
});
process.exit(code);

async function makeAccounts(store: OpenStore): Promise<void> {
  const actor = { name: 'system', role: 'system', domainId: undefined } as const;
  await store.write.run('directory.addDomain', { actor, name: DOMAIN });
  for (const name of given.accounts) {
    const secrets = await hashPassword(PASSWORD, { minLength: 1 });
    const address = `${name}@${DOMAIN}`;
    await store.write.run('directory.addAccount', {
      actor,
      address,
      displayName: name,
      role: 'user',
      quota: 0,
      ...secrets,
    });
  }
}

function watchLoop(): void {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  let worstCpu = 0;
  let before = process.threadCpuUsage();
  let sampling: { cancel(): void } | undefined;
  const look = (): void => {
    const now = process.threadCpuUsage();
    worstCpu = Math.max(worstCpu, (now.user + now.system - before.user - before.system) / 1000);
    before = now;
  };
  process.on('message', (wish) => {
    // Watched only while asked for: it costs a little.
    if (wish === 'watch') {
      histogram.enable();
      histogram.reset();
      worstCpu = 0;
      before = process.threadCpuUsage();
      sampling ??= every(systemClock, 1, look);
      return;
    }
    histogram.disable();
    sampling?.cancel();
    sampling = undefined;
    const delay: LoopDelay = { p99: histogram.percentile(99) / MS, worst: histogram.max / MS, worstCpu };
    process.send?.(delay);
  });
}
