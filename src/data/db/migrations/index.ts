import type { TypeNames } from '../sql.ts';
import { first } from './0001-first.ts';
import { filter } from './0002-filter.ts';
import { hybrid } from './0003-hybrid.ts';
import { reading } from './0004-reading.ts';
import { web } from './0005-web.ts';
import { keys } from './0006-keys.ts';

/** A step of the schema. Steps are only ever added: what was released is never changed. */
export interface Migration {
  readonly version: number;
  readonly name: string;
  /** Statements to run, in order, in one transaction. */
  readonly up: (types: TypeNames) => string[];
}

export const migrations: readonly Migration[] = [
  { version: 1, name: 'first', up: first },
  { version: 2, name: 'filter', up: filter },
  { version: 3, name: 'hybrid', up: hybrid },
  { version: 4, name: 'reading', up: reading },
  { version: 5, name: 'web', up: web },
  { version: 6, name: 'keys', up: keys },
];

export const schemaVersion: number = migrations.at(-1)?.version ?? 0;
