import { Refusal } from '../../base/errors.ts';
import { oauthBearerServer, xoauth2Server } from './bearer-server.ts';
import { cramMd5Server } from './cram-md5-server.ts';
import { loginServer, plainServer } from './password-server.ts';
import { exchangeFailed, malformed } from './refusals.ts';
import { scramServer } from './scram-server.ts';
import type { Authenticator, ChannelBindings, LoginAccount } from './types.ts';

/** What the server says next. `final` is data that goes with the outcome (SCRAM server-final-message). */
export type SaslStep =
  | { readonly challenge: Buffer }
  | { readonly success: LoginAccount; readonly final?: Buffer }
  | { readonly failure: Refusal; readonly final?: Buffer };

/** One authentication exchange, seen from the server. Base64 and line framing belong to the protocol. */
export interface ServerMechanism {
  readonly name: string;
  /** The login the client named, once it has; for the journal. */
  readonly login: string | undefined;
  /**
   * Take the client's next message; undefined first when it sent no initial response. Expected failures are a
   * `failure`; it rejects only for bugs. Must not be called again after `success` or `failure`.
   */
  step(clientBytes: Buffer | undefined): Promise<SaslStep>;
}

export interface ServerContext {
  readonly authenticator: Authenticator;
  /** Undefined without TLS. */
  readonly channelBinding: ChannelBindings | undefined;
  /** Whether this server advertised SCRAM-SHA-256-PLUS on this connection (downgrade detection, RFC 5802 section 6). */
  readonly plusOffered: boolean;
  readonly remoteAddress: string;
  /** "submission", "imap", ...; handed to the authenticator. */
  readonly protocol: string;
  /** Id of the session, for the journal; handed to the authenticator. */
  readonly trace: string;
  /** Cryptographic randomness: `count` octets. */
  readonly random: (count: number) => Buffer;
  /** Our name, for CRAM-MD5. */
  readonly hostname?: string | undefined;
}

/** A row of the mechanism table; `next` is the state machine without its name. */
type Start = (context: ServerContext) => MechanismState;
export interface MechanismState {
  login: string | undefined;
  next(message: Buffer | undefined): Promise<SaslStep>;
}

const MECHANISMS: Readonly<Record<string, Start>> = {
  'SCRAM-SHA-256-PLUS': (context) => scramServer(context, true),
  'SCRAM-SHA-256': (context) => scramServer(context, false),
  PLAIN: plainServer,
  LOGIN: loginServer,
  OAUTHBEARER: oauthBearerServer,
  XOAUTH2: xoauth2Server,
  'CRAM-MD5': cramMd5Server,
};

/** Never among the mechanisms to offer: for those who ask for it by name and have an authenticator that can check it. */
const NOT_OFFERED: ReadonlySet<string> = new Set(['CRAM-MD5']);
/** Of tokens: offered where somebody can check them. */
const BEARER: ReadonlySet<string> = new Set(['OAUTHBEARER', 'XOAUTH2']);

/**
 * The mechanisms to advertise: those of passwords, strongest first, then those of tokens where `authenticator` knows
 * any. The PLUS one only where the connection has binding data. Whether any may be offered at all (TLS or not) is the
 * server's decision.
 */
export function offeredMechanisms(
  channelBinding: ChannelBindings | undefined,
  authenticator?: Pick<Authenticator, 'token'>,
): string[] {
  const bound = channelBinding?.exporter !== undefined || channelBinding?.serverEndPoint !== undefined;
  return Object.keys(MECHANISMS).filter(
    (name) =>
      (bound || !name.endsWith('-PLUS')) &&
      !NOT_OFFERED.has(name) &&
      (authenticator?.token !== undefined || !BEARER.has(name)),
  );
}

/** Begin an exchange of the named mechanism (any case); undefined when there is no such mechanism (SMTP 504 5.5.4). */
export function startMechanism(name: string, context: ServerContext): ServerMechanism | undefined {
  const upper = name.toUpperCase();
  const start = Object.hasOwn(MECHANISMS, upper) ? MECHANISMS[upper] : undefined;
  if (!start || (upper.endsWith('-PLUS') && !context.plusOffered)) return undefined;
  if (upper === 'CRAM-MD5' && context.authenticator.cramMd5 === undefined) return undefined;
  if (BEARER.has(upper) && context.authenticator.token === undefined) return undefined;
  const state = start(context);
  let over = false;
  return {
    name: upper,
    get login() {
      return state.login;
    },
    async step(clientBytes) {
      if (over) throw new Error('SASL exchange is over');
      const result = await refusalAsFailure(state.next(clientBytes));
      over = !('challenge' in result);
      return result;
    },
  };
}

/**
 * Run a whole exchange. `exchange` sends a challenge and resolves with the client's decoded answer; it throws a
 * Refusal when the client cancels or sends no base64. Data that goes with success travels as one more challenge with
 * an empty answer, as SMTP (RFC 4954 section 4) and IMAP (RFC 9051 6.2.2) have no place for it in their final reply;
 * for the same reason the error text of a failed SCRAM exchange is not sent, the reply itself says it.
 * Throws the Refusal to answer with.
 */
export async function authenticate(
  mechanism: ServerMechanism,
  initial: Buffer | undefined,
  exchange: (challenge: Buffer) => Promise<Buffer>,
): Promise<LoginAccount> {
  let step = await mechanism.step(initial);
  while ('challenge' in step) step = await mechanism.step(await exchange(step.challenge));
  if ('failure' in step) throw step.failure;
  if (step.final && (await exchange(step.final)).length > 0) {
    throw malformed(mechanism.name, 'the last response must be empty');
  }
  if (step.success.revoked.aborted) throw exchangeFailed('The account was suspended or its password changed');
  return step.success;
}

async function refusalAsFailure(step: Promise<SaslStep>): Promise<SaslStep> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof Refusal) return { failure: error };
    throw error;
  }
}
