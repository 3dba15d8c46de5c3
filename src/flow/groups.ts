import type { ResolvedTarget } from '../data/directory/types.ts';
import type { FlowDeps } from './deps.ts';
import { replies } from './replies.ts';

/** Throws 550 5.7.2 when a group on the way to these is closed to the sender. `accountId`: who has logged in. */
export async function requireOpenGroups(
  { store }: Pick<FlowDeps, 'store'>,
  targets: readonly ResolvedTarget[],
  { sender, accountId }: { readonly sender: string; readonly accountId: number | null },
  address: string,
): Promise<void> {
  const via = [...new Set(targets.flatMap((target) => target.via))];
  if (via.length === 0) return;
  const closed = await store.read.run('directory.closedGroup', { via, sender, accountId });
  if (closed !== undefined) throw replies.closedGroup(address, closed.senders);
}
