import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';

/** Says once when mail has waited for too long, again each hour while it does, and once when that is over. */

const MINUTE = 60_000;
const AGAIN_MS = 60 * MINUTE;

export interface LagAlarm {
  /** `oldest`: when SES received what waits longest, milliseconds since the epoch. */
  check(oldest: number | undefined): void;
  /** Since when, milliseconds since the epoch; undefined: all is well. */
  readonly since: number | undefined;
}

export function createLagAlarm(parts: {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limitMinutes: () => number;
  readonly tell: (event: { what: 'alarm' | 'alarm over'; minutes: number }) => void;
}): LagAlarm {
  const { clock, logger, tell } = parts;
  let since: number | undefined;
  let toldAt = 0;
  return {
    get since() {
      return since;
    },
    check(oldest) {
      const now = clock.now();
      const limit = parts.limitMinutes();
      const minutes = oldest === undefined ? 0 : Math.floor((now - oldest) / MINUTE);
      if (limit === 0 || minutes < limit) {
        if (since !== undefined) {
          logger.info({}, 'intake: no mail waits for too long any more');
          tell({ what: 'alarm over', minutes });
        }
        since = undefined;
        return;
      }
      if (since !== undefined && now - toldAt < AGAIN_MS) return;
      since ??= now;
      toldAt = now;
      logger.error(
        { minutes, limit },
        'intake: mail has waited too long in the bucket; postern intake status',
      );
      tell({ what: 'alarm', minutes });
    },
  };
}
