import { malformed } from './refusals.ts';
import type { MechanismState, ServerContext } from './server.ts';
import { decodeUtf8 } from './text.ts';

/** Octets of randomness in a challenge. */
const CHALLENGE_OCTETS = 16;
/** Octets of a login, as in PLAIN. */
const LOGIN_OCTETS = 320;

/**
 * CRAM-MD5 (RFC 2195): the server must know the password itself, and nothing protects the rest of the session. For
 * programs that replace a server which had it, never offered by ours.
 */
export function cramMd5Server(context: ServerContext): MechanismState {
  let challenge: Buffer | undefined;
  return {
    login: undefined,
    async next(message) {
      if (challenge === undefined) {
        // RFC 2195 section 2: a fresh challenge in the form of a message id. The client says nothing first.
        if (message !== undefined && message.length > 0) throw malformed('CRAM-MD5', 'the server begins');
        const unique = context.random(CHALLENGE_OCTETS).toString('hex');
        challenge = Buffer.from(`<${unique}@${context.hostname ?? 'localhost'}>`);
        return { challenge };
      }
      const { login, digest } = parse(message ?? Buffer.alloc(0));
      this.login = login;
      const { authenticator, remoteAddress, protocol, trace } = context;
      if (authenticator.cramMd5 === undefined) throw new Error('CRAM-MD5 without somebody to check it');
      const attempt = { login, remoteAddress, protocol, trace };
      return { success: await authenticator.cramMd5({ ...attempt, challenge, digest }) };
    },
  };
}

/** `user SP digest`; the digest is the keyed MD5 in lower-case hexadecimal. The user name may contain spaces. */
function parse(message: Buffer): { login: string; digest: Buffer } {
  const text = decodeUtf8(message);
  const space = text?.lastIndexOf(' ') ?? -1;
  if (text === undefined || space < 1) throw malformed('CRAM-MD5', 'it is not "user digest"');
  const login = text.slice(0, space);
  const digest = text.slice(space + 1);
  if (Buffer.byteLength(login) > LOGIN_OCTETS) throw malformed('CRAM-MD5', 'the login is too long');
  if (!/^[0-9a-f]{32}$/.test(digest)) throw malformed('CRAM-MD5', 'the digest is not 32 hexadecimal digits');
  return { login, digest: Buffer.from(digest, 'hex') };
}
