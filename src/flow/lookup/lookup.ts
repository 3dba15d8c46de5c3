import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { Store } from '../../data/store.ts';
import { formatAddress, type EnvelopeAddress, parseMailbox } from '../../mail/address/path.ts';
import { findAddress, usersOf } from '../../mail/lookup/search.ts';
import { createKeeper, type Keeper, type TableState } from './keeper.ts';
import {
  defaultLookupSettings,
  type LookupSettings,
  lookupSettingsSchema,
  type LookupUse,
  useOf,
} from './settings.ts';

/** What tables are asked for. */
export type LookupPurpose = 'recipients' | 'sender_login';

export type LookupAnswer =
  | { readonly status: 'none' }
  /** `users`: what the result names, in our own addresses; `odd` is what is none. */
  | {
      readonly status: 'found';
      readonly table: string;
      readonly result: string;
      readonly users: readonly EnvelopeAddress[];
      readonly odd: readonly string[];
    }
  /** A table could not be read and never could: nobody knows what it would have said. */
  | { readonly status: 'unavailable'; readonly table: string };

/** Postfix lookup tables of a running server. */
export interface Lookup {
  /** What is wanted now, or was a second ago; `fresh`: now. */
  current(fresh?: boolean): Promise<LookupSettings>;
  /** How a purpose is served for a domain; undefined where no table is asked. */
  mode(purpose: LookupPurpose, domain: string): Promise<LookupUse['mode'] | undefined>;
  /** Ask the tables of a purpose in their order, whatever the domain. */
  ask(purpose: LookupPurpose, address: EnvelopeAddress): Promise<LookupAnswer>;
  /** All tables that are in use, loaded if they were not. */
  states(): Promise<readonly TableState[]>;
}

export interface LookupOptions {
  readonly store: Pick<Store, 'read'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between user and detail of a subaddress, now; '' for none. */
  readonly delimiter: () => string;
}

/** Milliseconds until settings are looked at again; who changes them says so at once. */
const SETTINGS_MS = 1000;

export async function createLookup({ store, clock, logger, delimiter }: LookupOptions): Promise<Lookup> {
  const keeper = createKeeper({
    clock,
    logger,
    storedText: (table) => store.read.run('lookup.text', { table }),
  });
  let json: string | undefined;
  let settings = defaultLookupSettings;
  let readAt = Number.NEGATIVE_INFINITY;

  async function current(fresh = false): Promise<LookupSettings> {
    const time = clock.monotonic();
    if (!fresh && time - readAt < SETTINGS_MS) return settings;
    readAt = time;
    const now = await store.read.run('lookup.settings', null);
    if (now === json) return settings;
    json = now;
    try {
      settings = now === undefined ? defaultLookupSettings : lookupSettingsSchema.parse(JSON.parse(now));
      keeper.retain(new Set(namesOf(settings)));
    } catch (error) {
      logger.error(
        { error: errorText(error) },
        'lookup: its settings cannot be read; they stay as they were',
      );
    }
    return settings;
  }

  await current(true);
  return {
    current,
    async mode(purpose, domain) {
      const { tables, domains, mode } = useOf(await current(), purpose);
      return tables.length > 0 && domains.includes(domain) ? mode : undefined;
    },
    async ask(purpose, address) {
      return askTables(keeper, await current(), { purpose, address, delimiter: delimiter() });
    },
    async states() {
      const wanted = await current();
      const states: TableState[] = [];
      for (const name of namesOf(wanted)) {
        await keeper.table(name, wanted);
        const state = keeper.state(name);
        if (state !== undefined) states.push(state);
      }
      return states;
    },
  };
}

function namesOf(settings: LookupSettings): readonly string[] {
  const all = [...useOf(settings, 'recipients').tables, ...useOf(settings, 'sender_login').tables];
  return [...new Set(all)];
}

async function askTables(
  keeper: Keeper,
  settings: LookupSettings,
  question: { purpose: LookupPurpose; address: EnvelopeAddress; delimiter: string },
): Promise<LookupAnswer> {
  const { purpose, address, delimiter } = question;
  const text = formatAddress(address);
  const bareDomain = settings.primary_domain;
  for (const name of useOf(settings, purpose).tables) {
    const table = await keeper.table(name, settings);
    // A later table may only speak when the earlier ones have nothing to say, and this one might have.
    if (table === undefined) return { status: 'unavailable', table: name };
    const result = await findAddress(table, text, { delimiter, bareDomain });
    if (result === undefined) continue;
    return { status: 'found', table: name, result, ...resultUsers(result, bareDomain || address.domain) };
  }
  return { status: 'none' };
}

/** A name without an @ is an account of the domain. */
function resultUsers(
  result: string,
  domain: string,
): { users: readonly EnvelopeAddress[]; odd: readonly string[] } {
  const users: EnvelopeAddress[] = [];
  const odd: string[] = [];
  for (const user of usersOf(result)) {
    const parsed = parseMailbox(user.includes('@') ? user : `${user}@${domain}`, { smtputf8: true });
    if (parsed.kind === 'mailbox') users.push({ localPart: parsed.localPart, domain: parsed.domain });
    else odd.push(user);
  }
  return { users, odd };
}
