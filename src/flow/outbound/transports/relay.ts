import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { chooseMechanism, startClientMechanism } from '../../../mail/sasl/client.ts';
import { lookupAddresses } from '../../../net/dns/addresses.ts';
import type { ConnectOutcome } from '../../../net/smtp-client/connect.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import { systemAddresses } from '../../../net/dns/system.ts';
import type { FlowDeps } from '../../deps.ts';
import { ClientPool } from '../pool.ts';
import { deferred, forAll, type Outcome, type Transport } from '../transport.ts';
import { failureOutcome, type Hop, tryHop } from './smtp.ts';

/** One host that takes all our outgoing mail. */
export interface RelaySettings {
  readonly host: string;
  readonly port: number;
  /** `implicit` is TLS from the first octet (465), `required` STARTTLS or nothing, `opportunistic` if offered. */
  readonly tls: 'none' | 'opportunistic' | 'required' | 'implicit';
  readonly protocol?: 'smtp' | 'lmtp';
  readonly login?: { readonly user: string; readonly password: string };
  /** PEM authorities to trust instead of the system's. */
  readonly ca?: string;
}

const SESSIONS = 16;

/** Delivery through a fixed relay. With `required` or `implicit` TLS its certificate must be valid for its name. */
export function createRelay(deps: () => FlowDeps, relay: RelaySettings): Transport {
  const pool = new ClientPool({ clock: deps().clock, perHost: SESSIONS });
  const strict = relay.tls === 'required' || relay.tls === 'implicit';
  return {
    name: `relay ${relay.host}`,
    kind: relay.protocol === 'lmtp' ? 'lmtp' : 'relay',
    close: () => pool.close(),
    async attempt(work, content, stopping) {
      const current = deps();
      const addresses = await relayAddresses(current, relay.host);
      if (typeof addresses === 'string') return forAll(work, deferred(`451 4.4.3 ${addresses}`));
      const hop: Hop = {
        host: { name: relay.host, addresses },
        options: {
          protocol: relay.protocol ?? 'smtp',
          tls: work.message.requireTls && relay.tls === 'opportunistic' ? 'required' : relay.tls,
          verify: strict ? 'pkix' : 'none',
          port: relay.port,
          ...(relay.ca !== undefined && { ca: relay.ca }),
        },
        ...(relay.login !== undefined && { login: loginWith(relay.login) }),
      };
      const result = await tryHop(current, pool, hop, { work, content, stopping }, work.recipients);
      const outcomes = new Map<number, Outcome>(result.outcomes);
      if (result.stopped) return outcomes;
      for (const { id } of result.untried) outcomes.set(id, failureOutcome(result.failure, result.hostText));
      return outcomes;
    },
  };
}

/** A relay is often named in /etc/hosts or only in the local network's DNS: without our resolver the system's serves. */
async function relayAddresses(deps: FlowDeps, host: string): Promise<readonly string[] | string> {
  if (isIP(host) !== 0) return [host];
  if (deps.dns === undefined || !host.includes('.')) return systemAddresses(host);
  const found = await lookupAddresses(deps.dns, host);
  if (found.status === 'ok') return [...found.ipv6, ...found.ipv4];
  return found.status === 'temporary'
    ? `DNS gave no address of ${host}: ${found.reason}`
    : systemAddresses(host);
}

function loginWith(login: { user: string; password: string }): NonNullable<Hop['login']> {
  return async (session: ConnectOutcome & { status: 'connected' }): Promise<ClientFailure | undefined> => {
    const { client } = session;
    const bindings = client.tls?.facts ?? { exporter: undefined, serverEndPoint: undefined };
    const name = chooseMechanism(client.capabilities.auth, bindings);
    if (name === undefined)
      return { phase: 'auth', kind: 'refused', reason: 'the relay offers no login method that we know' };
    const mechanism = startClientMechanism(name, {
      login: login.user,
      password: login.password,
      channelBinding: bindings,
      random: randomBytes,
    });
    const outcome = await client.authenticate(mechanism);
    if (outcome.status === 'accepted') return undefined;
    if (outcome.status === 'broken') return outcome.failure;
    const why = outcome.status === 'refused' ? replyText(outcome.reply) : outcome.reason;
    return { phase: 'auth', kind: 'refused', reason: `login at the relay failed: ${why}` };
  };
}
