import { normalizeDomain } from '../../mail/address/domain.ts';
import type { WriteTx } from '../db/sql.ts';
import { touchSubmissions } from '../jmap/submissions.ts';
import { record } from '../journal/record.ts';
import { type JournalEvent, terms } from '../journal/types.ts';
import { countSettled } from '../queue/attempts.sql.ts';
import { deliverWaiting, endSend, recipientsWaiting, type SendRow } from './routing.sql.ts';
import { sentTo } from './rows.ts';

/**
 * Recipients that a service reported to have taken, although we have no answer of it: delivered, and not sent to again.
 * The report may come while the attempt is still under way, so this is asked again when that ends. Answers how many.
 */
export async function deliverConfirmed(tx: WriteTx, row: SendRow): Promise<number> {
  const confirmed = new Set(confirmedIn(row));
  if (row.remote_id === null || confirmed.size === 0) return 0;
  const reply = `250 2.0.0 taken as ${row.remote_id}, as the service reported afterwards`;
  const events: JournalEvent[] = [];
  for (const { id, address } of sentTo(row)) {
    const waiting = confirmed.has(addressKey(address)) ? await tx.get(recipientsWaiting, id) : undefined;
    if (waiting === undefined) continue;
    await tx.run(deliverWaiting, tx.now, reply, row.way, id);
    await tx.run(countSettled, 1, 1, tx.now, waiting.message_id);
    const data = {
      queueId: row.queue_id,
      transport: row.way,
      to: [address],
      host: row.way,
      reply,
      tls: null,
    };
    const about = [terms.queueId(row.queue_id)];
    events.push({ trace: row.trace, at: tx.now, kind: 'delivery.delivered', data, terms: about });
  }
  if (events.length > 0) await tx.run(endSend, 'sent', row.remote_id, row.recipients, row.tag);
  await record(tx, events);
  if (events.length > 0) await touchSubmissions(tx, [row.message_id]);
  return events.length;
}

export function confirmedIn(row: SendRow): readonly string[] {
  return JSON.parse(row.confirmed) as string[];
}

/** One spelling of an address: services write its domain in A-labels. */
export function addressKey(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  return `${address.slice(0, at)}${normalizeDomain(address.slice(at)) ?? address.slice(at)}`.toLowerCase();
}
