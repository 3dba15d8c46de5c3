import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { makeAppPassword } from '../../../data/access/new-app-password.ts';
import { newRecoveryCodes, recoveryDigest } from '../../../data/access/tokens.ts';
import { ACCESS_LIMITS, APP_SCOPES } from '../../../data/access/types.ts';
import { hashPassword } from '../../../data/directory/passwords.ts';
import { sessionDigest } from '../../request-login.ts';
import {
  type AuthApp,
  type AuthContext,
  type AuthOptions,
  type C,
  Fault,
  inputOf,
  ownPlace,
  selfOf,
} from './context.ts';
import { ATTESTATION, register, registerOptions } from './passkeys.ts';
import { qrSvg } from './qr.ts';
import { proveAgain, sessionOf } from './sign-in.ts';
import { newTotpSecret, totpStep, totpUri } from './totp.ts';

const BASE = '/account/v1/security';
const ID = z.coerce.number().int().positive().safe();
const NAME = z.string().min(1).max(ACCESS_LIMITS.name);
const CODE = z.string().min(1).max(64);
const PASSWORD = z.string().min(1).max(1024);

type Who = Awaited<ReturnType<typeof sessionOf>>;

/** What an account may do for its own security, by its web pages alone. */
export function mountSecurity(app: AuthApp, context: AuthContext): void {
  app.get(BASE, async (c) => c.json(await show(context, await sessionOf(context, c))));
  app.put(`${BASE}/password`, async (c) => c.json(await changePassword(context, c)));
  mountSecondFactors(app, context);
  app.post(`${BASE}/app-passwords`, async (c) => c.json(await addAppPassword(context, c), 201));
  app.delete(`${BASE}/app-passwords/:id`, (c) => removal(context, c, 'access.removeAppPassword'));
  app.delete(`${BASE}/sessions/:id`, (c) => removal(context, c, 'access.endSession'));
  app.delete(`${BASE}/grants/:id`, (c) => removal(context, c, 'access.removeGrant'));
  app.delete(`${BASE}/sessions`, async (c) => {
    const who = await sessionOf(context, c);
    const { accountId, sessionId: keep } = who;
    const ended = await context.store.write.run('access.endSessions', {
      actor: selfOf(who),
      accountId,
      keep,
    });
    return c.json({ ended });
  });
}

function mountSecondFactors(app: AuthApp, context: AuthContext): void {
  const { store } = context;
  app.post(`${BASE}/totp/begin`, async (c) => {
    const who = await confirmed(context, c);
    const secret = newTotpSecret();
    await store.write.run('access.beginTotp', { actor: selfOf(who), accountId: who.accountId, secret });
    const uri = totpUri(secret, context.serverName(), who.address);
    return c.json({ secret, uri, qr: qrSvg(uri) });
  });
  app.post(`${BASE}/totp/confirm`, async (c) => c.json(await confirmTotp(context, c)));
  app.delete(`${BASE}/totp`, async (c) => {
    const who = await confirmedOrCode(context, c);
    await store.write.run('access.removeTotp', { actor: selfOf(who), accountId: who.accountId });
    return c.json({ ok: true });
  });
  app.post(`${BASE}/recovery-codes`, async (c) => {
    const who = await confirmed(context, c);
    const { codes, recovery } = recoveryCodes(who.accountId);
    const { accountId } = who;
    await store.write.run('access.renewRecovery', { actor: selfOf(who), accountId, recovery });
    return c.json({ recoveryCodes: codes });
  });
  app.post(`${BASE}/passkeys/options`, async (c) => {
    return c.json(await registerOptions(context, c, await confirmed(context, c)));
  });
  app.post(`${BASE}/passkeys`, async (c) => {
    const who = await confirmed(context, c);
    const body = z.strictObject({ challengeId: z.string().max(100), response: ATTESTATION, name: NAME });
    return c.json(await register(context, who, await inputOf(c, body)), 201);
  });
  app.delete(`${BASE}/passkeys/:id`, async (c) => {
    await confirmed(context, c);
    return removal(context, c, 'access.removePasskey');
  });
}

/** The session, signed in to or confirmed a short while ago; otherwise 403 "reauthenticate". */
export async function confirmed(context: AuthContext, c: C): Promise<Who> {
  const who = await sessionOf(context, c);
  const { store, clock } = context;
  const now = clock.now();
  const digest = sessionDigest(c.env.incoming, ownPlace(context, c));
  const session = digest && (await store.read.run('access.session', { digest, now }));
  if (session && now - session.confirmedAt <= ACCESS_LIMITS.confirmedMs) return who;
  throw new Fault(403, 'reauthenticate', 'Give your password or a code again, to show that it is you.');
}

