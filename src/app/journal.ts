import { randomBytes } from 'node:crypto';
import type { Logger } from '../base/log.ts';
import type { JournalData } from '../data/journal/types.ts';
import { settingsOf } from '../data/journal/policy.ts';
import {
  defaultJournalSettings,
  type Hiding,
  hideData,
  hideText,
  type JournalSettings,
  KEY_SETTING,
} from '../data/journal/privacy.ts';
import type { OpenStore } from '../data/open.ts';
import type { Job } from './jobs.ts';

/** What the journal and the log keep of people. */
export interface JournalPart {
  settings(): JournalSettings;
  /** The settings have changed. */
  changed(): Promise<void>;
  readonly jobs: readonly Job[];
}

const DAY = 86_400_000;
const KEY_OCTETS = 32;
/** Rows in one write: others wait while it runs. */
const BATCH = 200;

/** What lines of the log are written without; told when the store is open. */
export interface LogPolicy {
  hiding: Hiding | undefined;
}

export async function createJournalPart(store: OpenStore, policy: LogPolicy): Promise<JournalPart> {
  const value = randomBytes(KEY_OCTETS).toString('hex');
  const key = await store.write.run('directory.ensureSetting', { name: KEY_SETTING, value });
  let settings = defaultJournalSettings;
  async function changed(): Promise<void> {
    settings = settingsOf((await store.read.run('journal.privacy', null)).json);
    const { log_addresses: shown, client_ips: ips, words } = settings;
    policy.hiding = shown && ips === 'full' ? undefined : { addresses: !shown, ips, words, key };
  }
  await changed();
  return {
    settings: () => settings,
    changed,
    jobs: [
      {
        name: 'hide old addresses in the journal',
        everyMs: 10 * 60_000,
        async run({ clock }) {
          const { addresses_days: addresses, ips_days: ips } = settings;
          if (addresses === 0 && ips === 0) return false;
          const now = clock.now();
          const { more } = await store.write.run('journal.hide', {
            addressesBefore: addresses === 0 ? undefined : now - addresses * DAY,
            ipsBefore: ips === 0 ? undefined : now - ips * DAY,
            limit: BATCH,
          });
          return more;
        },
      },
    ],
  };
}

/** Lines of the log without what is not to be in them: all of them, whoever writes them. */
export function privateLogger(logger: Logger, policy: LogPolicy): Logger {
  const hidden = (fields: object): object => {
    const { hiding } = policy;
    return hiding === undefined ? fields : hideFields(fields, hiding);
  };
  const words = (message: string): string =>
    policy.hiding === undefined ? message : hideText(message, policy.hiding);
  return {
    debug: (fields, message) => logger.debug(hidden(fields), words(message)),
    info: (fields, message) => logger.info(hidden(fields), words(message)),
    warn: (fields, message) => logger.warn(hidden(fields), words(message)),
    error: (fields, message) => logger.error(hidden(fields), words(message)),
    child: (fields) => privateLogger(logger.child(hidden(fields)), policy),
  };
}

/** Fields of the log are facts like those of events; what is no plain value is left to the logger. */
function hideFields(fields: object, hiding: Hiding): object {
  return hideData('log', fields as JournalData, hiding);
}
