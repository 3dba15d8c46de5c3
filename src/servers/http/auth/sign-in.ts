import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { recoveryDigest } from '../../../data/access/tokens.ts';
import type { Factors } from '../../../data/access/types.ts';
import { sessionDigest } from '../../request-login.ts';
import { type AuthApp, type AuthContext, attemptOf, type C, inputOf, ownPlace } from './context.ts';
import { meOf, openSession, prolong, signOut } from './session.ts';
import { TICKET_TRIES, type Ticket } from './tickets.ts';
import { totpStep } from './totp.ts';

const LOGIN = z.string().min(1).max(320);
const PASSWORD = z.string().min(1).max(1024);
const CODE = z.string().min(1).max(64);
const TICKET = z.string().min(1).max(100);

/** Signing in, with a second factor where the account has one; who is signed in; signing out. */
export function mountSignIn(app: AuthApp, context: AuthContext): void {
  app.post('/auth/sign-in', async (c) => c.json(await signIn(context, c)));
  app.post('/auth/second-factor', async (c) => c.json(await secondFactor(context, c)));
  app.post('/auth/confirm', async (c) => c.json(await confirm(context, c)));
  app.post('/auth/sign-out', async (c) => {
    ownPlace(context, c);
    await signOut(context, c);
    return c.json({ ok: true });
  });
  app.get('/auth/me', async (c) => {
    const principal = await sessionOf(context, c);
    await prolong(context, c);
    return c.json(await meOf(context, principal.accountId));
  });
}

/** Whoever is signed in by the cookie. Throws Refusal 'authentication-failed'. */
export async function sessionOf(context: AuthContext, c: C) {
  const place = ownPlace(context, c);
  const { trace } = attemptOf(context, place, '');
  // Programs with a password or a token have nothing to do here.
  const hasCookie = sessionDigest(c.env.incoming, place) !== undefined;
  const wish = { scope: 'account', protocol: 'web', trace } as const;
  const login = hasCookie ? await context.login(c.env.incoming, wish) : undefined;
  if (login?.ok !== true || login.principal.sessionId === undefined || login.principal.how !== 'session')
    throw new Refusal('authentication-failed', 'You are not signed in.');
  return { ...login.principal, sessionId: login.principal.sessionId };
}

async function signIn(context: AuthContext, c: C) {
  const place = ownPlace(context, c);
  const body = z.strictObject({ login: LOGIN, password: PASSWORD, remember: z.boolean().default(false) });
  const { login, password, remember } = await inputOf(c, body);
  context.paces.count('signIn', place.remoteAddress);
  const attempt = attemptOf(context, place, login);
  const found = await context.authenticator.firstFactor({ ...attempt, password });
  if (!found.secondFactor) return openSession(context, c, found, remember);
  const { accountId, address, revoked } = found;
  const factors = await context.store.read.run('access.factors', { accountId });
  const ticket = context.tickets.signIns.put({ accountId, address, remember, revoked, tries: 0 });
  return { state: 'second-factor' as const, ticket, methods: methodsOf(factors) };
}

function methodsOf({ totp, passkeys, recoveryCodes }: Factors): ('totp' | 'passkey' | 'recovery')[] {
  const methods: ('totp' | 'passkey' | 'recovery')[] = [];
  if (totp?.confirmedAt !== undefined) methods.push('totp');
  if (passkeys.length > 0) methods.push('passkey');
  if (recoveryCodes > 0) methods.push('recovery');
  return methods;
}

/** A ticket with one of its tries taken. Throws Refusal 'authentication-failed' when it has none left. */
export function tryTicket(context: AuthContext, id: string): Ticket {
  const ticket = context.tickets.signIns.get(id);
  if (ticket === undefined || ticket.tries >= TICKET_TRIES || ticket.revoked.aborted)
    throw new Refusal('authentication-failed', 'This took too long or too many attempts: sign in again.');
  context.paces.count('secondFactor', ticket.accountId);
  ticket.tries++;
  return ticket;
}

async function secondFactor(context: AuthContext, c: C) {
  const place = ownPlace(context, c);
  const body = z.strictObject({ ticket: TICKET, method: z.enum(['totp', 'recovery']), code: CODE });
  const { ticket: id, method, code } = await inputOf(c, body);
  const ticket = tryTicket(context, id);
  const attempt = attemptOf(context, place, ticket.address);
  const right =
    method === 'totp'
      ? await spendTotp(context, ticket.accountId, code)
      : await spendRecovery(context, ticket.accountId, code);
  if (!right) {
    await context.authenticator.failed(attempt, `wrong ${method === 'totp' ? 'one-time' : 'recovery'} code`);
    throw new Refusal('authentication-failed', 'The code is wrong, or was used before.');
  }
  return finishTicket(context, c, id, `password and ${method === 'totp' ? 'one-time' : 'recovery'} code`);
}

/** The second factor was right: the ticket is taken, once. */
export async function finishTicket(context: AuthContext, c: C, id: string, how: string) {
  const ticket = context.tickets.signIns.take(id);
  if (ticket === undefined) throw new Refusal('authentication-failed', 'Sign in again.');
  const attempt = attemptOf(context, ownPlace(context, c), ticket.address);
  await context.authenticator.succeeded(attempt, how);
  return openSession(context, c, ticket, ticket.remember);
}

/** Whether a code is right, and was not used before: it counts once. */
export async function spendTotp({ store, clock }: AuthContext, accountId: number, code: string) {
  const { totp } = await store.read.run('access.factors', { accountId });
  if (totp?.confirmedAt === undefined) return false;
  const step = totpStep(totp, code, clock.now());
  return step !== undefined && (await store.write.run('access.spendTotp', { accountId, step }));
}

export async function spendRecovery({ store }: AuthContext, accountId: number, code: string) {
  const digest = recoveryDigest(accountId, code);
  return digest !== undefined && (await store.write.run('access.spendRecovery', { accountId, digest }));
}

/** Prove anew who one is, before something that a borrowed browser should not do. */
async function confirm(context: AuthContext, c: C) {
  const principal = await sessionOf(context, c);
  const body = z.union([z.strictObject({ password: PASSWORD }), z.strictObject({ code: CODE })]);
  const given = await inputOf(c, body);
  const { accountId, sessionId: id } = principal;
  await proveAgain(context, c, principal, given);
  await context.store.write.run('access.confirmSession', { accountId, id });
  return { ok: true };
}

/** Throws Refusal 'authentication-failed', or 'limit' after too many wrong ones. */
export async function proveAgain(
  context: AuthContext,
  c: C,
  { accountId, address }: { readonly accountId: number; readonly address: string },
  given: { readonly password: string } | { readonly code: string },
): Promise<void> {
  const attempt = attemptOf(context, ownPlace(context, c), address);
  context.paces.count('secondFactor', accountId);
  try {
    if ('password' in given) {
      const found = await context.authenticator.firstFactor({ ...attempt, password: given.password });
      if (found.accountId !== accountId) throw new Refusal('authentication-failed', 'The password is wrong.');
      return;
    }
    const { code } = given;
    if (await spendTotp(context, accountId, code)) return;
    await context.authenticator.failed(attempt, 'wrong one-time code');
    throw new Refusal('authentication-failed', 'The code is wrong, or was used before.');
  } catch (error) {
    const wrong = error instanceof Refusal && error.kind === 'authentication-failed';
    if (!wrong) throw error;
    // 401 would say that the session is over.
    throw new Refusal('not-permitted', 'code' in given ? error.message : 'The password is wrong.');
  }
}
