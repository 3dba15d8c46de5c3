import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { errorText, Refusal } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { openTlsStore, type TlsStore } from '../net/tls-store.ts';
import type { Config } from './config.ts';
import { DEFAULT_CONFIG, loadConfig } from './config-load.ts';
import { readFlags } from './flags.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { isTryOut } from './marker.ts';
import { becomeUser, bindPorts, type BoundSockets, checkAccess, findUser } from './privileges.ts';
import { configuredLogger, runProgram } from './run.ts';
import type { RunningServer } from './server.ts';
import { relaySettings, systemDns } from './settings.ts';
import { refuseTryOutPasswords } from './weak-passwords.ts';

/** `postern serve`: the real server, on the ports and with the data that postern.toml names. */

const HELP = `postern serve: run the mail server that "postern init" set up.

  --config FILE   configuration (default: POSTERN_CONFIG, else ${DEFAULT_CONFIG})
  --check         read the configuration, say what is wrong with it, and end
  --help          this text

Signals: SIGHUP reads configuration and certificates again, SIGTERM stops when what is under way has ended.
Every key of the configuration can also be given in the environment, as POSTERN_SECTION_KEY.
`;

/** The `serve` command. Resolves with the exit status. */
export async function serveCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('postern serve', args, { text: ['config'], on: ['check'] });
  if (flags.on.has('help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const file = configFile(flags.text.config);
  const config = await loadConfig(file, process.env);
  if (flags.on.has('check')) {
    await openTls(config);
    process.stdout.write(`${file ?? 'environment'}: nothing wrong\n`);
    return 0;
  }
  refuseUnfit(config);
  const logger = configuredLogger(config);
  const tls = await openTls(config);
  const relay = await relaySettings(config);
  const dns = await systemDns(config, systemClock);
  const bound = dropRoot(config, logger);
  let lock: DirectoryLock | undefined;
  return runProgram({
    logger,
    async start() {
      lock = lockDirectory(config.data);
      // Loaded only now, so that a mistake in the configuration is told at once.
      const { startServer } = await import('./server.ts');
      const server = await startServer({
        config,
        logger,
        tls,
        relay,
        dns,
        processMetrics: true,
        bound: bound?.targets,
        beforeListening: (store) => refuseTryOutPasswords(store, systemClock),
      });
      announce(server, logger, tls);
      return server;
    },
    started: (server) => reloadOnHangup(server, file, logger),
    ended: () => lock?.release(),
  });
}

/** The file that was named must be there; the default one need not be where the environment says everything. */
function configFile(given: string | undefined): string | undefined {
  const named = given ?? process.env.POSTERN_CONFIG;
  if (named !== undefined) return named;
  return existsSync(DEFAULT_CONFIG) || process.env.POSTERN_HOSTNAME === undefined
    ? DEFAULT_CONFIG
    : undefined;
}

/** A real server never starts on a try-out's data, nor on a directory that init has not filled. */
function refuseUnfit(config: Config): void {
  const { data } = config;
  if (isTryOut(data)) {
    throw new Refusal(
      'not-permitted',
      `${data} belongs to a try-out, whose passwords everybody knows: run "postern init" with another directory`,
    );
  }
  if (!existsSync(join(data, 'mail.db'))) {
    throw new Refusal(
      'bad-input',
      `${data} holds no mail of Postern: run "postern init" first, or correct "data"`,
    );
  }
}

function openTls(config: Config): Promise<TlsStore> {
  const { cert, key } = config.tls;
  const files = cert === '' ? [] : [{ certFile: cert, keyFile: key }];
  return openTlsStore({ files, clock: systemClock }).catch((error: unknown) => {
    if (!(error instanceof Refusal)) throw error;
    throw new Refusal(
      'bad-input',
      `tls: ${error.message} (without tls.cert and tls.key the server starts without TLS)`,
    );
  });
}

/** As root: bind the ports, then become the configured user. Otherwise only check that we can do our work. */
function dropRoot(config: Config, logger: Logger): BoundSockets | undefined {
  if (process.getuid?.() !== 0 || config.user === 'root') {
    checkAccess(config.data, config.user === 'root' ? 'root' : `number ${process.getuid?.() ?? 0}`);
    return undefined;
  }
  const user = config.user === '' ? undefined : findUser(config.user);
  if (user === undefined) {
    const what =
      config.user === '' ? 'no user to become is configured' : `there is no user "${config.user}" to become`;
    throw new Refusal(
      'bad-input',
      `${what}: make one ("useradd --system --shell /usr/sbin/nologin postern") or set "user"`,
    );
  }
  const bound = bindPorts(config);
  becomeUser(user);
  checkAccess(config.data, user.name);
  logger.info({ user: user.name }, 'ports are bound, root is given up');
  return bound;
}

function announce(server: RunningServer, logger: Logger, tls: TlsStore): void {
  if (tls.certificates().length === 0) {
    logger.warn(
      {},
      'no certificate (tls.cert, tls.key): no TLS anywhere, and so no logins; mail is received without encryption',
    );
  }
  for (const { service, reason } of server.leftOut)
    logger.error({ service, reason }, 'service is not started');
  for (const { service, address, port } of server.listeners)
    logger.info({ service, address, port }, 'listening');
  logger.info(
    { hostname: server.config.hostname, data: server.config.data, admin: server.adminSocket },
    'ready',
  );
}

function reloadOnHangup(server: RunningServer, file: string | undefined, logger: Logger): void {
  let running = Promise.resolve();
  process.on('SIGHUP', () => {
    running = running.then(() => reload(server, file, logger));
  });
}

/** A configuration with a mistake changes nothing: what was before stays. */
async function reload(server: RunningServer, file: string | undefined, logger: Logger): Promise<void> {
  try {
    const { applied, restart, problems } = await server.reload(await loadConfig(file, process.env));
    for (const problem of problems)
      logger.error({ problem }, 'reload: certificate not loaded, the one before stays');
    if (restart.length > 0) logger.warn({ keys: restart }, 'reload: these changes need a restart');
    logger.info({ changed: applied }, 'reload: done');
  } catch (error) {
    logger.error({ error: errorText(error) }, 'reload: nothing changed');
  }
}
