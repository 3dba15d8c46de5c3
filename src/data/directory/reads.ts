import { point } from '../catalogue.ts';
import type { Account, Alias, DkimKey, Domain, Resolution, StoredCredential } from './types.ts';

const todo = async (): Promise<never> => { throw new Error('to be written'); };
type R<A, O> = (tx: unknown, args: A) => Promise<O>;

export const reads = {
  'directory.domains': point(todo as R<null, (Domain & { accounts: number; aliases: number })[]>),
  'directory.domain': point(todo as R<{ name: string }, Domain | undefined>),
  'directory.accounts': point(todo as R<{ domain?: string; removed?: boolean }, Account[]>),
  'directory.account': point(todo as R<{ address: string } | { id: number }, Account | undefined>),
  'directory.aliases': point(todo as R<{ domain?: string }, Alias[]>),
  'directory.grants': point(todo as R<{ account: string }, string[]>),
  /**
   * RFC 5321 recipient to where it goes: exact account, exact alias, without the subaddress detail, postmaster@ and
   * abuse@ of our domains (to the first administrator when nobody has them), catch-all. Local parts without regard to case.
   */
  'directory.resolve': point(todo as R<{ localPart: string; domain: string; delimiter: string; size: number }, Resolution>),
  /** May this account use this address as reverse-path or From (own, alias that leads to it, grant, subaddress of own)? */
  'directory.maySendAs': point(todo as R<{ accountId: number; localPart: string; domain: string; delimiter: string }, boolean>),
  /** By login name: the primary address, or an alias that leads to this account alone. */
  'directory.credential': point(todo as R<{ login: string }, StoredCredential | undefined>),
  'directory.dkimKeys': point(todo as R<{ domain: string }, DkimKey[]>),
  'directory.setting': point(todo as R<{ name: string }, string | undefined>),
  'directory.audit': point(todo as R<{ limit: number; before?: number }, { id: number; at: number; actor: string; action: string; subject: string; data: string }[]>),
} as const;
