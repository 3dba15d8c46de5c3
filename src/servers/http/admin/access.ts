import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { makeAppPassword } from '../../../data/access/new-app-password.ts';
import { APP_SCOPES } from '../../../data/access/types.ts';
import type { Account } from '../../../data/directory/types.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { address } from './schemas.ts';

/** What an account is signed in with, as far as its administrator has to do with it. */

const id = z.coerce.number().int().positive().safe();
const byAddress = z.strictObject({ address });
const within = ({ address: name }: { readonly address: string }): string[] => [name];
const scopes = z.array(z.enum(APP_SCOPES));

async function accountOf({ store }: AdminContext, name: string): Promise<Account> {
  const account = await store.read.run('directory.account', { address: name });
  if (account === undefined) throw new Refusal('no-such-account', `There is no account ${name}.`);
  return account;
}

async function overviewOf(context: AdminContext, name: string) {
  const { id: accountId } = await accountOf(context, name);
  return context.store.read.run('access.overview', { accountId, now: context.clock.now() });
}

/** Take one thing by which an account gets in away from it. `none`: what is said where it has no such thing. */
function revocation(
  what: 'app-passwords' | 'sessions' | 'authorizations',
  summary: string,
  write: 'access.removeAppPassword' | 'access.endSession' | 'access.removeGrant',
  none: string,
) {
  return operation({
    method: 'DELETE',
    path: `/accounts/:address/${what}/:id`,
    summary,
    access: 'store-decides',
    within,
    input: z.strictObject({ address, id }),
    output: done,
    async run(context, input, actor) {
      const { id: accountId } = await accountOf(context, input.address);
      if (!(await context.store.write.run(write, { actor, accountId, id: input.id })))
        throw new Refusal('not-found', none);
      return OK;
    },
  });
}

const appPasswords = operation({
  method: 'GET',
  path: '/accounts/:address/app-passwords',
  summary: 'App passwords of an account, without the passwords',
  access: 'domain',
  within,
  input: byAddress,
  output: z.object({
    appPasswords: z.array(
      z.object({
        id: z.number(),
        name: z.string(),
        scopes,
        createdAt: z.number(),
        expiresAt: z.number().optional(),
        usedAt: z.number().optional(),
        usedFrom: z.string().optional(),
      }),
    ),
  }),
  async run(context, input) {
    const all = (await overviewOf(context, input.address)).appPasswords;
    return { appPasswords: all.map((one) => ({ ...one, scopes: [...one.scopes] })) };
  },
});

const addAppPassword = operation({
  method: 'POST',
  path: '/accounts/:address/app-passwords',
  summary: 'Make a password for one program of an account; it is shown once',
  access: 'store-decides',
  within,
  input: z.strictObject({
    address,
    name: z.string().min(1).max(100),
    scopes: scopes.min(1).default(['mail', 'send']),
    /** Milliseconds since the epoch. */
    expiresAt: z.number().int().positive().safe().optional(),
  }),
  output: z.object({ id: z.number(), password: z.string() }),
  async run(context, input, actor) {
    const { id: accountId } = await accountOf(context, input.address);
    const { password, scram } = await makeAppPassword(context.store, accountId);
    const { name, expiresAt = null } = input;
    const wanted = APP_SCOPES.filter((one) => input.scopes.includes(one));
    const args = { actor, accountId, name, scopes: wanted, expiresAt, scram };
    return { ...(await context.store.write.run('access.addAppPassword', args)), password };
  },
});

const removeAppPassword = revocation(
  'app-passwords',
  'Take an app password away; what is connected by it is cut',
  'access.removeAppPassword',
  'The account has no such app password.',
);

const sessions = operation({
  method: 'GET',
  path: '/accounts/:address/sessions',
  summary: 'Where an account is signed in by the web, and which programs it has granted something',
  access: 'domain',
  within,
  input: byAddress,
  output: z.object({
    sessions: z.array(
      z.object({
        id: z.number(),
        userAgent: z.string(),
        address: z.string(),
        createdAt: z.number(),
        usedAt: z.number(),
        expiresAt: z.number(),
      }),
    ),
    grants: z.array(
      z.object({
        id: z.number(),
        client: z.string(),
        scopes: z.array(z.string()),
        createdAt: z.number(),
        usedAt: z.number().optional(),
      }),
    ),
  }),
  async run(context, input) {
    const { sessions: open, grants } = await overviewOf(context, input.address);
    return { sessions: [...open], grants: grants.map((one) => ({ ...one, scopes: [...one.scopes] })) };
  },
});

const revokeSession = revocation(
  'sessions',
  'End a web session of an account',
  'access.endSession',
  'The account has no such session.',
);

const revokeSessions = operation({
  method: 'DELETE',
  path: '/accounts/:address/sessions',
  summary: 'End all web sessions of an account',
  access: 'store-decides',
  within,
  input: byAddress,
  output: z.object({ ended: z.number() }),
  async run(context, input, actor) {
    const { id: accountId } = await accountOf(context, input.address);
    return { ended: await context.store.write.run('access.endSessions', { actor, accountId, keep: 0 }) };
  },
});

const revokeGrant = revocation(
  'authorizations',
  'Take back what an account has granted a program by OAuth; its tokens end',
  'access.removeGrant',
  'The account has granted no such thing.',
);

const secondFactor = operation({
  method: 'GET',
  path: '/accounts/:address/second-factor',
  summary: 'Which second factors an account has',
  access: 'domain',
  within,
  input: byAddress,
  output: z.object({ totp: z.boolean(), passkeys: z.number(), recoveryCodes: z.number() }),
  async run(context, input) {
    const { totpSince, passkeys, recoveryCodes } = await overviewOf(context, input.address);
    return { totp: totpSince !== undefined, passkeys: passkeys.length, recoveryCodes };
  },
});

const resetSecondFactor = operation({
  method: 'DELETE',
  path: '/accounts/:address/second-factor',
  summary: 'For a lost telephone: take all second factors of an account away, and end its sessions',
  access: 'store-decides',
  within,
  input: byAddress,
  output: done,
  async run(context, input, actor) {
    const { id: accountId } = await accountOf(context, input.address);
    await context.store.write.run('access.resetFactors', { actor, accountId });
    return OK;
  },
});

export const access = {
  appPasswords,
  addAppPassword,
  removeAppPassword,
  sessions,
  revokeSession,
  revokeSessions,
  revokeGrant,
  secondFactor,
  resetSecondFactor,
};
