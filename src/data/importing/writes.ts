import type { WriteFunction } from '../catalogue.ts';
import type { Actor } from '../directory/types.ts';
import {
  addImport,
  ensureSource,
  type FlagChange,
  importFlags,
  noteExport,
  placeImport,
  removeImports,
} from './importing.ts';
import type { ImportStatus, NewImport } from './types.ts';

type W<A, R> = WriteFunction<A, R>;

export const writes = {
  'importing.source': ensureSource as W<
    { actor: Actor; accountId: number; address: string; source: string },
    { sourceId: number }
  >,
  'importing.add': addImport as W<NewImport, { status: ImportStatus }>,
  'importing.flags': importFlags as W<
    { accountId: number; sourceId: number; changes: readonly FlagChange[] },
    { changed: number }
  >,
  'importing.place': placeImport as W<
    { accountId: number; sourceId: number; key: string; mailboxIds: readonly number[] },
    { placed: number }
  >,
  'importing.remove': removeImports as W<
    {
      accountId: number;
      sourceId: number;
      items: readonly { readonly key: string; readonly mailboxId: number }[];
    },
    { removed: number }
  >,
  'importing.noteExport': noteExport as W<{ actor: Actor; address: string; mailbox: string }, null>,
} as const;
