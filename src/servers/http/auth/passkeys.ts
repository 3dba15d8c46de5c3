import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { newRecoveryCodes, recoveryDigest } from '../../../data/access/tokens.ts';
import type { Passkey } from '../../../data/access/types.ts';
import {
  type AuthApp,
  type AuthContext,
  attemptOf,
  type C,
  inputOf,
  originOf,
  ownPlace,
  selfOf,
} from './context.ts';
import { openSession } from './session.ts';
import { finishTicket, tryTicket } from './sign-in.ts';
import type { Challenge } from './tickets.ts';
import { ALGORITHMS, verifyAssertion, verifyRegistration } from './webauthn.ts';

const ID = z.string().min(1).max(100);
const BASE64URL = z
  .string()
  .max(32_768)
  .regex(/^[A-Za-z0-9_-]*$/);
const CREDENTIAL = {
  id: BASE64URL.min(1).max(1400),
  rawId: BASE64URL.min(1).max(1400),
  type: z.literal('public-key'),
  clientExtensionResults: z.record(z.string().max(64), z.unknown()).default({}),
  authenticatorAttachment: z.string().max(32).nullish(),
};
/** AuthenticationResponseJSON of WebAuthn level 3. */
const ASSERTION = z.object({
  ...CREDENTIAL,
  response: z.object({
    clientDataJSON: BASE64URL,
    authenticatorData: BASE64URL,
    signature: BASE64URL,
    userHandle: BASE64URL.nullish(),
  }),
});
/** RegistrationResponseJSON. */
export const ATTESTATION = z.object({
  ...CREDENTIAL,
  response: z.object({
    clientDataJSON: BASE64URL,
    attestationObject: BASE64URL,
    transports: z
      .array(z.string().regex(/^[a-z-]{1,32}$/))
      .max(10)
      .optional(),
  }),
});

/** Milliseconds a person has to find their passkey. */
const TIMEOUT_MS = 5 * 60_000;

/** Octets of a challenge (WebAuthn section 13.4.3 asks for 16). */
const CHALLENGE_OCTETS = 32;

/** Signing in with a passkey: after the password, or alone. */
export function mountPasskeySignIn(app: AuthApp, context: AuthContext): void {
  app.post('/auth/passkey/options', async (c) => c.json(await signInOptions(context, c)));
  app.post('/auth/passkey/verify', async (c) => c.json(await verify(context, c)));
}

/** By which name passkeys know us. Throws Refusal 'conflict' where we are reached by an address. */
function relyingParty(context: AuthContext, c: C): { readonly rpId: string; readonly origin: string } {
  const { hostname, origin } = originOf(context, c);
  // WebAuthn section 5.1.3: an effective domain, never an address.
  if (isIP(hostname) !== 0 || hostname.startsWith('['))
    throw new Refusal('conflict', 'Passkeys need a name: open this server by its name, not its address.');
  return { rpId: hostname, origin };
}

async function signInOptions(context: AuthContext, c: C) {
  const place = ownPlace(context, c);
  const { ticket: id } = await inputOf(c, z.strictObject({ ticket: ID.optional() }));
  context.paces.count('signIn', place.remoteAddress);
  const { rpId, origin } = relyingParty(context, c);
  const ticket = id === undefined ? undefined : context.tickets.signIns.get(id);
  if (id !== undefined && ticket === undefined)
    throw new Refusal('authentication-failed', 'This took too long: sign in again.');
  const accountId = ticket?.accountId;
  const passkeys =
    accountId === undefined ? [] : (await context.store.read.run('access.factors', { accountId })).passkeys;
  const challenge = newChallenge();
  /** PublicKeyCredentialRequestOptionsJSON. */
  const options = {
    rpId,
    challenge,
    timeout: TIMEOUT_MS,
    userVerification: 'required',
    allowCredentials: passkeys.map(descriptor),
  };
  const kept: Challenge = { challenge, purpose: 'sign-in', accountId, rpId, origin };
  return { challengeId: context.tickets.challenges.put(kept), options };
}

