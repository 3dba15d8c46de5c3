import type { Metrics } from '../base/metrics.ts';
import { createGuard, type LoginGuard } from '../data/bans/guard.ts';
import type { Recorder } from '../data/journal/recorder.ts';
import type { FlowDeps } from '../flow/deps.ts';
import type { FilterSettings } from '../flow/spam/settings.ts';
import {
  createOutgoingWatch,
  type OutgoingVerdict,
  type OutgoingWatch,
} from '../flow/submission/outgoing.ts';
import type { Config } from './config.ts';

/** What keeps this server from being abused: bans for guessing, holds for stolen passwords. */
export interface Brakes {
  readonly guard: LoginGuard;
  readonly outgoing: OutgoingWatch;
}

/** Resolves when bans that were set before hold again: before anything listens. */
export async function startBrakes(parts: {
  readonly deps: () => FlowDeps;
  readonly recorder: Recorder;
  readonly metrics: Metrics;
  readonly config: Config;
  /** The same object until something of it changes. */
  readonly settings: () => Pick<FilterSettings, 'bans' | 'outgoing'>;
  readonly verdict: OutgoingVerdict | undefined;
}): Promise<Brakes> {
  const { deps, recorder, metrics, config, settings, verdict } = parts;
  const { store, clock, logger } = deps();
  const guard = createGuard({
    store,
    clock,
    logger,
    metrics,
    journal: recorder,
    settings: () => settings().bans,
    proxies: config.listen.proxy_from,
  });
  await guard.load();
  return { guard, outgoing: createOutgoingWatch({ deps, settings: () => settings().outgoing, verdict }) };
}

/** What was counted and set is stored. */
export async function settleBrakes({ guard, outgoing }: Brakes): Promise<void> {
  await outgoing.flush();
  await guard.settled();
}
