import { timingSafeEqual } from 'node:crypto';
import { Refusal } from '../../base/errors.ts';
import type { WriteTx } from '../db/sql.ts';
import { audit } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import {
  clientById,
  countIdleClients,
  deleteAccessTokens,
  deleteClient,
  deleteGrant,
  deleteToken,
  deleteTokensOf,
  emptyGrants,
  expiredTokens,
  grantsOf,
  idleClients,
  insertClient,
  insertGrant,
  insertToken,
  noteGrant as noteGrantSql,
  spendToken,
  tokenByDigest,
  type TokenRow,
  useClient,
} from './oauth.sql.ts';
import { needName, needOwnAccount } from './permission.ts';
import {
  ACCESS_LIMITS,
  GRANT_SCOPES,
  type GrantScope,
  type OauthClient,
  type Redeemed,
  type TokenDigests,
  wordsOf,
} from './types.ts';

const INVALID: Redeemed = { ok: false, error: 'invalid_grant' };

/**
 * A client registers itself (RFC 7591). Where there are as many as may be that nobody uses, the oldest of them goes, so that
 * strangers who fill the list keep nobody else out of it. Refusal 'limit' when all of them have only just come.
 */
export async function registerClient(tx: WriteTx, args: OauthClient): Promise<null> {
  const idle = (await tx.get(countIdleClients))?.count ?? 0;
  if (idle >= ACCESS_LIMITS.idleClients) {
    const [oldest] = await tx.all(idleClients, tx.now - ACCESS_LIMITS.freshClientMs, 1);
    if (oldest !== undefined) await tx.run(deleteClient, oldest.id);
    else throw new Refusal('limit', 'Too many clients have registered that nobody uses: try again later.');
  }
  const name = needName(args.name, ACCESS_LIMITS.name);
  await tx.run(insertClient, args.id, name, JSON.stringify(args.redirectUris), tx.now);
  return null;
}

/** The account agrees: a grant, and the code by which the client gets its tokens. */
export async function grant(
  tx: WriteTx,
  args: {
    actor: Actor;
    accountId: number;
    clientId: string;
    scopes: readonly GrantScope[];
    digest: string;
    redirectUri: string;
    challenge: string;
  },
): Promise<{ grantId: number }> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  const client = await tx.get(clientById, args.clientId);
  if (client === undefined) throw new Refusal('not-found', 'There is no such client.');
  if (args.scopes.length === 0) throw new Refusal('bad-input', 'It needs at least one scope.');
  const mine = await tx.all(grantsOf, args.accountId);
  for (const { id } of mine.slice(0, Math.max(0, mine.length - ACCESS_LIMITS.grants + 1)))
    await cutGrant(tx, args.accountId, id);
  const scopes = args.scopes.join(' ');
  const row = await tx.get(insertGrant, args.accountId, args.clientId, scopes, tx.now);
  if (row === undefined) throw new Error('an INSERT returned no row');
  await tx.run(useClient, tx.now, args.clientId);
  const until = tx.now + ACCESS_LIMITS.codeMs;
  const { digest, redirectUri, challenge } = args;
  await tx.run(insertToken, digest, row.id, 'code', scopes, redirectUri, challenge, tx.now, until);
  await audit(tx, args.actor, 'account.grant', account.address, { client: client.name, scopes });
  return { grantId: row.id };
}

/**
 * A code for tokens (RFC 6749 section 4.1.3). A code that comes a second time ends what it gave (section 4.1.2), and
 * that is committed: it is an outcome, no Refusal. `challenge`: made of the verifier the client sent (RFC 7636 4.6).
 */
export async function redeemCode(
  tx: WriteTx,
  args: { digest: string; clientId: string; redirectUri: string; challenge: string; tokens: TokenDigests },
): Promise<Redeemed> {
  const row = await tx.get(tokenByDigest, args.digest);
  if (row === undefined || row.kind !== 'code' || row.client_id !== args.clientId) return INVALID;
  if (row.spent_at !== null) return reused(tx, row);
  if (row.expires_at <= tx.now) return INVALID;
  if (row.redirect_uri !== args.redirectUri || !same(row.challenge ?? '', args.challenge)) return INVALID;
  if ((await tx.run(spendToken, tx.now, args.digest)) === 0) return reused(tx, row);
  const scopes = wordsOf(row.scopes, GRANT_SCOPES);
  await putTokens(tx, row.grant_id, scopes, row.scopes, args.tokens);
  return { ok: true, accountId: row.account_id, scopes };
}

/**
 * A refresh token for new tokens; it is spent (RFC 9700 section 4.14.2). `scopes`: fewer than granted, for the access
 * token alone (RFC 6749 section 6).
 */