async function verify(context: AuthContext, c: C) {
  const place = ownPlace(context, c);
  const body = z.strictObject({
    challengeId: ID,
    response: ASSERTION,
    ticket: ID.optional(),
    remember: z.boolean().default(false),
  });
  const { challengeId, response, ticket: ticketId, remember } = await inputOf(c, body);
  context.paces.count('signIn', place.remoteAddress);
  const ticket = ticketId === undefined ? undefined : tryTicket(context, ticketId);
  // Whatever comes of it, this challenge is over.
  const challenge = context.tickets.challenges.take(challengeId);
  if (challenge === undefined || challenge.purpose !== 'sign-in' || challenge.accountId !== ticket?.accountId)
    throw new Refusal('authentication-failed', 'This took too long: try the passkey again.');
  const passkey = await context.store.read.run('access.passkey', { credentialId: response.id });
  const belongs = passkey !== undefined && (ticket === undefined || passkey.accountId === ticket.accountId);
  const reason = belongs ? await wrongAnswer(context, passkey, challenge, response) : 'unknown passkey';
  if (passkey === undefined || reason !== undefined) {
    await context.authenticator.failed(
      attemptOf(context, place, ticket?.address ?? ''),
      `passkey: ${reason}`,
    );
    throw new Refusal('authentication-failed', 'This passkey is not known here, or did not answer rightly.');
  }
  if (ticketId !== undefined) return finishTicket(context, c, ticketId, 'password and passkey');
  const account = await context.store.read.run('directory.account', { id: passkey.accountId });
  if (account === undefined) throw new Refusal('authentication-failed', 'The account has gone.');
  const login = await context.authenticator.succeeded(attemptOf(context, place, account.address), 'passkey');
  return openSession(context, c, login, remember);
}

/** What is wrong with an answer; undefined: it is right, and counted. */
async function wrongAnswer(
  { store }: AuthContext,
  passkey: Passkey,
  challenge: Challenge,
  response: z.output<typeof ASSERTION>,
): Promise<string | undefined> {
  const { userHandle: handle } = response.response;
  if (handle != null && handle !== userHandle(passkey.accountId)) return 'it names another account';
  const result = verifyAssertion(response.response, challenge, passkey);
  if ('wrong' in result) return result.wrong;
  const { id, counter: before } = passkey;
  const args = { id, before, counter: result.counter };
  return (await store.write.run('access.usePasskey', args)) ? undefined : 'it was used at the same time';
}

function newChallenge(): string {
  return randomBytes(CHALLENGE_OCTETS).toString('base64url');
}

/** The account as passkeys keep it. */
function userHandle(accountId: number): string {
  return Buffer.from(`A${accountId}`).toString('base64url');
}

function descriptor({ credentialId, transports }: Passkey) {
  return { type: 'public-key', id: credentialId, transports };
}

/** What a new passkey of the account is made of. */
export async function registerOptions(
  context: AuthContext,
  c: C,
  who: { readonly accountId: number; readonly address: string; readonly displayName: string },
) {
  const { rpId, origin } = relyingParty(context, c);
  const { passkeys } = await context.store.read.run('access.factors', { accountId: who.accountId });
  const challenge = newChallenge();
  /** PublicKeyCredentialCreationOptionsJSON. */
  const options = {
    rp: { id: rpId, name: context.serverName() },
    user: {
      id: userHandle(who.accountId),
      name: who.address,
      displayName: who.displayName === '' ? who.address : who.displayName,
    },
    challenge,
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
    timeout: TIMEOUT_MS,
    attestation: 'none',
    excludeCredentials: passkeys.map(descriptor),
    authenticatorSelection: {
      residentKey: 'required',
      requireResidentKey: true,
      userVerification: 'required',
    },
  };
  const kept: Challenge = { challenge, purpose: 'register', accountId: who.accountId, rpId, origin };
  return { challengeId: context.tickets.challenges.put(kept), options };
}

/** `recoveryCodes` with the first second factor of the account. */
export async function register(
  context: AuthContext,
  who: { readonly accountId: number; readonly address: string; readonly sessionId: number },
  given: { challengeId: string; response: z.output<typeof ATTESTATION>; name: string },
) {
  const { accountId } = who;
  const challenge = context.tickets.challenges.take(given.challengeId);
  if (challenge === undefined || challenge.purpose !== 'register' || challenge.accountId !== accountId)
    throw new Refusal('bad-input', 'This took too long: begin anew.');
  const { response, id: named } = given.response;
  const result = verifyRegistration(response, challenge, named);
  if ('wrong' in result) throw new Refusal('bad-input', `The passkey was not taken: ${result.wrong}.`);
  const { id: credentialId, publicKey, counter } = result.credential;
  const { transports = [] } = response;
  const codes = newRecoveryCodes();
  const { id, first } = await context.store.write.run('access.addPasskey', {
    actor: selfOf(who),
    accountId,
    credentialId,
    publicKey,
    counter,
    transports,
    name: given.name,
    recovery: codes.flatMap((code) => recoveryDigest(accountId, code) ?? []),
    keep: who.sessionId,
  });
  return { id, ...(first && { recoveryCodes: codes }) };
}
