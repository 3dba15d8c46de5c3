import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../base/clock.ts';
import { errnoCode, errorText, Refusal } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { openTlsStore, type TlsStore } from '../net/tls-store.ts';
import type { Config } from './config.ts';
import { DEFAULT_CONFIG, loadConfig } from './config-load.ts';
import { readFlags } from './flags.ts';
import { type DirectoryLock, lockDirectory } from './lock.ts';
import { isTryOut } from './marker.ts';
import {
  becomeUser,
  bindPorts,
  type BoundSockets,
  checkAccess,
  findUser,
  isReadable,
  type SystemUser,
  userCommand,
} from './privileges.ts';
import { configuredLogger, type LevelledLogger, runProgram } from './run.ts';
import type { RunningServer } from './server.ts';
import { relaySettings, systemDns } from './settings.ts';
import { setPasswordOffline } from './set-password.ts';
import { refuseTryOutPasswords } from './weak-passwords.ts';

/** `postern serve`: the real server, on the ports and with the data that postern.toml names. */

const HELP = `postern serve: run the mail server that "postern init" set up.

  --config FILE   configuration (default: POSTERN_CONFIG, else ${DEFAULT_CONFIG})
  --check         say what would keep the server from starting or from reloading, and end
  --set-password ADDRESS
                  set the password of an account while the server is stopped (running: "postern account passwd");
                  asked for at the terminal, else one line on standard input
  --help          this text

Signals: SIGHUP reads configuration and certificates again, SIGTERM stops when what is under way has ended.
Every key of the configuration can also be given in the environment, as POSTERN_SECTION_KEY.
`;

/** The `serve` command. Resolves with the exit status. */
export async function serveCommand(args: readonly string[]): Promise<number> {
  const flags = readFlags('postern serve', args, { text: ['config', 'set-password'], on: ['check'] });
  if (flags.on.has('help')) {
    process.stdout.write(HELP);
    return 0;
  }
  const file = configFile(flags.text.config);
  const config = await loadConfig(file, process.env);
  refuseUnfit(config);
  if (flags.on.has('check')) return check(config, file);
  const address = flags.text['set-password'];
  if (address !== undefined) {
    takeUser(config);
    return setPasswordOffline(config.data, address);
  }
  const logger = configuredLogger(config);
  const tls = await openTls(config);
  const relay = await relaySettings(config);
  const dns = await systemDns(config, systemClock);
  const bound = dropRoot(config, file, logger);
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
        configFile: file,
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
  if (isClosed(data)) {
    throw new Refusal(
      'not-permitted',
      `this user may not look into ${data}: start it as the user that the mail belongs to ("ls -ld ${data}" names it), or as root`,
    );
  }
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

/** Where one may not look there seems to be nothing. */
function isClosed(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return false;
  } catch (error) {
    return errnoCode(error) === 'EACCES';
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

/** All that a start and a later reload need, tried as the user who will need it. */
async function check(config: Config, file: string | undefined): Promise<number> {
  await openTls(config);
  await relaySettings(config);
  await systemDns(config, systemClock);
  const who = takeUser(config);
  const problems = unreadable(config, file, who);
  if (problems.length > 0) throw new Refusal('not-permitted', problems.join('\n'));
  await loadProgram(who);
  process.stdout.write(`${file ?? 'environment'}: nothing wrong\n`);
  return 0;
}

/** Some file of the program may be closed to the user although its folders are open. */
async function loadProgram(who: string): Promise<void> {
  try {
    await import('./server.ts');
  } catch (error) {
    throw new Refusal('not-permitted', `user ${who} cannot read the program: ${errorText(error)}`);
  }
}

/** Files that are read again while the server runs (SIGHUP, a new certificate), when it is no longer root. */
function unreadable(config: Config, file: string | undefined, who: string): string[] {
  const files = [
    ['tls.cert', config.tls.cert],
    ['tls.key', config.tls.key],
    ['relay.password_file', config.relay.password_file],
    ['the configuration', file ?? ''],
  ] as const;
  return files
    .filter(([, path]) => path !== '' && !isReadable(path))
    .map(
      ([name, path]) =>
        `user ${who} cannot read ${name}, ${path}, and so not again when it changes: "setfacl -m u:${who}:r ${path}" mends it (for its directories, u:${who}:x)`,
    );
}

/** Become the configured user when we are root, and see that we can do our work. Returns who we are. */
function takeUser(config: Config): string {
  const user = userToBecome(config);
  if (user !== undefined) becomeUser(user);
  const who = user?.name ?? (config.user === 'root' ? 'root' : `number ${process.getuid?.() ?? 0}`);
  checkAccess(config.data, who);
  return who;
}

/** As root: bind the ports, then become the configured user. Otherwise only check that we can do our work. */
function dropRoot(config: Config, file: string | undefined, logger: Logger): BoundSockets | undefined {
  const bound = userToBecome(config) === undefined ? undefined : bindPorts(config);
  const who = takeUser(config);
  if (bound !== undefined) logger.info({ user: who }, 'ports are bound, root is given up');
  for (const problem of unreadable(config, file, who)) logger.warn({}, problem);
  return bound;
}

/** Undefined when we stay who we are: already an ordinary user, or told to be root. */
function userToBecome(config: Config): SystemUser | undefined {
  if (process.getuid?.() !== 0 || config.user === 'root') return undefined;
  const user = config.user === '' ? undefined : findUser(config.user);
  if (user === undefined) {
    const what =
      config.user === '' ? 'no user to become is configured' : `there is no user "${config.user}" to become`;
    throw new Refusal(
      'bad-input',
      `${what}: make it ("${userCommand(config.user || 'postern', config.data).join(' ')}") or set "user"`,
    );
  }
  return user;
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
  if (server.setupLink !== undefined)
    logger.warn(
      { link: server.setupLink },
      'there is no domain yet: set the server up at this link (it is good once)',
    );
  logger.info(
    { hostname: server.config.hostname, data: server.config.data, admin: server.adminSocket },
    'ready',
  );
}

function reloadOnHangup(server: RunningServer, file: string | undefined, logger: LevelledLogger): void {
  let running = Promise.resolve();
  process.on('SIGHUP', () => {
    running = running.then(() => reload(server, file, logger));
  });
}

/** A configuration with a mistake changes nothing: what was before stays. */
async function reload(
  server: RunningServer,
  file: string | undefined,
  logger: LevelledLogger,
): Promise<void> {
  try {
    const { applied, restart, problems } = await server.reload(await loadConfig(file, process.env));
    for (const problem of problems) logger.error({ problem }, 'reload: not loaded, the one before stays');
    logger.setLevel(server.config.log.level);
    if (restart.length > 0) logger.warn({ keys: restart }, 'reload: these changes need a restart');
    logger.info({ changed: applied }, 'reload: done');
  } catch (error) {
    logger.error({ error: errorText(error) }, 'reload: nothing changed');
  }
}