export async function refresh(
  tx: WriteTx,
  args: { digest: string; clientId: string; scopes: readonly GrantScope[] | null; tokens: TokenDigests },
): Promise<Redeemed> {
  const row = await tx.get(tokenByDigest, args.digest);
  if (row === undefined || row.kind !== 'refresh' || row.client_id !== args.clientId) return INVALID;
  if (row.spent_at !== null) return reused(tx, row);
  if (row.expires_at <= tx.now) return INVALID;
  const granted = wordsOf(row.scopes, GRANT_SCOPES);
  const scopes = args.scopes ?? granted;
  if (scopes.length === 0 || scopes.some((one) => !granted.includes(one)))
    return { ok: false, error: 'invalid_scope' };
  if ((await tx.run(spendToken, tx.now, args.digest)) === 0) return reused(tx, row);
  await tx.run(deleteAccessTokens, row.grant_id);
  await putTokens(tx, row.grant_id, scopes, row.scopes, args.tokens);
  await tx.run(noteGrantSql, tx.now, row.grant_id);
  return { ok: true, accountId: row.account_id, scopes };
}

async function putTokens(
  tx: WriteTx,
  grantId: number,
  scopes: readonly GrantScope[],
  granted: string,
  { access, refresh: next }: TokenDigests,
): Promise<void> {
  const { now } = tx;
  const words = scopes.join(' ');
  await tx.run(
    insertToken,
    access,
    grantId,
    'access',
    words,
    null,
    null,
    now,
    now + ACCESS_LIMITS.accessTokenMs,
  );
  const until = now + ACCESS_LIMITS.refreshTokenMs;
  await tx.run(insertToken, next, grantId, 'refresh', granted, null, null, now, until);
}

/** Two have it, and nobody knows which of them is the thief: it ends for both. */
async function reused(tx: WriteTx, row: TokenRow): Promise<Redeemed> {
  await cutGrant(tx, row.account_id, row.grant_id);
  const actor: Actor = { name: 'system', role: 'system', domainId: undefined };
  const account = await needOwnAccount(tx, actor, row.account_id);
  await audit(tx, actor, 'account.grant-reused', account.address, { kind: row.kind });
  return { ok: false, error: 'invalid_grant', reused: true };
}

/** The client gives a token back (RFC 7009), and with it all it had. Unknown ones are no error. */
export async function revokeToken(
  tx: WriteTx,
  args: { digest: string; clientId: string | null },
): Promise<null> {
  const row = await tx.get(tokenByDigest, args.digest);
  if (row === undefined || row.kind === 'code') return null;
  if (args.clientId !== null && args.clientId !== row.client_id) return null;
  await cutGrant(tx, row.account_id, row.grant_id);
  return null;
}

export async function removeGrant(
  tx: WriteTx,
  args: { actor: Actor; accountId: number; id: number },
): Promise<boolean> {
  const account = await needOwnAccount(tx, args.actor, args.accountId);
  const found = (await tx.all(grantsOf, args.accountId)).find(({ id }) => id === args.id);
  if (found === undefined) return false;
  await cutGrant(tx, args.accountId, args.id);
  await audit(tx, args.actor, 'account.grant-end', account.address, { client: found.client });
  return true;
}

async function cutGrant(tx: WriteTx, accountId: number, id: number): Promise<void> {
  await tx.run(deleteTokensOf, id);
  await tx.run(deleteGrant, accountId, id);
  tx.revoke(`grant:${id}`);
}

export async function cutGrants(tx: WriteTx, accountId: number): Promise<void> {
  for (const { id } of await tx.all(grantsOf, accountId)) await cutGrant(tx, accountId, id);
}

export async function noteGrant(tx: WriteTx, args: { id: number }): Promise<null> {
  await tx.run(noteGrantSql, tx.now, args.id);
  return null;
}

/** Forget what is over; true when there may be more. */
export async function sweepOauth(tx: WriteTx, limit: number): Promise<boolean> {
  const tokens = await tx.all(expiredTokens, tx.now, limit);
  for (const { digest } of tokens) await tx.run(deleteToken, digest);
  const grants = await tx.all(emptyGrants, tx.now - ACCESS_LIMITS.codeMs, limit);
  for (const { id, account_id } of grants) await cutGrant(tx, account_id, id);
  const clients = await tx.all(idleClients, tx.now - ACCESS_LIMITS.idleClientMs, limit);
  for (const { id } of clients) await tx.run(deleteClient, id);
  return [tokens, grants, clients].some(({ length }) => length === limit);
}

/** Whether two texts are the same, in a time that does not tell where they differ. */
function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
