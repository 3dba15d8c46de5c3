import { systemClock } from '../../base/clock.ts';
import { errorText, Refusal } from '../../base/errors.ts';
import { createLogger } from '../../base/log.ts';
import type { Dns } from '../../mail/dns.ts';
import { createAws } from '../../net/aws/client.ts';
import { targetName } from '../../net/listener/bind.ts';
import { readResolvConf } from '../../net/dns/resolv-conf.ts';
import { createResolver } from '../../net/dns/resolver.ts';
import { handleFailures, stopSignals } from '../signals.ts';
import { type RelayConfig, relayConfig } from './config.ts';
import { FlagError, type GoFlags, readGoFlags } from './go-flags.ts';
import { startRelay } from './start.ts';
import { RELAY_FLAGS, relayHelp } from './table.ts';

/** Milliseconds for what is under way when the relay is told to stop: most supervisors kill after 30 seconds. */
const GRACE_MS = 25_000;
/** What Go's programs exit with when their command line cannot be read. */
const USAGE_STATUS = 2;

/** The `relay` command. Resolves with the exit status. */
export async function relayCommand(args: readonly string[]): Promise<number> {
  let flags: GoFlags;
  let config: RelayConfig;
  try {
    flags = readGoFlags(args, [...RELAY_FLAGS, { name: 'help', kind: 'switch' }]);
    if (flags.values.get('help') === 'true') {
      process.stdout.write(relayHelp());
      return 0;
    }
    config = await relayConfig(flags, process.env);
  } catch (error) {
    if (error instanceof FlagError) {
      process.stderr.write(`${error.message}\n"postern relay --help" lists what there is\n`);
      return USAGE_STATUS;
    }
    // Without a name in front: as the program that it replaces says it.
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  }
  return run(config);
}

async function run(config: RelayConfig): Promise<number> {
  const clock = systemClock;
  process.umask(0o077);
  const logger = createLogger({
    level: config.logLevel,
    pretty: process.stderr.isTTY,
    write: (line) => process.stderr.write(line),
  });
  const signals = stopSignals(clock, () => process.exit(1));
  handleFailures({ logger, clock, count: () => undefined, flush: async () => undefined });
  for (const warning of config.warnings) process.stderr.write(`warning: ${warning}\n`);
  const aws = createAws(config.aws, { clock });
  try {
    const relay = await startRelay({
      config,
      aws,
      clock,
      logger,
      log: (line) => process.stdout.write(line),
      random: Math.random,
      dns: await systemResolver(),
      processMetrics: true,
    });
    process.stderr.write(`listening on ${targetName(relay)}, sending through ${describe(config)}\n`);
    if (relay.http !== undefined)
      process.stderr.write(`metrics on http://${targetName(relay.http)}/metrics\n`);
    // Mail waits at its clients until they are there; who starts the relay should know.
    aws.keys().catch((error: unknown) => logger.warn({ error: errorText(error) }, 'mail cannot be sent'));
    await signals.asked;
    await relay.stop(GRACE_MS);
    return 0;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`${error.message}\n`);
    return 1;
  } finally {
    signals.dispose();
    aws.close();
  }
}

function describe({ sesVersion, aws, spool }: RelayConfig): string {
  const kept = spool === undefined ? '' : `, spool in ${spool}`;
  return `Amazon SES (API version ${sesVersion}, ${aws.region})${kept}`;
}

/** The system's DNS, for reverse names; without one there are none. */
async function systemResolver(): Promise<Dns | undefined> {
  try {
    return createResolver({ servers: await readResolvConf('/etc/resolv.conf'), clock: systemClock });
  } catch {
    return undefined;
  }
}
