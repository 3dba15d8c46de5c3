import { point, single } from '../catalogue.ts';
import type { ReadTx } from '../db/sql.ts';
import { credentialOf } from '../directory/credentials.sql.ts';
import { toCredential } from '../directory/rows.ts';
import {
  type AppPasswordRow,
  appPasswordsOf,
  countRecovery,
  passkeyByCredential,
  type PasskeyRow,
  passkeysOf,
  passwordChangedAt,
  sessionByDigest,
  type SessionRow,
  sessionsOf,
  totpOf,
} from './access.sql.ts';
import { clientById, grantsOf, tokenByDigest } from './oauth.sql.ts';
import {
  type AccessToken,
  APP_SCOPES,
  type AppPassword,
  type Factors,
  GRANT_SCOPES,
  type LoginFactors,
  type OauthClient,
  type Passkey,
  type SecurityOverview,
  type WebSession,
  wordsOf,
} from './types.ts';

export function toAppPassword(row: AppPasswordRow): AppPassword {
  return {
    id: row.id,
    scopes: wordsOf(row.scopes, APP_SCOPES),
    scram: {
      salt: row.salt,
      iterations: row.iterations,
      storedKey: row.stored_key,
      serverKey: row.server_key,
    },
    expiresAt: row.expires_at ?? undefined,
    usedAt: row.used_at ?? undefined,
    usedFrom: row.used_from ?? undefined,
  };
}

function toSession(row: SessionRow): WebSession {
  return {
    id: row.id,
    accountId: row.account_id,
    address: row.address,
    userAgent: row.user_agent,
    remember: row.remember === 1,
    createdAt: row.created_at,
    confirmedAt: row.confirmed_at,
    usedAt: row.used_at,
    expiresAt: row.expires_at,
  };
}

function toPasskey(row: PasskeyRow): Passkey {
  return {
    id: row.id,
    accountId: row.account_id,
    credentialId: row.credential_id,
    publicKey: row.public_key,
    counter: row.counter,
    transports: row.transports === '' ? [] : row.transports.split(' '),
    name: row.name,
    createdAt: row.created_at,
    usedAt: row.used_at ?? undefined,
  };
}

async function ofLogin(tx: ReadTx, { accountId }: { accountId: number }): Promise<LoginFactors> {
  const totp = await tx.get(totpOf, accountId);
  const secondFactor =
    (totp !== undefined && totp.confirmed_at !== null) || (await tx.all(passkeysOf, accountId)).length > 0;
  return { secondFactor, appPasswords: (await tx.all(appPasswordsOf, accountId)).map(toAppPassword) };
}

async function factors(tx: ReadTx, { accountId }: { accountId: number }): Promise<Factors> {
  const totp = await tx.get(totpOf, accountId);
  return {
    totp: totp && {
      secret: totp.secret,
      confirmedAt: totp.confirmed_at ?? undefined,
      lastStep: totp.last_step,
    },
    recoveryCodes: (await tx.get(countRecovery, accountId))?.count ?? 0,
    passkeys: (await tx.all(passkeysOf, accountId)).map(toPasskey),
  };
}

async function overview(
  tx: ReadTx,
  { accountId, now }: { accountId: number; now: number },
): Promise<SecurityOverview> {
  const totp = await tx.get(totpOf, accountId);
  const sessions = (await tx.all(sessionsOf, accountId)).map(toSession);
  return {
    passwordChangedAt: (await tx.get(passwordChangedAt, accountId))?.changed_at,
    totpSince: totp?.confirmed_at ?? undefined,
    recoveryCodes: (await tx.get(countRecovery, accountId))?.count ?? 0,
    passkeys: (await tx.all(passkeysOf, accountId))
      .map(toPasskey)
      .map(({ id, credentialId, name, createdAt, usedAt }) => ({
        id,
        credentialId,
        name,
        createdAt,
        usedAt,
      })),
    appPasswords: (await tx.all(appPasswordsOf, accountId)).map((row) => {
      const { id, scopes, expiresAt, usedAt, usedFrom } = toAppPassword(row);
      return { id, name: row.name, scopes, createdAt: row.created_at, expiresAt, usedAt, usedFrom };
    }),
    sessions: sessions.filter(({ expiresAt }) => expiresAt > now),
    grants: (await tx.all(grantsOf, accountId)).map((row) => ({
      id: row.id,
      client: row.client,
      scopes: wordsOf(row.scopes, GRANT_SCOPES),
      createdAt: row.created_at,
      usedAt: row.used_at ?? undefined,
    })),
  };
}

async function accessToken(
  tx: ReadTx,
  { digest, now }: { digest: string; now: number },
): Promise<AccessToken | undefined> {
  const row = await tx.get(tokenByDigest, digest);
  if (row === undefined || row.kind !== 'access' || row.expires_at <= now) return undefined;
  return {
    grantId: row.grant_id,
    accountId: row.account_id,
    clientId: row.client_id,
    scopes: wordsOf(row.scopes, GRANT_SCOPES),
    expiresAt: row.expires_at,
    usedAt: row.used_at ?? undefined,
  };
}

export const reads = {
  /** What a login is checked against besides the password. Expired app passwords are there too. */
  'access.ofLogin': point(ofLogin),
  /** The salt that the passwords of an account share; undefined: none of them has one yet. */
  'access.scramSalt': point(
    async (
      tx: ReadTx,
      { accountId }: { accountId: number },
    ): Promise<{ salt: Uint8Array; iterations: number } | undefined> => {
      const [app] = await tx.all(appPasswordsOf, accountId);
      if (app !== undefined) return { salt: app.salt, iterations: app.iterations };
      const row = await tx.get(credentialOf, accountId);
      return row === undefined ? undefined : toCredential(row).scram;
    },
  ),
  'access.factors': point(factors),
  'access.overview': point(overview),
  /** A session of an active account; undefined for one that is over. */
  'access.session': single(
    async (tx: ReadTx, args: { digest: string; now: number }): Promise<WebSession | undefined> => {
      const row = await tx.get(sessionByDigest, args.digest);
      return row === undefined || row.expires_at <= args.now ? undefined : toSession(row);
    },
  ),
  /** A passkey of an active account, by its credential id. */
  'access.passkey': single(
    async (tx: ReadTx, args: { credentialId: string }): Promise<Passkey | undefined> => {
      const row = await tx.get(passkeyByCredential, args.credentialId);
      return row && toPasskey(row);
    },
  ),
  /** An access token that holds, of an active account. */
  'access.token': single(accessToken),
  'access.client': single(async (tx: ReadTx, args: { id: string }): Promise<OauthClient | undefined> => {
    const row = await tx.get(clientById, args.id);
    return row && { id: row.id, name: row.name, redirectUris: JSON.parse(row.redirect_uris) as string[] };
  }),
} as const;
