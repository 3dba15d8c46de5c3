import type { WriteFunction } from '../catalogue.ts';
import type { Account, Actor, Alias, DkimKey, Domain, Role } from './types.ts';

type W<A, R> = WriteFunction<A & { readonly actor: Actor }, R>;
const todo = async (): Promise<never> => { throw new Error('to be written'); };

/** Every one checks the actor's role (a domain administrator only within their domain) and leaves an audit row. */
export const writes = {
  'directory.addDomain': todo as W<{ name: string; aliasOf?: string }, Domain>,
  /** Refusal 'conflict' while accounts or aliases remain. */
  'directory.removeDomain': todo as W<{ name: string }, null>,
  'directory.setCatchAll': todo as W<{ domain: string; address: string | null }, null>,
  /** hash and scram keys are computed by the caller (app) from the password. Creates default mailboxes. */
  'directory.addAccount': todo as W<{ address: string; displayName: string; role: Role; quota: number; hash: string; scram: { salt: Uint8Array; iterations: number; storedKey: Uint8Array; serverKey: Uint8Array } | null }, Account>,
  'directory.setPassword': todo as W<{ address: string; hash: string; scram: { salt: Uint8Array; iterations: number; storedKey: Uint8Array; serverKey: Uint8Array } | null }, null>,
  /** An imported hash gains argon2id and SCRAM keys at the first PLAIN login; no audit, no revocation. */
  'directory.upgradeCredential': todo as WriteFunction<{ accountId: number; oldHash: string; hash: string; scram: { salt: Uint8Array; iterations: number; storedKey: Uint8Array; serverKey: Uint8Array } }, null>,
  'directory.setStatus': todo as W<{ address: string; status: 'active' | 'suspended' }, null>,
  'directory.setRole': todo as W<{ address: string; role: Role }, null>,
  'directory.setQuota': todo as W<{ address: string; quota: number }, null>,
  /** status 'removed', mail kept; `purge` deletes the mail now. Undone by restoreAccount within 30 days. */
  'directory.removeAccount': todo as W<{ address: string; purge: boolean }, { files: readonly string[] }>,
  'directory.restoreAccount': todo as W<{ address: string }, null>,
  'directory.addAlias': todo as W<{ address: string; targets: readonly string[] }, Alias>,
  'directory.removeAlias': todo as W<{ address: string; target?: string }, null>,
  'directory.addGrant': todo as W<{ account: string; address: string }, null>,
  'directory.removeGrant': todo as W<{ account: string; address: string }, null>,
  'directory.addDkimKey': todo as W<Omit<DkimKey, 'id' | 'state'>, DkimKey>,
  'directory.setSetting': todo as WriteFunction<{ name: string; value: string }, null>,
} as const;
