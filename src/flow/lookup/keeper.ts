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
export function createKeeper({ clock, logger, storedText }: KeeperOptions): Keeper {
  const kept = new Map<string, Kept>();

  async function look(name: string, one: Kept, settings: LookupSettings): Promise<void> {
    const digest = storedDigest(name, settings);
    one.lookedAt = clock.monotonic();
    const same = name.startsWith(STORED)
      ? digest === one.digest
      : one.stamps && (await unchanged(one.stamps));
    if (same === true && one.stamps !== undefined) return;
    const stamps = new Map<string, string>();
    const read = await load(name, settings, stamps);
    one.stamps = stamps;
    one.digest = digest;
    adopt(name, one, read);
  }

  function adopt(name: string, one: Kept, { table, problems }: TableResult): void {
    one.broken = table === undefined;
    one.table = table ?? one.table;
    const texts = problems.slice(0, PROBLEMS_KEPT).map(problemText);
    const changed = texts.join('\n') !== one.problems.join('\n');
    one.problems = texts;
    if (!one.broken) {
      logger.info({ table: name, size: table?.size, problems: texts }, 'lookup: table loaded');
    } else if (changed) {
      const message =
        one.table === undefined
          ? 'lookup: a table cannot be used; mail that needs it is put off'
          : 'lookup: a table cannot be used; its last good version answers';
      logger.error({ table: name, problems: texts }, message);
    }
  }

  async function load(
    name: string,
    settings: LookupSettings,
    stamps: Map<string, string>,
  ): Promise<TableResult> {
    if (!name.startsWith(STORED)) return openTable(name, tableReader(stamps));
    const id = name.slice(STORED.length);
    const text = await storedText(id);
    const type = settings.stored[id]?.type;
    if (type !== undefined && text !== undefined) return parseTable(type, name, text);
    const problem = {
      source: name,
      line: 0,
      kind: 'error',
      message: 'there is no such stored table',
      remedy: '',
    };
    return { table: undefined, problems: [{ ...problem, kind: 'error' }] };
  }

  return {
    async table(name, settings) {
      let one = kept.get(name);
      if (one === undefined) {
        one = {
          table: undefined,
          stamps: undefined,
          digest: undefined,
          lookedAt: Number.NEGATIVE_INFINITY,
          problems: [],
          broken: false,
          loading: undefined,
        };
        kept.set(name, one);
      }
      const entry = one;
      const digest = storedDigest(name, settings);
      const due = clock.monotonic() - entry.lookedAt >= WATCH_MS || digest !== entry.digest;
      if (due || entry.loading !== undefined) {
        entry.loading ??= look(name, entry, settings).finally(() => {
          entry.loading = undefined;
        });
        await entry.loading;
      }
      return entry.table;
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

function storedDigest(name: string, settings: LookupSettings): string | undefined {
  return name.startsWith(STORED) ? settings.stored[name.slice(STORED.length)]?.digest : undefined;
}
