import type { Suppression } from '../../../data/suppression/suppression.ts';
import type { LeasedWork } from '../../../data/queue/types.ts';
import type { FlowDeps } from '../../deps.ts';
import { failed, type Outcome } from '../transport.ts';

/** Recipients whose mail came back or who complained: failed with the reason and the remedy. */
export async function suppressed(deps: FlowDeps, work: LeasedWork): Promise<Map<number, Outcome>> {
  const addresses = work.recipients.map(({ address }) => address);
  const found = await deps.store.read.run('suppression.of', { addresses, now: deps.clock.now() });
  const byAddress = new Map(found.map((entry) => [entry.address, entry]));
  const outcomes = new Map<number, Outcome>();
  for (const { id, address } of work.recipients) {
    const entry = byAddress.get(address.toLowerCase());
    if (entry !== undefined) outcomes.set(id, { ...failed('5.1.1', sentence(entry)), cause: 'recipient' });
  }
  return outcomes;
}

function sentence({ address, reason, detail, createdAt, until }: Suppression): string {
  const since = new Date(createdAt).toISOString().slice(0, 10);
  const why = {
    bounce: 'mail to it came back',
    complaint: 'its owner reported mail from here as spam',
    manual: 'an administrator put it on the list',
  }[reason];
  const end = until === undefined ? '' : ` until ${new Date(until).toISOString().slice(0, 10)}`;
  return `${address} is on the suppression list since ${since}${end}: ${why} (${detail.slice(0, 200)}). An administrator can take it off`;
}
