import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { openTable, parseTable } from '../../mail/lookup/open.ts';
import { type LookupTable, problemText, type TableResult } from '../../mail/lookup/types.ts';
import { type Stamps, tableReader, unchanged } from './files.ts';
import { type LookupSettings, STORED } from './settings.ts';

/** Milliseconds between two looks at the file of a table. */
const WATCH_MS = 2000;
/** Problems of one table that are kept. */
const PROBLEMS_KEPT = 20;

/** How a table does. */
export interface TableState {
  readonly name: string;
  /** `old`: the last good version answers, because the newest cannot be used. */
  readonly state: 'ready' | 'old' | 'unusable';
  readonly size: number;
  /** "FILE:LINE: what is wrong", of the newest version. */
  readonly problems: readonly string[];
}

export interface Keeper {
  /** The table in its newest good version; undefined when there never was one. */
  table(name: string, settings: LookupSettings): Promise<LookupTable | undefined>;
  state(name: string): TableState | undefined;
  /** Only these are of use any more. */
  retain(names: ReadonlySet<string>): void;
}

interface Kept {
  table: LookupTable | undefined;
  /** Of the files that were read last; undefined: nothing was yet. */
  stamps: Stamps | undefined;
  /** Of a stored table. */
  digest: string | undefined;
  lookedAt: number;
  problems: readonly string[];
  broken: boolean;
  loading: Promise<void> | undefined;
}

export interface KeeperOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly storedText: (table: string) => Promise<string | undefined>;
}

/** Tables by their names: loaded when they are asked first, again when their files change. */
export function createKeeper(options: KeeperOptions): Keeper {
  const { clock } = options;
  const kept = new Map<string, Kept>();
  return {
    async table(name, settings) {
      const one = kept.get(name) ?? fresh();
      kept.set(name, one);
      const changed = storedDigest(name, settings) !== one.digest;
      if (changed || clock.monotonic() - one.lookedAt >= WATCH_MS || one.loading !== undefined) {
        one.loading ??= look(options, name, one, settings).finally(() => {
          one.loading = undefined;
        });
        await one.loading;
      }
      return one.table;
    },
    state(name) {
      const one = kept.get(name);
      if (one === undefined) return undefined;
      const state = !one.broken ? 'ready' : one.table === undefined ? 'unusable' : 'old';
      return { name, state, size: one.table?.size ?? 0, problems: one.problems };
    },
    retain(names) {
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
    },
  };
}

function fresh(): Kept {
  return {
    table: undefined,
    stamps: undefined,
    digest: undefined,
    lookedAt: Number.NEGATIVE_INFINITY,
    problems: [],
    broken: false,
    loading: undefined,
  };
}

/** Load the table unless it is as it was. */
async function look(
  options: KeeperOptions,
  name: string,
  one: Kept,
  settings: LookupSettings,
): Promise<void> {
  const digest = storedDigest(name, settings);
  one.lookedAt = options.clock.monotonic();
  if (one.stamps !== undefined && digest === one.digest && (await unchanged(one.stamps))) return;
  const stamps = new Map<string, string>();
  const read = await load(options, name, settings, stamps);
  one.stamps = stamps;
  one.digest = digest;
  adopt(options.logger, name, one, read);
}

/** A table that cannot be used leaves the one before in its place. */
function adopt(logger: Logger, name: string, one: Kept, { table, problems }: TableResult): void {
  one.broken = table === undefined;
  one.table = table ?? one.table;
  const texts = problems.slice(0, PROBLEMS_KEPT).map(problemText);
  const told = texts.join('\n') === one.problems.join('\n');
  one.problems = texts;
  if (table !== undefined) {
    logger.info({ table: name, size: table.size, problems: texts }, 'lookup: table loaded');
  } else if (!told) {
    const message =
      one.table === undefined
        ? 'lookup: a table cannot be used; mail that needs it is put off'
        : 'lookup: a table cannot be used; its last good version answers';
    logger.error({ table: name, problems: texts }, message);
  }
}

async function load(
  { storedText }: KeeperOptions,
  name: string,
  settings: LookupSettings,
  stamps: Map<string, string>,
): Promise<TableResult> {
  if (!name.startsWith(STORED)) return openTable(name, tableReader(stamps));
  const id = name.slice(STORED.length);
  const text = await storedText(id);
  const type = settings.stored[id]?.type;
  if (type !== undefined && text !== undefined) return parseTable(type, name, text);
  const message = 'there is no such stored table';
  return { table: undefined, problems: [{ source: name, line: 0, kind: 'error', message, remedy: '' }] };
}

/** Undefined for tables that are not kept here. */
function storedDigest(name: string, settings: LookupSettings): string | undefined {
  return name.startsWith(STORED) ? settings.stored[name.slice(STORED.length)]?.digest : undefined;
}
