import type { Refusal } from '../../base/errors.ts';
import { decodeSaslBase64 } from './base64.ts';
import { sameLogin } from './password-server.ts';
import { authenticationFailed, exchangeFailed, malformed } from './refusals.ts';
import { bindingData, decodeSaslName, isNonce, proofMatches, serverSignature } from './scram.ts';
import type { MechanismState, SaslStep, ServerContext } from './server.ts';
import { decodeUtf8 } from './text.ts';
import type { ScramKeys } from './types.ts';

/** Octets of randomness in our half of the nonce: 24 characters. */
const NONCE_OCTETS = 18;

/** What the server remembers between its two messages. */
interface Exchange {
  readonly login: string;
  /** client-first-message-bare and server-first-message, exactly as sent: both are part of AuthMessage. */
  readonly clientFirstBare: string;
  readonly serverFirst: string;
  readonly nonce: string;
  readonly keys: ScramKeys;
  /** What the client's c= must decode to: its own gs2-header, then the binding data. */
  readonly expectedBinding: Buffer;
}

interface ClientFirst {
  readonly login: string;
  readonly nonce: string;
  readonly bare: string;
  readonly gs2Header: string;
  readonly binding: Buffer;
}

type Failure = { readonly failure: Refusal; readonly final: Buffer };

/**
 * SCRAM-SHA-256 and, with `plus`, SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677). `makeNonce` returns our half of the nonce,
 * printable ASCII without comma.
 */
export function scramServer(
  context: ServerContext,
  plus: boolean,
  makeNonce: () => string = () => context.random(NONCE_OCTETS).toString('base64'),
): MechanismState {
  let exchange: Exchange | undefined;
  return {
    login: undefined,
    async next(message) {
      if (message === undefined) return { challenge: Buffer.alloc(0) };
      const text = decodeUtf8(message);
      if (text === undefined) return fail('invalid-encoding', malformed('SCRAM', 'it is not UTF-8'));
      if (exchange) return finish(context, exchange, text);
      const first = parseClientFirst(context, plus, text);
      if ('failure' in first) return first;
      this.login = first.login;
      exchange = await begin(context, first, makeNonce());
      return { challenge: Buffer.from(exchange.serverFirst) };
    },
  };
}

async function begin(context: ServerContext, first: ClientFirst, ownNonce: string): Promise<Exchange> {
  const { remoteAddress, protocol, trace } = context;
  const attempt = { login: first.login, remoteAddress, protocol, trace };
  const keys = await context.authenticator.scramKeys(first.login, attempt);
  const nonce = first.nonce + ownNonce;
  return {
    login: first.login,
    clientFirstBare: first.bare,
    serverFirst: `r=${nonce},s=${keys.salt.toString('base64')},i=${keys.iterations}`,
    nonce,
    keys,
    expectedBinding: Buffer.concat([Buffer.from(first.gs2Header), first.binding]),
  };
}

/** client-first-message = gs2-header client-first-message-bare (RFC 5802 section 7). */
function parseClientFirst(context: ServerContext, plus: boolean, text: string): ClientFirst | Failure {
  const header = /^(n|y|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,]*))?,/.exec(text);
  if (!header) return fail('invalid-encoding', malformed('SCRAM', 'the gs2 header is missing or wrong'));
  const [gs2Header, flag = '', bindingType, authzid] = header;
  const binding = chooseBinding(context, plus, flag, bindingType);
  if ('failure' in binding) return binding;

  const bare = text.slice(gs2Header.length);
  const [user = '', nonce = '', ...extensions] = bare.split(',', 16);
  if (user.startsWith('m=')) {
    return fail('extensions-not-supported', exchangeFailed('Mandatory SCRAM extensions are not supported'));
  }
  if (
    !user.startsWith('n=') ||
    !nonce.startsWith('r=') ||
    !isNonce(nonce.slice(2)) ||
    !areExtensions(extensions)
  ) {
    return fail('invalid-encoding', malformed('SCRAM', 'the first message must be n=name,r=nonce'));
  }
  const login = decodeSaslName(user.slice(2));
  if (login === undefined) {
    return fail('invalid-username-encoding', malformed('SCRAM', 'the user name is empty or wrongly encoded'));
  }
  if (authzid !== undefined && !sameLogin(decodeSaslName(authzid) ?? '', login)) {
    const refusal = exchangeFailed('Acting for another account is not supported', 'AUTHORIZATIONFAILED');
    return fail('other-error', refusal);
  }
  return { login, nonce: nonce.slice(2), bare, gs2Header, binding: binding.data };
}

