import { Refusal } from '../../base/errors.ts';
import { exchangeFailed, malformed } from './refusals.ts';
import { decodeSaslName } from './scram.ts';
import type { MechanismState, SaslStep, ServerContext } from './server.ts';
import { decodeUtf8 } from './text.ts';

/** Octets of a whole message: tokens of ours have 50. */
const MESSAGE_OCTETS = 4096;
/** Octets of a login, as in PLAIN. */
const LOGIN_OCTETS = 320;
const SEPARATOR = '\x01';

/** What a client says of itself. `login` '': the token tells whose it is. */
interface Bearer {
  readonly login: string;
  readonly token: string;
}

/** OAUTHBEARER (RFC 7628). */
export function oauthBearerServer(context: ServerContext): MechanismState {
  return bearerServer(context, 'OAUTHBEARER', parseOauthBearer, (error) => {
    // RFC 7628 section 3.2.2: status as in RFC 6750 section 3.1.
    const status = error.kind === 'not-permitted' ? 'insufficient_scope' : 'invalid_token';
    return { status: error.kind === 'bad-input' ? 'invalid_request' : status };
  });
}

/** XOAUTH2, which Google and Microsoft had before there was a standard. */
export function xoauth2Server(context: ServerContext): MechanismState {
  return bearerServer(context, 'XOAUTH2', parseXoauth2, (error) => ({
    status: error.kind === 'bad-input' ? '400' : '401',
    schemes: 'bearer',
  }));
}

/**
 * Both are one message, and where it is refused a challenge that says why, an answer that says nothing, and then the
 * failure (RFC 7628 section 3.2.3).
 */
function bearerServer(
  context: ServerContext,
  name: string,
  parse: (message: Buffer) => Bearer,
  describe: (error: Refusal) => Readonly<Record<string, string>>,
): MechanismState {
  let asked = false;
  let refused: Refusal | undefined;
  return {
    login: undefined,
    async next(message): Promise<SaslStep> {
      if (refused !== undefined) throw refused;
      if (message === undefined && !asked) {
        asked = true;
        return { challenge: Buffer.alloc(0) };
      }
      try {
        const { login, token } = parse(message ?? Buffer.alloc(0));
        this.login = login === '' ? undefined : login;
        return { success: await check(context, name, { login, token }) };
      } catch (error) {
        // A server that is too busy says nothing about the token.
        if (!(error instanceof Refusal) || error.kind === 'unavailable' || error.kind === 'limit')
          throw error;
        refused = error;
        return { challenge: Buffer.from(JSON.stringify(describe(error))) };
      }
    },
  };
}

async function check(context: ServerContext, name: string, { login, token }: Bearer) {
  const { authenticator, remoteAddress, protocol, trace } = context;
  if (authenticator.token === undefined) throw new Error(`${name} without somebody to check it`);
  return authenticator.token({ login, token, remoteAddress, protocol, trace });
}

/**
 * client-resp = gs2-header kvsep *kvpair kvsep (RFC 7628 section 3.1). There is no channel binding; "y" says that the
 * client has it elsewhere. host and port are for schemes that sign them.
 */
function parseOauthBearer(message: Buffer): Bearer {
  const [header = '', ...pairs] = fieldsOf('OAUTHBEARER', message);
  const gs2 = /^([ny]|p=[A-Za-z0-9.-]{1,64}),(?:a=([^,]*))?,$/.exec(header);
  if (gs2 === null) throw malformed('OAUTHBEARER', 'the gs2 header is missing or wrong');
  if (gs2[1]?.startsWith('p') === true) throw exchangeFailed('There is no channel binding with OAUTHBEARER');
  const authzid = gs2[2] ?? '';
  const login = authzid === '' ? '' : decodeSaslName(authzid);
  if (login === undefined) throw malformed('OAUTHBEARER', 'the authzid is wrongly encoded');
  return {
    login: bounded('OAUTHBEARER', login),
    token: tokenOf('OAUTHBEARER', valuesOf('OAUTHBEARER', pairs)),
  };
}

/** `user=NAME ^A auth=Bearer TOKEN ^A ^A`. */
function parseXoauth2(message: Buffer): Bearer {
  const values = valuesOf('XOAUTH2', fieldsOf('XOAUTH2', message));
  const login = values.get('user') ?? '';
  if (login === '') throw malformed('XOAUTH2', 'it has no user');
  return { login: bounded('XOAUTH2', login), token: tokenOf('XOAUTH2', values) };
}

/** What stands between the separators; the message must end with two of them. */
function fieldsOf(name: string, message: Buffer): string[] {
  const text = message.length > MESSAGE_OCTETS ? undefined : decodeUtf8(message);
  if (text === undefined || text.includes('\0')) throw malformed(name, 'it is too long, or no text');
  if (!text.endsWith(SEPARATOR + SEPARATOR)) throw malformed(name, 'it must end with two separators');
  return text.slice(0, -2).split(SEPARATOR);
}

/** kvpair = key "=" value kvsep; no key twice. */
function valuesOf(name: string, pairs: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, Math.max(equals, 0)).toLowerCase();
    if (!/^[a-z]{1,32}$/.test(key) || values.has(key))
      throw malformed(name, 'a field is wrong, or there twice');
    values.set(key, pair.slice(equals + 1));
  }
  return values;
}

/** RFC 6750 section 2.1: `Bearer` and a b64token. */
function tokenOf(name: string, values: ReadonlyMap<string, string>): string {
  const match = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(values.get('auth') ?? '');
  if (match?.[1] === undefined) throw malformed(name, 'it has no bearer token');
  return match[1];
}

function bounded(name: string, login: string): string {
  if (Buffer.byteLength(login) > LOGIN_OCTETS) throw malformed(name, 'the login is too long');
  return login;
}
