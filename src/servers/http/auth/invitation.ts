import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { hashPassword } from '../../../data/directory/passwords.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { makeDkimKeys } from '../admin/dkim-keys.ts';
import { tokenDigest } from '../admin/invitations.ts';
import { type AuthContext, type AuthRoutes, attemptOf, type C, inputOf, ownPlace } from './context.ts';
import { openSession } from './session.ts';

/** Links that are good once: somebody invited makes their account, somebody who set the server up its first one. */

const token = z.string().regex(/^[A-Za-z0-9_-]{20,100}$/, 'it is not what the link has');
const password = z.string().min(1).max(1024);
const displayName = z.string().max(200).default('');
const address = z.string().min(1).max(320);

/** Mounted by `createAuthApp` with `more`. */
export const mountInvitations: AuthRoutes = (app, context) => {
  app.post('/auth/invitation/look', async (c) => c.json(await look(context, c)));
  app.post('/auth/invitation/accept', async (c) => c.json(await accept(context, c)));
};

export const mountFirstRun: AuthRoutes = (app, context) => {
  app.post('/auth/first-run/look', async (c) => c.json(await lookAtSetup(context, c)));
  app.post('/auth/first-run', async (c) => c.json(await firstRun(context, c)));
};

/** What `look` and the others ask of a request before anything is told. */
function admitted(context: AuthContext, c: C): ReturnType<typeof ownPlace> {
  const place = ownPlace(context, c);
  context.paces.count('signIn', place.remoteAddress);
  return place;
}

async function look(context: AuthContext, c: C) {
  admitted(context, c);
  const { token: given } = await inputOf(c, z.strictObject({ token }));
  const { store, clock } = context;
  const args = { digest: tokenDigest(given), now: clock.now() };
  const found = await store.read.run('directory.openInvitation', args);
  if (found === undefined)
    throw new Refusal(
      'not-found',
      'This invitation is not good any more: it was used, has expired, or was withdrawn.',
    );
  const { address: own, domain, expiresAt, createdBy, role } = found;
  return {
    ...(own === undefined ? { domain } : { address: own, domain }),
    expiresAt,
    role,
    ...(createdBy.includes('@') && { invitedBy: createdBy }),
  };
}

async function accept(context: AuthContext, c: C) {
  admitted(context, c);
  const body = z.strictObject({ token, address: address.optional(), displayName, password });
  const given = await inputOf(c, body);
  const digest = tokenDigest(given.token);
  const { store, clock } = context;
  // Hashing is dear: nothing is hashed for links that lead nowhere.
  if ((await store.read.run('directory.openInvitation', { digest, now: clock.now() })) === undefined)
    throw new Refusal('not-found', 'This invitation is not good any more.');
  const { hash, scram } = await hashPassword(given.password);
  const name = given.address ?? null;
  const args = { digest, address: name, displayName: given.displayName, hash, scram };
  const account = await store.write.run('directory.acceptInvitation', args);
  return signedIn(context, c, account.address, given.password);
}

async function lookAtSetup(context: AuthContext, c: C) {
  admitted(context, c);
  const { token: given } = await inputOf(c, z.strictObject({ token }));
  await requireSetup(context, given);
  return { hostname: context.serverName() };
}

async function requireSetup({ store }: AuthContext, given: string): Promise<string> {
  const digest = tokenDigest(given);
  if (await store.read.run('directory.isSetupToken', { digest })) return digest;
  throw new Refusal(
    'not-permitted',
    'This link is not good any more: the server has a domain already, or was started anew and printed another link.',
  );
}

async function firstRun(context: AuthContext, c: C) {
  admitted(context, c);
  const body = z.strictObject({ token, domain: z.string().min(1).max(255), address, displayName, password });
  const given = await inputOf(c, body);
  const digest = await requireSetup(context, given.token);
  const { hash, scram } = await hashPassword(given.password);
  const { store, clock } = context;
  const { domain, displayName: shown } = given;
  const args = { digest, domain, address: given.address, displayName: shown, hash, scram };
  const account = await store.write.run('directory.firstRun', args);
  const actor: Actor = { name: account.address, role: 'admin', domainId: undefined };
  await makeDkimKeys({ store, clock }, actor, account.address.slice(account.address.lastIndexOf('@') + 1));
  return signedIn(context, c, account.address, given.password);
}

/** The account was just made with this password: in by it, as anybody who signs in. */
async function signedIn(context: AuthContext, c: C, login: string, secret: string) {
  const attempt = attemptOf(context, ownPlace(context, c), login);
  const found = await context.authenticator.firstFactor({ ...attempt, password: secret });
  return openSession(context, c, found, false);
}
