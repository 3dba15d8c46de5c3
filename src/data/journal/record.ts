import type { WriteTx } from '../db/sql.ts';
import { compact } from './compact.ts';
import { insertEvent, insertTerm } from './journal.sql.ts';
import { hidingOf } from './policy.ts';
import { hideEvent } from './privacy.ts';
import type { JournalEvent } from './types.ts';

/** Write events with the transaction they tell of: they stand exactly when it does. */
export async function record(tx: WriteTx, events: readonly JournalEvent[]): Promise<void> {
  if (events.length === 0) return;
  const hiding = await hidingOf(tx);
  for (const event of events) {
    const { trace, at, kind, json, terms, size } = compact(
      hiding === undefined ? event : hideEvent(event, hiding),
    );
    await tx.run(insertEvent, trace, at, kind, json, 1, at, size);
    for (const term of terms) await tx.run(insertTerm, term, trace, at);
  }
}
