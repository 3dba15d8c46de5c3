import type { Filter } from '../flow/spam/filter.ts';
import { learnKept, learnWishes, type TrainerParts } from '../flow/spam/trainer.ts';
import type { Job, JobParts } from './jobs.ts';

/** What the filter does beside judging: it learns, and forgets. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Milliseconds a Message-ID we sent is remembered: answers come within days, seldom within months. */
const SENT_KEPT_MS = 180 * DAY;
/** Milliseconds without mail after which a sender's name here is forgotten. */
const REPUTATION_KEPT_MS = 90 * DAY;
const BATCH = 500;

function trainer({ store, clock, logger, filter }: JobParts & { readonly filter: Filter }): TrainerParts {
  const { good_per_junked: goodPerJunked } = filter.settings;
  return { store, clock, logger, goodPerJunked, scanner: filter.scanner };
}

export const FILTER_JOBS: readonly Job[] = [
  {
    // Mail that comes in asks each time; bans and what else does not wait for mail see a change within a minute.
    name: 'look at the settings of the filter',
    everyMs: MINUTE,
    async run({ filter }) {
      await filter.current();
      if (!filter.settings.enabled) filter.scanner.rest();
      return false;
    },
  },
  {
    name: 'learn what was moved into and out of Junk',
    everyMs: 2 * MINUTE,
    run: (parts) => learnWishes(trainer(parts)),
  },
  {
    name: 'learn what was kept',
    everyMs: DAY,
    async run(parts) {
      const accounts = await parts.store.read.run('directory.accounts', {});
      for (const { id, status } of accounts) {
        if (status !== 'active') continue;
        // One account's trouble is not the others'; what failed is tried again the next day.
        await learnKept(trainer(parts), id).catch(() => undefined);
      }
      return false;
    },
  },
  {
    name: 'forget senders',
    everyMs: DAY,
    async run({ store, clock }) {
      const now = clock.now();
      let after = 0;
      for (let more = true; more; ) {
        ({ more, after } = await store.write.run('spam.forget', {
          sentBefore: now - SENT_KEPT_MS,
          reputationBefore: now - REPUTATION_KEPT_MS,
          after,
          limit: BATCH,
        }));
      }
      return false;
    },
  },
  {
    name: 'forget who waited',
    everyMs: HOUR,
    async run({ store }) {
      await store.write.run('greylist.forget', {});
      return false;
    },
  },
  {
    name: 'empty the vault',
    everyMs: HOUR,
    async run({ store, clock, filter }) {
      const maxBytes = filter.settings.vault.bytes;
      const { files, more } = await store.write.run('vault.purge', {
        before: clock.now(),
        maxBytes,
        limit: BATCH,
      });
      for (const file of files) await store.bodies.remove(file);
      return more;
    },
  },
];
