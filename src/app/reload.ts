import { isDeepStrictEqual } from 'node:util';
import { Refusal } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import type { Scheduler } from '../flow/outbound/scheduler.ts';
import type { RelaySettings } from '../flow/outbound/transports/relay.ts';
import { type Config, configKeys } from './config.ts';
import type { Core } from './core.ts';
import { relaySettings } from './settings.ts';

/** Taking on a changed configuration while everything runs. */

/**
 * Send by the relay that the configuration wants from the next attempt on; its password may be new in a file with the
 * same name. Throws a `Refusal` when a changed relay cannot be used; an unchanged one stays, and the problem is returned.
 */
export async function reloadRelay(core: Core, scheduler: Scheduler, wanted: Config): Promise<string[]> {
  const before = core.live.config.relay;
  // A try-out's relay is no matter of the configuration.
  if (wanted.relay.host === '' && before.host === '') return [];
  let relay: RelaySettings | undefined;
  try {
    relay = await relaySettings(wanted);
  } catch (error) {
    if (error instanceof Refusal && isDeepStrictEqual(wanted.relay, before)) return [error.message];
    throw error;
  }
  if (isDeepStrictEqual(relay, core.relay)) return [];
  core.relay = relay;
  scheduler.useRelay(relay);
  core.options.logger.info({ host: relay?.host ?? null, port: relay?.port ?? null }, 'relay: changed');
  return [];
}

/** The configuration that holds after a reload: live keys from the new one, all others as they were at the start. */
export function mergeLive(
  old: Config,
  wanted: Config,
): { merged: Config; applied: readonly string[]; restart: readonly string[] } {
  const merged = structuredClone(old);
  const applied: string[] = [];
  const restart: string[] = [];
  for (const { name, live } of configKeys()) {
    const [first = '', second] = name.split('.');
    const from = (second === undefined ? wanted : wanted[first as keyof Config]) as Record<string, unknown>;
    const to = (second === undefined ? merged : merged[first as keyof Config]) as Record<string, unknown>;
    const key = second ?? first;
    if (JSON.stringify(from[key]) === JSON.stringify(to[key])) continue;
    if (live === true) to[key] = from[key];
    (live === true ? applied : restart).push(name);
  }
  return { merged, applied, restart };
}

export function logTlsReload(
  logger: Logger,
  report: { changed: boolean; problems: readonly string[] },
): void {
  if (report.changed) logger.info({}, 'tls: new certificate in use');
  for (const problem of report.problems)
    logger.error({ problem }, 'tls: certificate not loaded, the one before stays');
}
