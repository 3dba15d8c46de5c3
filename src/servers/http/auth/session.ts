import { setCookie } from 'hono/cookie';
import { Refusal } from '../../../base/errors.ts';
import { newToken } from '../../../data/access/tokens.ts';
import { ACCESS_LIMITS } from '../../../data/access/types.ts';
import { placeOf, type RequestPlace, sessionCookieName, sessionDigest } from '../../request-login.ts';
import { type AuthContext, type C, selfOf } from './context.ts';

/** What the web app is told of who is signed in. */
export interface Me {
  readonly address: string;
  readonly displayName: string;
  readonly role: string;
  /** As JMAP has it. */
  readonly accountId: string;
  readonly domain: string;
  readonly mustEnroll?: boolean;
  readonly features: { readonly push: boolean };
  readonly serverName: string;
}

export async function meOf(context: AuthContext, accountId: number): Promise<Me> {
  const account = await context.store.read.run('directory.account', { id: accountId });
  if (account === undefined || account.status !== 'active')
    throw new Refusal('authentication-failed', 'You are not signed in.');
  context.onSeen?.(accountId);
  const { id, address, displayName, role } = account;
  const mustEnroll = (await context.mustEnroll?.({ id, role })) ?? false;
  return {
    address,
    displayName,
    role,
    accountId: `A${id}`,
    domain: address.slice(address.lastIndexOf('@') + 1),
    ...(mustEnroll && { mustEnroll }),
    features: { push: context.push?.() ?? false },
    serverName: context.serverName(),
  };
}

/**
 * Somebody has proved who they are: a session under a fresh token, whatever token the browser had before (that one
 * ends). Throws Refusal when the login was revoked meanwhile.
 */
export async function openSession(
  context: AuthContext,
  c: C,
  login: { readonly accountId: number; readonly address: string; readonly revoked: AbortSignal },
  remember: boolean,
): Promise<{ readonly state: 'signed-in'; readonly me: Me }> {
  const { store, isProxy } = context;
  const place = placeOf(c.env.incoming, isProxy);
  const { accountId } = login;
  await endOldSession(context, c, place);
  const { token, digest } = newToken('session');
  const { id } = await store.write.run('access.openSession', {
    accountId,
    digest,
    userAgent: c.req.header('user-agent') ?? '',
    address: place.remoteAddress,
    remember,
  });
  if (login.revoked.aborted) {
    await store.write.run('access.endSession', { actor: selfOf(login), accountId, id, quietly: true });
    throw new Refusal('authentication-failed', 'The account was suspended or its password changed.');
  }
  const me = await meOf(context, accountId);
  giveCookie(c, place, token, remember ? ACCESS_LIMITS.rememberedMs : undefined);
  return { state: 'signed-in', me };
}

async function endOldSession({ store, clock }: AuthContext, c: C, place: RequestPlace): Promise<void> {
  const digest = sessionDigest(c.env.incoming, place);
  if (digest === undefined) return;
  const old = await store.read.run('access.session', { digest, now: clock.now() });
  const account = old && (await store.read.run('directory.account', { id: old.accountId }));
  if (old === undefined || account === undefined) return;
  const { accountId, id } = old;
  await store.write.run('access.endSession', { actor: selfOf(account), accountId, id, quietly: true });
}

/** The cookie lives as long as the session; undefined: as long as the browser. `token` '': it goes. */
function giveCookie(c: C, { https }: RequestPlace, token: string, lifeMs: number | undefined): void {
  setCookie(c, sessionCookieName(https), token, {
    path: '/',
    httpOnly: true,
    sameSite: 'Strict',
    ...(https && { secure: true }),
    ...(lifeMs !== undefined && { maxAge: Math.floor(lifeMs / 1000) }),
  });
}

export async function signOut(context: AuthContext, c: C): Promise<void> {
  const place = placeOf(c.env.incoming, context.isProxy);
  await endOldSession(context, c, place);
  giveCookie(c, place, '', 0);
}

/** A remembered session lives on from each visit; so does its cookie. */
export async function prolong({ store, clock, isProxy }: AuthContext, c: C): Promise<void> {
  const place = placeOf(c.env.incoming, isProxy);
  const digest = sessionDigest(c.env.incoming, place);
  const session = digest && (await store.read.run('access.session', { digest, now: clock.now() }));
  if (!session || !session.remember) return;
  const name = `${sessionCookieName(place.https)}=`;
  const pair = (c.req.header('cookie') ?? '').split(';').find((one) => one.trim().startsWith(name));
  if (pair !== undefined) giveCookie(c, place, pair.trim().slice(name.length), ACCESS_LIMITS.rememberedMs);
}
