import type { WriteFunction } from '../catalogue.ts';
import { release, remove, type VaultChange } from './change.ts';
import { purge, type VaultPurge } from './remove.ts';

type W<A, R> = WriteFunction<A, R>;

/** What comes into the vault comes with `delivery.accept`. Each change checks the actor and leaves an audit row. */
export const writes = {
  /** To the inbox of one recipient, or of all; learned as good mail. Refusal 'conflict' the second time. */
  'vault.release': release as W<
    VaultChange,
    { deposits: readonly { accountId: number; emailId: number; uid: number; mailboxId: number }[] }
  >,
  'vault.delete': remove as W<VaultChange, { files: readonly string[] }>,
  'vault.purge': purge as W<VaultPurge, { entries: number; files: readonly string[]; more: boolean }>,
} as const;
