import type { WriteTx } from '../db/sql.ts';
import { compact } from './compact.ts';
import { insertEvent, insertTerm } from './journal.sql.ts';
import type { JournalEvent } from './types.ts';

/** Write events with the transaction they tell of: they stand exactly when it does. */
export async function record(tx: WriteTx, events: readonly JournalEvent[]): Promise<void> {
  for (const event of events) {
    const { trace, at, kind, json, terms, size } = compact(event);
    await tx.run(insertEvent, trace, at, kind, json, 1, at, size);
    for (const term of terms) await tx.run(insertTerm, term, trace, at);
  }
}
