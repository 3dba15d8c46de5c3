import type { WriteFunction } from '../catalogue.ts';
import { appendAll } from './append-all.ts';
import { append } from './deposit.ts';
import { claimRecent, createDefaults, createMailbox, deleteMailboxByName, subscribe } from './mailboxes.ts';
import { copy, type CopyArgs, expunge, move } from './placements.ts';
import { keepPreviews } from './previews.ts';
import { purge, type Undelete, undelete } from './purge.ts';
import { rename } from './rename.ts';
import { addKeys, type LateKeys } from './sort-keys.ts';
import { storeFlags } from './store-flags.ts';
import type {
  CopyResult,
  Deposit,
  DepositResult,
  ExpungeResult,
  FlagSet,
  Mailbox,
  NewBlob,
  ParsedContent,
  SpecialUse,
  StoreFlagsRequest,
  StoreFlagsResult,
  UidRange,
} from './types.ts';
import { needUrlKey, resetUrlKeys } from './url-keys.ts';

type W<A, R> = WriteFunction<A, R>;

/** One message into several accounts with one body; used inside 'message.accept' and by APPEND. */
export type Append = { readonly blob: NewBlob; readonly content: ParsedContent; readonly deposit: Deposit };

export const writes = {
  /** APPEND: Refusal 'no-such-mailbox' (TRYCREATE), 'over-quota'. */
  'mailstore.append': append as W<
    Append & { accountId: number; mailboxId: number },
    { uidvalidity: number; uid: number; emailId: number }
  >,
  /** Several at once, in place of an old one or not: all or nothing. */
  'mailstore.appendAll': appendAll,
  /** Previews that somebody has asked for. */
  'mailstore.keepPreviews': keepPreviews,
  /** The URLAUTH key of an account for a mailbox, made when there is none. */
  'mailstore.needUrlKey': needUrlKey,
  'mailstore.resetUrlKeys': resetUrlKeys,
  'mailstore.storeFlags': storeFlags as W<StoreFlagsRequest, StoreFlagsResult>,
  /** Copies share the email (no new octets); flags and keywords go along (as far as `permitted`). Atomic; order of UIDs kept (RFC 9051 6.4.7). */
  'mailstore.copy': copy as W<CopyArgs, CopyResult>,
  'mailstore.move': move as W<CopyArgs, CopyResult & { modseq: number }>,
  /** Expunge what has \Deleted, within `ranges` when given (UID EXPUNGE); `anyFlag` expunges regardless of \Deleted. */
  'mailstore.expunge': expunge as W<
    { accountId: number; mailboxId: number; ranges?: readonly UidRange[]; anyFlag?: boolean },
    ExpungeResult
  >,
  /** Creates missing parents too. Refusals 'already-exists', 'bad-input', 'limit', 'not-permitted' (special use taken). */
  'mailstore.createMailbox': createMailbox as W<
    { accountId: number; name: string; specialUse?: SpecialUse },
    Mailbox
  >,
  /** Refusals 'no-such-mailbox', 'not-permitted' (INBOX, has children). Its messages become orphaned (undelete). */
  'mailstore.deleteMailbox': deleteMailboxByName as W<{ accountId: number; name: string }, { id: number }>,
  /** Children move along; INBOX keeps existing and its messages move (RFC 9051 6.3.6). */
  'mailstore.renameMailbox': rename as W<{ accountId: number; from: string; to: string }, null>,
  'mailstore.subscribe': subscribe as W<{ accountId: number; name: string; subscribed: boolean }, null>,
  /** A read-write session takes over \Recent: returns the lowest UID that is recent for it. */
  'mailstore.claimRecent': claimRecent as W<{ mailboxId: number }, { recentUid: number }>,
  /** Special-use mailboxes of a new account. */
  'mailstore.createDefaults': createDefaults as W<{ accountId: number }, null>,
  /** Remove for good emails orphaned before `before`, at most `limit`; returns blob files to unlink and how many went. */
  'mailstore.purge': purge as W<
    { before: number; limit: number },
    { emails: number; files: readonly string[] }
  >,
  /** Sort keys of emails from before there were any. */
  'mailstore.addKeys': addKeys as W<{ emails: readonly LateKeys[] }, null>,
  /** Bring an orphaned email back into a mailbox; for administrators, those of a domain within it. Leaves an audit row. */
  'mailstore.undelete': undelete as W<Undelete, { uid: number }>,
} as const;

export type { DepositResult, FlagSet };
