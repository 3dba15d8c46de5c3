import { randomBytes } from 'node:crypto';
import {
  chooseMechanism,
  chooseNamed,
  type NamedMechanism,
  startClientMechanism,
} from '../../../mail/sasl/client.ts';
import { hostAddresses } from '../../../net/dns/host-addresses.ts';
import type { ConnectOutcome } from '../../../net/smtp-client/connect.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type { FlowDeps } from '../../deps.ts';
import { ClientPool } from '../pool.ts';
import { deferred, forAll, type Outcome, type Transport } from '../transport.ts';
import type { NextHost } from './hosts.ts';
import { failureOutcome, type Hop, tryHop } from './smtp.ts';

export interface RelayLogin {
  readonly user: string;
  /** The password, or the access token for XOAUTH2; a function is asked at each login (tokens live for an hour). */
  readonly password: string | (() => Promise<string>);
  /** The best that is offered unless named. */
  readonly mechanism?: NamedMechanism | undefined;
}

/** One host that takes all our outgoing mail. */
export interface RelaySettings {
  /** Name, address, or "unix:" and the path of a socket. */
  readonly host: string;
  readonly port: number;
  /** `implicit` is TLS from the first octet (465), `required` STARTTLS or nothing, `opportunistic` if offered. */
  readonly tls: 'none' | 'opportunistic' | 'required' | 'implicit';
  readonly protocol?: 'smtp' | 'lmtp';
  readonly login?: RelayLogin;
  /** PEM authorities to trust instead of the system's. */
  readonly ca?: string;
}

const SESSIONS = 16;
const UNIX = 'unix:';

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
      const host = await relayHost(current, relay.host);
      if (typeof host === 'string')
        return forAll(work, { ...deferred(`451 4.4.3 ${host}`), cause: 'network' });
      const { requireTls } = work.message;
      const hop: Hop = {
        host,
        options: {
          protocol: relay.protocol ?? 'smtp',
          tls: requireTls && relay.tls === 'opportunistic' ? 'required' : relay.tls,
          // RFC 8689 section 4.2.1: with REQUIRETLS the certificate counts also where it did not otherwise.
          verify: strict || requireTls ? 'pkix' : 'none',
          port: relay.port,
          ...(host.path !== undefined && { servername: 'localhost' }),
          ...(relay.ca !== undefined && { ca: relay.ca }),
        },
        tag: requireTls ? 'requiretls' : '',
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

async function relayHost(deps: FlowDeps, host: string): Promise<NextHost | string> {
  if (host.startsWith(UNIX)) return { name: host, addresses: [], path: host.slice(UNIX.length) };
  const addresses = await hostAddresses(deps.dns, host);
  return typeof addresses === 'string' ? addresses : { name: host, addresses };
}

function loginWith(login: RelayLogin): NonNullable<Hop['login']> {
  return async (session: ConnectOutcome & { status: 'connected' }): Promise<ClientFailure | undefined> => {
    const { client } = session;
    const channelBinding = client.tls?.facts ?? { exporter: undefined, serverEndPoint: undefined };
    const { auth: offered } = client.capabilities;
    const name =
      login.mechanism === undefined
        ? chooseMechanism(offered, channelBinding)
        : chooseNamed(offered, login.mechanism, channelBinding);
    if (name === undefined) return noLogin(login.mechanism);
    const password = await secretOf(login);
    if (password === undefined) return loginFailed('the file with its secret cannot be read');
    if (/\p{Cc}/u.test(password)) return loginFailed('its secret has control characters');
    const credentials = { login: login.user, password, channelBinding, random: randomBytes };
    const outcome = await client.authenticate(startClientMechanism(name, credentials));
    if (outcome.status === 'accepted') return undefined;
    if (outcome.status === 'broken') return outcome.failure;
    return loginFailed(outcome.status === 'refused' ? replyText(outcome.reply) : outcome.reason);
  };
}

function noLogin(mechanism: NamedMechanism | undefined): ClientFailure {
  const what = mechanism === undefined ? 'no login method that we know' : `no login by ${mechanism}`;
  return { phase: 'auth', kind: 'refused', reason: `the relay offers ${what}` };
}

function loginFailed(why: string): ClientFailure {
  return { phase: 'auth', kind: 'refused', reason: `login at the relay failed: ${why}` };
}

async function secretOf({ password }: RelayLogin): Promise<string | undefined> {
  if (typeof password === 'string') return password;
  return password().catch(() => undefined);
}
