import { timingSafeEqual } from 'node:crypto';
import { decodeSaslBase64 } from './base64.ts';
import { saslprep } from './saslprep.ts';
import {
  bindingData,
  clientProof,
  encodeSaslName,
  isNonce,
  saltPassword,
  type ScramHash,
  serverKeyOf,
  serverSignature,
} from './scram.ts';
import { decodeUtf8 } from './text.ts';
import type { ChannelBindings } from './types.ts';

/** Iterations we accept from a server: RFC 7677 section 4 sets the lower bound, our CPU the upper (about 0.5 s). */
const MIN_ITERATIONS = 4096;
const MAX_ITERATIONS = 1_000_000;

/** Octets of a SCRAM salt we accept. */
const SALT_OCTETS = 1024;

const NONCE_OCTETS = 18;

export interface ClientCredentials {
  readonly login: string;
  /** The password; for XOAUTH2 the access token. */
  readonly password: string;
  /** Of our TLS connection; undefined when there is none or it cannot be had. */
  readonly channelBinding: ChannelBindings | undefined;
  readonly random: (count: number) => Buffer;
}

/** One exchange seen from the client. Failures are sentences for the log; nothing here ever contains the password. */
export interface ClientMechanism {
  readonly name: string;
  /** The initial response; undefined where the server speaks first (LOGIN). */
  readonly initial: Buffer | undefined;
  step(challenge: Buffer): Promise<{ response: Buffer } | { failure: string }>;
  /**
   * Undefined when the server's success may be believed, else why not: a server that says yes to SCRAM without having
   * proved that it knows the password's keys is not the one we meant.
   */
  incomplete(): string | undefined;
}

/** The strongest of the mechanisms a server offers (any case) that we can do, or undefined. */
export function chooseMechanism(
  offered: readonly string[],
  channelBinding: ChannelBindings | undefined,
): string | undefined {
  return firstOffered(offered, ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'PLAIN', 'LOGIN'], channelBinding);
}

/** Mechanisms a person may ask for by name; SCRAM is bound to the channel where both sides can. */
export const namedMechanisms = ['PLAIN', 'LOGIN', 'SCRAM-SHA-256', 'SCRAM-SHA-1', 'XOAUTH2'] as const;
export type NamedMechanism = (typeof namedMechanisms)[number];

/**
 * The mechanism to use where a person named one (XOAUTH2 only so: its secret is no password); undefined when the server
 * does not offer it.
 */
export function chooseNamed(
  offered: readonly string[],
  name: NamedMechanism,
  channelBinding: ChannelBindings | undefined,
): string | undefined {
  return firstOffered(offered, [name], channelBinding);
}

function firstOffered(
  offered: readonly string[],
  order: readonly string[],
  channelBinding: ChannelBindings | undefined,
): string | undefined {
  const names = new Set(offered.map((name) => name.toUpperCase()));
  const bound =
    bestBinding(channelBinding) === undefined ? [] : order.filter(isScram).map((name) => `${name}-PLUS`);
  return [...bound, ...order].find((name) => names.has(name));
}

function isScram(name: string): boolean {
  return name.startsWith('SCRAM-');
}

/** Begin an exchange of a mechanism that `chooseMechanism` or `chooseNamed` named. Throws RangeError for any other. */
export function startClientMechanism(name: string, credentials: ClientCredentials): ClientMechanism {
  if (name === 'PLAIN') return plainClient(credentials);
  if (name === 'LOGIN') return loginClient(credentials);
  if (name === 'XOAUTH2') return xoauth2Client(credentials);
  if (scramHash(name) !== undefined) return scramClient(name, credentials);
  throw new RangeError(`no SASL client mechanism ${name}`);
}

/** RFC 4616. The whole exchange is the initial response; an empty challenge means that it has still to be sent. */
function plainClient({ login, password }: ClientCredentials): ClientMechanism {
  return {
    name: 'PLAIN',
    initial: Buffer.from(`\0${login}\0${password}`),
    step: async () => ({ failure: 'the server sent a challenge that PLAIN does not have' }),
    incomplete: () => undefined,
  };
}

function loginClient({ login, password }: ClientCredentials): ClientMechanism {
  const answers = [login, password];
  return {
    name: 'LOGIN',
    initial: undefined,
    async step() {
      const answer = answers.shift();
      return answer === undefined
        ? { failure: 'the server asked for a third answer in LOGIN' }
        : { response: Buffer.from(answer) };
    },
    incomplete: () => (answers.length > 0 ? 'the server ended LOGIN before it had the password' : undefined),
  };
}

/**
 * Google's and Microsoft's bearer token login. A token that is not taken is answered with a challenge of JSON, which
 * wants an empty response before the reply that refuses.
 */
function xoauth2Client({ login, password }: ClientCredentials): ClientMechanism {
  // Fields end with octet 1: a name or token that had one would bring fields of its own.
  if (/\p{Cc}/u.test(`${login}${password}`)) throw new RangeError('a login or token with control characters');
  let refused = false;
  return {
    name: 'XOAUTH2',
    initial: Buffer.from(`user=${login}\x01auth=Bearer ${password}\x01\x01`),
    async step() {
      if (refused) return { failure: 'the server went on after refusing the token' };
      refused = true;
      return { response: Buffer.alloc(0) };
    },
    incomplete: () => (refused ? 'the server took a token that it had refused' : undefined),
  };
}

