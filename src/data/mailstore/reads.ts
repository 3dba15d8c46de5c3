import { long, point } from '../catalogue.ts';
import type { ContentRef, FetchRequest, Mailbox, MailboxChanges, MessageRow } from './types.ts';

const todo = async (): Promise<never> => { throw new Error('to be written'); };

export const reads = {
  /** All mailboxes of an account, by name; deleted ones that are still subscribed come with id 0. */
  'mailstore.mailboxes': point(todo as (tx: unknown, args: { accountId: number }) => Promise<Mailbox[]>),
  'mailstore.mailbox': point(todo as (tx: unknown, args: { accountId: number; name: string }) => Promise<Mailbox | undefined>),
  'mailstore.mailboxById': point(todo as (tx: unknown, args: { mailboxId: number }) => Promise<Mailbox | undefined>),
  /** Snapshot for SELECT: all UIDs, ascending, and the mailbox as of the same instant; first unseen UID. */
  'mailstore.snapshot': long(todo as (tx: unknown, args: { mailboxId: number }) => Promise<{ mailbox: Mailbox; uids: Uint32Array; firstUnseen: number | undefined; keywords: readonly string[] } | undefined>),
  /** Rows in UID order, at most `limit`; UIDs that are gone are left out. */
  'mailstore.fetch': point(todo as (tx: unknown, args: FetchRequest) => Promise<MessageRow[]>),
  'mailstore.changesSince': point(todo as (tx: unknown, args: { mailboxId: number; modseq: number }) => Promise<MailboxChanges>),
  'mailstore.content': point(todo as (tx: unknown, args: { accountId: number; emailId: number }) => Promise<ContentRef | undefined>),
  /** UIDs by flag bits, for SEARCH without reading every row into the session: all of `all` set, none of `none`. */
  'mailstore.uidsByFlags': long(todo as (tx: unknown, args: { mailboxId: number; all: number; none: number; keyword?: string; notKeyword?: string }) => Promise<Uint32Array>),
  'mailstore.quota': point(todo as (tx: unknown, args: { accountId: number }) => Promise<{ used: number; emails: number; limit: number }>),
  /** Orphaned emails that can be brought back, newest first. */
  'mailstore.orphans': long(todo as (tx: unknown, args: { accountId: number; limit: number }) => Promise<{ emailId: number; mailboxId: number; uid: number; orphanedAt: number }[]>),
} as const;