/** A code in the body confirms as well. */
async function confirmedOrCode(context: AuthContext, c: C): Promise<Who> {
  if (c.req.header('content-type') === undefined) return confirmed(context, c);
  const who = await sessionOf(context, c);
  const { code } = await inputOf(c, z.strictObject({ code: CODE.optional() }));
  if (code === undefined) return confirmed(context, c);
  await proveAgain(context, c, who, { code });
  return who;
}

async function show({ store, clock }: AuthOptions, { accountId, sessionId }: Who) {
  const now = clock.now();
  const all = await store.read.run('access.overview', { accountId, now });
  return {
    passwordChangedAt: all.passwordChangedAt,
    totp: { enabled: all.totpSince !== undefined, since: all.totpSince },
    recoveryCodesLeft: all.recoveryCodes,
    passkeys: all.passkeys.map(({ id, name, createdAt, usedAt }) => {
      return { id, name, createdAt, lastUsedAt: usedAt };
    }),
    appPasswords: all.appPasswords.map(({ usedAt, usedFrom, ...rest }) => {
      return { ...rest, lastUsedAt: usedAt, lastFrom: usedFrom };
    }),
    sessions: all.sessions.map(({ id, userAgent, address, createdAt, usedAt }) => {
      return { id, current: id === sessionId, userAgent, address, createdAt, lastUsedAt: usedAt };
    }),
    grants: all.grants.map(({ id, client, scopes, createdAt, usedAt }) => {
      return { id, client, scopes, createdAt, lastUsedAt: usedAt };
    }),
  };
}

async function changePassword(context: AuthContext, c: C) {
  const who = await sessionOf(context, c);
  const body = z.strictObject({
    current: PASSWORD,
    password: PASSWORD,
    /** App passwords and grants end as well. */
    everything: z.boolean().default(false),
  });
  const { current, password, everything } = await inputOf(c, body);
  await proveAgain(context, c, who, { password: current });
  const { accountId, sessionId: keep } = who;
  const [app] = (await context.store.read.run('access.ofLogin', { accountId })).appPasswords;
  const secrets = await hashPassword(password, app && !everything ? { scram: app.scram } : {});
  const args = { actor: selfOf(who), accountId, keep, everything, ...secrets };
  await context.store.write.run('access.changePassword', args);
  return { ok: true };
}

async function confirmTotp(context: AuthContext, c: C) {
  const who = await confirmed(context, c);
  const { code } = await inputOf(c, z.strictObject({ code: CODE }));
  const { accountId, sessionId: keep } = who;
  context.paces.count('secondFactor', accountId);
  const { totp } = await context.store.read.run('access.factors', { accountId });
  if (totp === undefined || totp.confirmedAt !== undefined)
    throw new Refusal('conflict', 'Begin with a new secret.');
  const step = totpStep(totp, code, context.clock.now());
  if (step === undefined) {
    const text = 'The code is wrong. Is the clock of your telephone right?';
    throw new Fault(400, 'bad-input', text, 'code');
  }
  const { codes, recovery } = recoveryCodes(accountId);
  const { secret } = totp;
  const args = { actor: selfOf(who), accountId, secret, step, recovery, keep };
  await context.store.write.run('access.confirmTotp', args);
  return { recoveryCodes: codes };
}

function recoveryCodes(accountId: number): { readonly codes: string[]; readonly recovery: string[] } {
  const codes = newRecoveryCodes();
  return { codes, recovery: codes.flatMap((code) => recoveryDigest(accountId, code) ?? []) };
}

async function addAppPassword(context: AuthContext, c: C) {
  const who = await confirmed(context, c);
  const body = z.strictObject({
    name: NAME,
    scopes: z.array(z.enum(APP_SCOPES)).min(1).max(APP_SCOPES.length),
    expiresAt: z.number().int().positive().safe().optional(),
  });
  const { name, scopes, expiresAt = null } = await inputOf(c, body);
  const made = await makeAppPassword(context.store, who.accountId);
  const { id } = await context.store.write.run('access.addAppPassword', {
    actor: selfOf(who),
    accountId: who.accountId,
    name,
    scopes: APP_SCOPES.filter((one) => scopes.includes(one)),
    expiresAt,
    scram: made.scram,
  });
  return { id, password: made.password };
}

type Removal =
  | 'access.removeAppPassword'
  | 'access.endSession'
  | 'access.removeGrant'
  | 'access.removePasskey';

/** Take one thing of the account away. What is another's looks as what does not exist. */
async function removal(context: AuthContext, c: C, name: Removal): Promise<Response> {
  const who = await sessionOf(context, c);
  const id = ID.safeParse(c.req.param('id'));
  const args = { actor: selfOf(who), accountId: who.accountId };
  const gone = id.success && (await context.store.write.run(name, { ...args, id: id.data }));
  if (!gone) throw new Refusal('not-found', 'There is no such thing of yours.');
  return c.json({ ok: true });
}
