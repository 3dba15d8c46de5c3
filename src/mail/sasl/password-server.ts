import { authenticationFailed, exchangeFailed, malformed } from './refusals.ts';
import type { MechanismState, SaslStep, ServerContext } from './server.ts';
import { decodeUtf8 } from './text.ts';

/** Octets of a login and of a password; RFC 4616 section 2 asks servers to take 255. */
const LOGIN_OCTETS = 320;
const PASSWORD_OCTETS = 1024;

/** PLAIN (RFC 4616): one message, `[authzid] NUL authcid NUL passwd`. */
export function plainServer(context: ServerContext): MechanismState {
  let asked = false;
  return {
    login: undefined,
    async next(message) {
      if (message === undefined && !asked) {
        asked = true;
        return { challenge: Buffer.alloc(0) };
      }
      const [authzid, login, password, ...rest] = splitAtNul(message ?? Buffer.alloc(0));
      if (!authzid || !login || !password || rest.length > 0) throw malformed('PLAIN', 'it needs two NULs');
      const name = credential('PLAIN', 'login', login, LOGIN_OCTETS);
      this.login = name;
      const acting = authzid.length === 0 ? name : credential('PLAIN', 'authzid', authzid, LOGIN_OCTETS);
      if (!sameLogin(acting, name)) {
        throw exchangeFailed('Acting for another account is not supported', 'AUTHORIZATIONFAILED');
      }
      return checkPassword(context, name, credential('PLAIN', 'password', password, PASSWORD_OCTETS));
    },
  };
}

/** LOGIN (never standardised, draft-murchison-sasl-login): asks for the name, then for the password. */
export function loginServer(context: ServerContext): MechanismState {
  return {
    login: undefined,
    async next(message) {
      if (message === undefined) return { challenge: Buffer.from('Username:') };
      if (this.login === undefined) {
        this.login = credential('LOGIN', 'login', message, LOGIN_OCTETS);
        return { challenge: Buffer.from('Password:') };
      }
      return checkPassword(context, this.login, credential('LOGIN', 'password', message, PASSWORD_OCTETS));
    },
  };
}

async function checkPassword(context: ServerContext, login: string, password: string): Promise<SaslStep> {
  const { authenticator, remoteAddress, protocol, trace } = context;
  return { success: await authenticator.password({ login, password, remoteAddress, protocol, trace }) };
}

/** Whether an authorization identity names the account that logs in. */
export function sameLogin(authzid: string, login: string): boolean {
  return authzid.normalize('NFC').toLowerCase() === login.normalize('NFC').toLowerCase();
}

function credential(mechanism: string, what: string, bytes: Buffer, maxOctets: number): string {
  if (bytes.length === 0) throw malformed(mechanism, `the ${what} is empty`);
  if (bytes.length > maxOctets) throw malformed(mechanism, `the ${what} is longer than ${maxOctets} octets`);
  if (bytes.includes(0)) throw malformed(mechanism, `the ${what} contains NUL`);
  const text = decodeUtf8(bytes);
  // A client with an old character set: it may have typed the right password, but cannot get in with these octets.
  if (text === undefined)
    throw what === 'password' ? authenticationFailed() : malformed(mechanism, `the ${what} is not UTF-8`);
  return text;
}

/** At most the first three NULs split: a message of NULs alone costs nothing. */
function splitAtNul(message: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let end = message.indexOf(0); end >= 0 && parts.length < 3; end = message.indexOf(0, start)) {
    parts.push(message.subarray(start, end));
    start = end + 1;
  }
  parts.push(message.subarray(start));
  return parts;
}