/** RFC 5802 section 6: what the client's flag means with and without a -PLUS mechanism. */
function chooseBinding(
  context: ServerContext,
  plus: boolean,
  flag: string,
  type: string | undefined,
): { data: Buffer } | Failure {
  if (!plus && type === undefined) {
    if (flag === 'n' || !context.plusOffered) return { data: Buffer.alloc(0) };
    // The client could bind but did not see our offer: somebody removed it on the way.
    const refusal = exchangeFailed('Channel binding is offered here, but the client was told that it is not');
    return fail('server-does-support-channel-binding', refusal);
  }
  if (!plus || type === undefined) {
    const refusal = exchangeFailed('Channel binding is used with the -PLUS mechanism, and only there');
    return fail('channel-bindings-dont-match', refusal);
  }
  const data = bindingData(context.channelBinding, type);
  if (data) return { data };
  return fail(
    'unsupported-channel-binding-type',
    exchangeFailed('This type of channel binding is not available'),
  );
}

/** client-final-message (RFC 5802 section 7): c=, r=, extensions, and p= last. */
async function finish(context: ServerContext, exchange: Exchange, text: string): Promise<SaslStep> {
  const proofAt = text.lastIndexOf(',p=');
  const withoutProof = text.slice(0, Math.max(proofAt, 0));
  const [binding = '', nonce = '', ...extensions] = withoutProof.split(',', 16);
  const proof = strictBase64(text.slice(proofAt + 3));
  const bound = binding.startsWith('c=') ? strictBase64(binding.slice(2)) : undefined;
  if (proofAt < 0 || !proof || !bound || !nonce.startsWith('r=') || !areExtensions(extensions)) {
    return fail('invalid-encoding', malformed('SCRAM', 'the last message must be c=binding,r=nonce,p=proof'));
  }
  if (!bound.equals(exchange.expectedBinding)) {
    const refusal = exchangeFailed('The channel binding does not match this connection');
    return fail('channel-bindings-dont-match', refusal);
  }
  if (nonce.slice(2) !== exchange.nonce) {
    return fail('other-error', exchangeFailed('The nonce is not the one of this exchange'));
  }
  const authMessage = `${exchange.clientFirstBare},${exchange.serverFirst},${withoutProof}`;
  const { authenticator, remoteAddress, protocol, trace } = context;
  const attempt = { login: exchange.login, remoteAddress, protocol, trace };
  // All of them, so that the time does not tell which one it was.
  const { keys } = exchange;
  const [key] = [keys, ...(keys.others ?? [])].filter((one) =>
    proofMatches(proof, one.storedKey, authMessage),
  );
  if (key === undefined) {
    await authenticator.failed(attempt);
    return fail('invalid-proof', authenticationFailed());
  }
  const success = await authenticator.scramSucceeded(attempt, key.storedKey);
  const signature = serverSignature(key.serverKey, authMessage).toString('base64');
  return { success, final: Buffer.from(`v=${signature}`) };
}

/** Optional extensions are ignored, but must be attr-val. */
function areExtensions(parts: readonly string[]): boolean {
  return parts.every((part) => /^[A-Za-z]=./su.test(part) && !part.includes('\0'));
}

function strictBase64(text: string): Buffer | undefined {
  return text === '' || text === '=' ? undefined : decodeSaslBase64(text);
}

/** server-error-value of RFC 5802 section 7, with the Refusal that the protocol answers. */
function fail(error: string, failure: Refusal): Failure {
  return { failure, final: Buffer.from(`e=${error}`) };
}
