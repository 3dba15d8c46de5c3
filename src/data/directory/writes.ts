import type { WriteFunction } from '../catalogue.ts';
import { writes as administration } from './administration.ts';
import {
  addAccount,
  removeAccount,
  restoreAccount,
  setPassword,
  setQuota,
  setRole,
  setStatus,
  upgradeCredential,
} from './accounts.ts';
import { addAlias, addGrant, removeAlias, removeGrant } from './aliases.ts';
import { changeDkimKeys } from './dkim-states.ts';
import {
  addDkimKey,
  addDomain,
  changeSetting,
  ensureSetting,
  keptSecret,
  note,
  removeDomain,
  setCatchAll,
  setSetting,
} from './domains.ts';
import { deleteAuditBefore } from './directory.sql.ts';
import { saveSiteSettings, type SiteSetting } from './site-settings.ts';
import { purgeRemoved } from './removal.ts';
import type { Account, Actor, Alias, DkimKey, Domain, Role, ScramSecret } from './types.ts';

type W<A, R> = WriteFunction<A & { readonly actor: Actor }, R>;

/** Every one checks the actor's role (a domain administrator only within their domain) and leaves an audit row. */
export const writes = {
  ...administration,
  'directory.addDomain': addDomain as W<{ name: string; aliasOf?: string }, Domain>,
  /** Refusal 'conflict' while accounts or aliases remain. */
  'directory.removeDomain': removeDomain as W<{ name: string }, null>,
  'directory.setCatchAll': setCatchAll as W<{ domain: string; address: string | null }, null>,
  /** hash and scram keys are computed by the caller (app) from the password. Creates default mailboxes. */
  'directory.addAccount': addAccount as W<
    {
      address: string;
      displayName: string;
      role: Role;
      quota: number;
      hash: string;
      scram: ScramSecret | null;
      shared?: boolean;
    },
    Account
  >,
  'directory.setPassword': setPassword as W<
    { address: string; hash: string; scram: ScramSecret | null },
    null
  >,
  /** An imported hash gains argon2id and SCRAM keys at the first PLAIN login; no audit, no revocation. */
  'directory.upgradeCredential': upgradeCredential as WriteFunction<
    { accountId: number; oldHash: string; hash: string; scram: ScramSecret },
    null
  >,
  'directory.setStatus': setStatus as W<{ address: string; status: 'active' | 'suspended' }, null>,
  'directory.setRole': setRole as W<{ address: string; role: Role }, null>,
  'directory.setQuota': setQuota as W<{ address: string; quota: number; messages?: number }, null>,
  /** status 'removed', mail kept; `purge` deletes the mail now (beyond 2,000 emails in purgeRemoved). Undone by restoreAccount within 30 days. */
  'directory.removeAccount': removeAccount as W<
    { address: string; purge: boolean },
    { files: readonly string[] }
  >,
  'directory.restoreAccount': restoreAccount as W<{ address: string }, null>,
  'directory.addAlias': addAlias as W<{ address: string; targets: readonly string[] }, Alias>,
  'directory.removeAlias': removeAlias as W<{ address: string; target?: string }, null>,
  'directory.addGrant': addGrant as W<{ account: string; address: string }, null>,
  'directory.removeGrant': removeGrant as W<{ account: string; address: string }, null>,
  /** A secret was put into a file of the data directory: who did it, never the secret. Refusal 'not-permitted'. */
  /** An entry of the audit alone. Refusal 'not-permitted'. */
  'directory.note': note as W<
    { action: string; subject: string; data?: Readonly<Record<string, string | number>> },
    null
  >,
  'directory.keptSecret': keptSecret as W<{ name: string }, null>,
  'directory.addDkimKey': addDkimKey as W<
    Omit<DkimKey, 'id' | 'state'> & { state?: 'pending' | 'active' },
    DkimKey
  >,
  'directory.changeDkimKeys': changeDkimKeys as W<
    { domain: string; changes: readonly { selector: string; state: DkimKey['state'] | 'gone' }[] },
    null
  >,
  /** Setting `name` as JSON. Refusal 'not-permitted'. */
  'directory.saveSiteSettings': saveSiteSettings as W<{ name: SiteSetting; json: string }, null>,
  'directory.setSetting': setSetting as WriteFunction<{ name: string; value: string }, null>,
  /** Set it if it still says `before` (undefined: if there is none); false when somebody else was faster. */
  'directory.changeSetting': changeSetting as WriteFunction<
    { name: string; before: string | undefined; value: string },
    boolean
  >,
  /** Set it unless it is set; returns what stands. For keys that several processes may want to make. */
  'directory.ensureSetting': ensureSetting as WriteFunction<{ name: string; value: string }, string>,
  /** A job: forget accounts removed before a time (30 days ago), at most `limit` emails a call; `more`: call again. */
  'directory.purgeRemoved': purgeRemoved as WriteFunction<
    { before: number; limit: number },
    { accounts: number; files: readonly string[]; more: boolean }
  >,
  /** A job: delete audit rows older than a time, oldest first, at most `limit` a call; returns how many went. */
  'directory.pruneAudit': ((tx, { before, limit }) =>
    tx.run(deleteAuditBefore, before, limit)) as WriteFunction<{ before: number; limit: number }, number>,
} as const;
