import type { QueueRecipient } from '../../../data/queue/types.ts';
import type { FlowDeps } from '../../deps.ts';
import { ClientPool } from '../pool.ts';
import { deferred, forAll, type Outcome, type Transport } from '../transport.ts';
import { findHosts } from './hosts.ts';
import { failureOutcome, tryHop } from './smtp.ts';

/** Sessions with one host at a time. Large providers allow 20 and more; small ones are overrun by less. */
const SESSIONS_PER_HOST = 8;
const SMTP_PORT = 25;

/** Delivery to the MX hosts of the recipient's domain, TLS where they offer it. `port` differs in tests only. */
export function createDirect(deps: () => FlowDeps, options: { port?: number } = {}): Transport {
  const pool = new ClientPool({ clock: deps().clock, perHost: SESSIONS_PER_HOST });
  const port = options.port ?? SMTP_PORT;
  return {
    name: 'direct',
    kind: 'direct',
    close: () => pool.close(),
    async attempt(work, content, stopping) {
      const current = deps();
      if (current.dns === undefined) return forAll(work, deferred('451 4.4.3 No DNS resolver is configured'));
      const found = await findHosts(current.dns, work.destination, current.settings.hostname);
      if ('outcome' in found) return forAll(work, found.outcome);
      const outcomes = new Map<number, Outcome>();
      let left: readonly QueueRecipient[] = work.recipients;
      let last = deferred('451 4.4.1 No host could be reached');
      const tls = work.message.requireTls ? 'required' : 'opportunistic';
      for (const host of found.hosts) {
        const options = { protocol: 'smtp', tls, verify: 'none', port } as const;
        const hop = { host, options, reportTo: work.destination };
        const result = await tryHop(current, pool, hop, { work, content, stopping }, left);
        for (const [id, outcome] of result.outcomes) outcomes.set(id, outcome);
        left = result.untried;
        if (result.stopped) return outcomes;
        if (left.length === 0) break;
        last = failureOutcome(result.failure, result.hostText);
      }
      for (const { id } of left) outcomes.set(id, last);
      return outcomes;
    },
  };
}