function scramHash(name: string): ScramHash | undefined {
  if (/^SCRAM-SHA-256(?:-PLUS)?$/.test(name)) return 'sha256';
  return /^SCRAM-SHA-1(?:-PLUS)?$/.test(name) ? 'sha1' : undefined;
}

/** RFC 5802 section 5, client side. `makeNonce` is ours, printable ASCII without comma. */
export function scramClient(
  name: string,
  credentials: ClientCredentials,
  makeNonce: () => string = () => credentials.random(NONCE_OCTETS).toString('base64'),
): ClientMechanism {
  const { header, data } = gs2(name, credentials.channelBinding);
  const hash = scramHash(name) ?? 'sha256';
  const nonce = makeNonce();
  const login = saslprep(credentials.login) ?? credentials.login;
  const bare = `n=${encodeSaslName(login)},r=${nonce}`;
  let expected: Buffer | undefined;
  let verified = false;

  async function answerServerFirst(message: string): Promise<{ response: Buffer } | { failure: string }> {
    const first = parseServerFirst(message, nonce);
    if ('failure' in first) return first;
    const binding = Buffer.concat([Buffer.from(header), data]).toString('base64');
    const withoutProof = `c=${binding},r=${first.nonce}`;
    const authMessage = `${bare},${message},${withoutProof}`;
    const salted = await saltPassword(credentials.password, first.salt, first.iterations, hash);
    expected = serverSignature(serverKeyOf(salted, hash), authMessage, hash);
    const proof = clientProof(salted, authMessage, hash).toString('base64');
    return { response: Buffer.from(`${withoutProof},p=${proof}`) };
  }

  return {
    name,
    initial: Buffer.from(header + bare),
    async step(challenge) {
      const message = decodeUtf8(challenge);
      if (message === undefined) return { failure: 'the server sent SCRAM data that is not UTF-8' };
      if (!expected) return answerServerFirst(message);
      if (verified) return { failure: 'the server went on after the end of SCRAM' };
      const result = checkServerFinal(message, expected);
      verified = 'response' in result;
      return result;
    },
    incomplete: () => (verified ? undefined : 'the server has not proved that it knows our credentials'),
  };
}

/** gs2-header (RFC 5802 section 7): "y" says that we could bind but the server did not offer it. */
function gs2(name: string, bindings: ChannelBindings | undefined): { header: string; data: Buffer } {
  const best = bestBinding(bindings);
  if (!name.endsWith('-PLUS')) return { header: best ? 'y,,' : 'n,,', data: Buffer.alloc(0) };
  if (!best) throw new RangeError(`${name} needs channel binding data`);
  return { header: `p=${best.type},,`, data: best.data };
}

function bestBinding(bindings: ChannelBindings | undefined): { type: string; data: Buffer } | undefined {
  for (const type of ['tls-exporter', 'tls-server-end-point']) {
    const data = bindingData(bindings, type);
    if (data) return { type, data };
  }
  return undefined;
}

type ServerFirst = { nonce: string; salt: Buffer; iterations: number };

function parseServerFirst(message: string, ownNonce: string): ServerFirst | { failure: string } {
  const match = /^r=([^,]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,9})(?:,[A-Za-z]=[^\0]*)?$/.exec(message);
  if (!match)
    return { failure: serverError(message) ?? 'the server sent a first SCRAM message that is malformed' };
  const [, nonce = '', saltText = '', count = ''] = match;
  const salt = decodeSaslBase64(saltText, SALT_OCTETS);
  const iterations = Number(count);
  if (!nonce.startsWith(ownNonce) || nonce.length === ownNonce.length || !isNonce(nonce)) {
    return { failure: 'the server did not extend our SCRAM nonce' };
  }
  if (!salt || salt.length === 0) return { failure: 'the server sent a SCRAM salt that is not base64' };
  if (iterations < MIN_ITERATIONS || iterations > MAX_ITERATIONS) {
    return {
      failure: `the server asks for ${count} SCRAM iterations, outside ${MIN_ITERATIONS} to ${MAX_ITERATIONS}`,
    };
  }
  return { nonce, salt, iterations };
}

function checkServerFinal(message: string, expected: Buffer): { response: Buffer } | { failure: string } {
  const error = serverError(message);
  if (error) return { failure: error };
  const value = message.startsWith('v=') ? message.slice(2).split(',', 1)[0] : undefined;
  const signature = value === undefined ? undefined : decodeSaslBase64(value);
  if (signature?.length === expected.length && timingSafeEqual(signature, expected)) {
    return { response: Buffer.alloc(0) };
  }
  return { failure: 'the server could not prove that it knows our credentials' };
}

function serverError(message: string): string | undefined {
  const error = /^e=([\x20-\x2b\x2d-\x7e]{1,100})/.exec(message)?.[1];
  return error === undefined ? undefined : `the server refused the SCRAM exchange: ${error}`;
}
