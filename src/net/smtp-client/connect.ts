import { connect as dialSocket, isIP, Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { errnoCode, errorText, Refusal, type SmtpReply } from '../../base/errors.ts';
import { SocketConnection } from '../socket-connection.ts';
import { parseCapabilities, NO_CAPABILITIES, type Capabilities } from './capabilities.ts';
import { createClient, type SmtpClient } from './client.ts';
import { broken, failureOf, type ClientFailure } from './failure.ts';
import { replyText } from './reply.ts';
import { clientHandshake, type ClientTls, type ClientTlsOptions } from './tls.ts';
import { DEFAULT_TIMEOUTS, Wire, type ClientTimeouts, type Transcript } from './wire.ts';

export interface ConnectOptions {
  readonly protocol: 'smtp' | 'lmtp';
  /** Addresses of one host, tried in order until one accepts the connection; or the path of a Unix socket. */
  readonly to: { readonly addresses: readonly string[]; readonly port: number } | { readonly path: string };
  /**
   * `opportunistic`: STARTTLS where offered; a handshake that fails is a failure of phase 'tls', after which the caller
   * may connect again with `none`. `required`: no session without it. `implicit`: TLS from the first octet (RFC 8314).
   */
  readonly tls: 'none' | 'opportunistic' | 'required' | 'implicit';
  /** Name the server is known by: SNI and certificate check. */
  readonly servername: string;
  /** Default: `none` for opportunistic TLS, `pkix` otherwise. */
  readonly verify?: ClientTlsOptions['verify'];
  readonly ca?: ClientTlsOptions['ca'];
  readonly tlsProfile?: ClientTlsOptions['profile'];
  readonly tlsForm?: ClientTlsOptions['form'];
  /** Argument of EHLO or LHLO: our host name. */
  readonly helo: string;
  /**
   * Our own addresses to connect from to a remote one, in the order they are tried where one cannot be used; undefined:
   * the system's choice, empty: none of ours may be used, so that the remote address is passed over.
   */
  readonly localAddresses?: (remote: string) => readonly string[] | undefined;
  readonly clock: Clock;
  readonly timeouts?: Partial<ClientTimeouts>;
  readonly transcript?: Transcript;
  /** Gives up connecting, or cuts the session off later. */
  readonly signal?: AbortSignal;
}

export type ConnectOutcome =
  | { readonly status: 'connected'; readonly client: SmtpClient }
  /** `address` is the last one tried. */
  | { readonly status: 'failed'; readonly failure: ClientFailure; readonly address: string };

/** Open a session up to and including EHLO. Never throws for what the network or the server does. */
export async function connect(options: ConnectOptions): Promise<ConnectOutcome> {
  let address = 'path' in options.to ? options.to.path : (options.to.addresses[0] ?? '');
  let wire: Wire | undefined;
  const abort = (): void => wire?.connection.destroy('aborted');
  try {
    const dialled = await dialFirst(options, (tried) => {
      address = tried;
    });
    const timeouts = { ...DEFAULT_TIMEOUTS, ...options.timeouts };
    wire = new Wire(dialled, { clock: options.clock, timeouts, transcript: options.transcript });
    if (options.signal?.aborted) abort();
    options.signal?.addEventListener('abort', abort, { once: true });
    dialled.onClose(() => options.signal?.removeEventListener('abort', abort));
    return { status: 'connected', client: await openSession(wire, options) };
  } catch (error) {
    wire?.connection.destroy();
    const failure = failureOf(error);
    const aborted = options.signal?.aborted === true;
    return { status: 'failed', failure: aborted ? { ...failure, kind: 'aborted' } : failure, address };
  }
}

async function openSession(wire: Wire, options: ConnectOptions): Promise<SmtpClient> {
  let tls = options.tls === 'implicit' ? await startTls(wire, options) : undefined;
  const greeting = await wire.expect('greeting', wire.timeouts.greeting);
  if (greeting.code !== 220) {
    throw broken(
      'greeting',
      'refused',
      `the server does not take the connection: ${replyText(greeting)}`,
      greeting,
    );
  }
  let capabilities = await hello(wire, options);
  if (options.tls === 'opportunistic' || options.tls === 'required') {
    tls = await tryStartTls(wire, options, capabilities);
    // RFC 3207 section 4.2: forget what was said in clear.
    if (tls !== undefined) capabilities = await hello(wire, options);
  }
  return createClient({ wire, protocol: options.protocol, greeting, capabilities, tls });
}

/** EHLO (LHLO for LMTP), or HELO where the server does not know it (RFC 5321 section 3.2). */
async function hello(wire: Wire, options: ConnectOptions): Promise<Capabilities> {
  const verb = options.protocol === 'lmtp' ? 'LHLO' : 'EHLO';
  const reply = await wire.command(`${verb} ${options.helo}`, 'ehlo', wire.timeouts.ehlo);
  if (reply.code === 250) return parseCapabilities(reply);
  const mayFallBack = reply.code >= 500 && options.protocol === 'smtp' && options.tls !== 'required';
  if (!mayFallBack) throw helloRefused(verb, reply);
  const plain = await wire.command(`HELO ${options.helo}`, 'ehlo', wire.timeouts.ehlo);
  if (plain.code !== 250) throw helloRefused('HELO', plain);
  return NO_CAPABILITIES;
}

function helloRefused(verb: string, reply: SmtpReply): Error {
  return broken('ehlo', 'refused', `the server refuses ${verb}: ${replyText(reply)}`, reply);
}

async function tryStartTls(
  wire: Wire,
  options: ConnectOptions,
  capabilities: Capabilities,
): Promise<ClientTls | undefined> {
  const required = options.tls === 'required';
  if (!capabilities.has('STARTTLS')) {
    if (required) throw noTls('the server does not offer STARTTLS, which is required here');
    return undefined;
  }
  const reply = await wire.command('STARTTLS', 'tls', wire.timeouts.ehlo);
  if (reply.code !== 220) {
    if (required) throw noTls(`the server refuses STARTTLS: ${replyText(reply)}`, reply);
    return undefined;
  }
  return startTls(wire, options);
}

function noTls(reason: string, reply?: SmtpReply): Error {
  return broken('tls', 'tls', reason, reply, 'not-offered');
}

async function startTls(wire: Wire, options: ConnectOptions): Promise<ClientTls> {
  if (wire.unasked) {
    // Injected by somebody in between, to be taken for words from inside the tunnel (CVE-2021-33515 and its kin).
    throw broken('tls', 'protocol', 'there was more data in clear behind the go-ahead for TLS');
  }
  const verify = options.verify ?? (options.tls === 'opportunistic' ? 'none' : 'pkix');
  const tlsOptions = {
    servername: options.servername,
    verify,
    ...(options.ca !== undefined && { ca: options.ca }),
    ...(options.tlsProfile !== undefined && { profile: options.tlsProfile }),
    ...(options.tlsForm !== undefined && { form: options.tlsForm }),
  };
  let result: ClientTls | undefined;
  try {
    await wire.connection.upgrade(async (raw) => {
      const handshake = await clientHandshake(raw, tlsOptions, options.clock);
      result = handshake.result;
      return handshake;
    });
  } catch (error) {
    if (error instanceof Refusal) {
      const trouble = error.kind === 'not-permitted' ? 'certificate' : 'handshake';
      throw broken('tls', 'tls', error.message, undefined, trouble);
    }
    throw error;
  }
  if (result === undefined) throw new Error('a handshake without result');
  return result;
}

/** Milliseconds an IPv6 address has while IPv4 ones stand behind it: broken IPv6 is common, and must not cost much. */
const IPV6_PATIENCE_MS = 5000;

interface Target {
  /** As failures name it. */
  readonly name: string;
  readonly to: { readonly path: string } | TcpTarget;
  readonly timeoutMs: number;
}

interface TcpTarget {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
}

/** Each address with each of ours to connect from, in order. */
function targetsOf(options: ConnectOptions): Target[] {
  const { to } = options;
  const timeoutMs = options.timeouts?.connect ?? DEFAULT_TIMEOUTS.connect;
  if ('path' in to) return [{ name: to.path, to, timeoutMs }];
  return to.addresses.flatMap((host, index) => {
    const quick = isIP(host) === 6 && to.addresses.slice(index + 1).some((next) => isIP(next) === 4);
    const patience = quick ? Math.min(timeoutMs, IPV6_PATIENCE_MS) : timeoutMs;
    const ours = options.localAddresses?.(host);
    const target = (more: { localAddress?: string }): Target => ({
      name: host,
      to: { host, port: to.port, ...more },
      timeoutMs: patience,
    });
    return ours === undefined ? [target({})] : ours.map((localAddress) => target({ localAddress }));
  });
}

/** Connect to the first address that answers. */
async function dialFirst(
  options: ConnectOptions,
  onTry: (address: string) => void,
): Promise<SocketConnection> {
  const targets = targetsOf(options);
  let last = broken('connect', 'unreachable', 'no address to connect to');
  if (targets.length === 0 && options.localAddresses !== undefined)
    last = broken('connect', 'unreachable', 'none of our addresses is of the family of its addresses');
  let dead: string | undefined;
  for (const { name, to, timeoutMs } of targets) {
    // Another address of ours is for when one cannot be used, not for when the host does not answer.
    if (name === dead) continue;
    onTry(name);
    if (options.signal?.aborted) throw broken('connect', 'aborted', 'aborted');
    const dialled = await dial(dialSocket({ ...to, allowHalfOpen: true, noDelay: true }), timeoutMs, options);
    if (dialled instanceof Socket) return new SocketConnection(dialled, options.clock);
    if (!dialled.bind) dead = name;
    const kind = dialled.why === 'timeout' ? 'timeout' : 'unreachable';
    const from = dialled.bind && 'localAddress' in to ? ` from ${to.localAddress}` : '';
    last = broken('connect', kind, `cannot connect to ${name}${from}: ${dialled.why}`);
  }
  throw last;
}

interface NotDialled {
  readonly why: string;
  /** Our own address could not be used. */
  readonly bind: boolean;
}

/** The connected socket, or why there is none. */
function dial(socket: Socket, timeoutMs: number, options: ConnectOptions): Promise<Socket | NotDialled> {
  return new Promise((resolve) => {
    const settle = (result: Socket | string, bind = false): void => {
      timer.cancel();
      options.signal?.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      if (typeof result === 'string') {
        socket.destroy();
        return resolve({ why: result, bind });
      }
      socket.off('error', onError);
      resolve(result);
    };
    const onConnect = (): void => settle(socket);
    const onError = (error: unknown): void => {
      const bind = error instanceof Error && 'syscall' in error && error.syscall === 'bind';
      settle(errnoCode(error) ?? errorText(error), bind);
    };
    const onAbort = (): void => settle('aborted');
    const timer = options.clock.setTimer(timeoutMs, () => settle('timeout'));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.on('connect', onConnect);
    socket.on('error', onError);
  });
}
