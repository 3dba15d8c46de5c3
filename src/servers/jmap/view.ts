import { createHash } from 'node:crypto';
import { ALL_RIGHTS, hasRights, Right } from '../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../data/sharing/types.ts';
import type { Store } from '../../data/store.ts';
import { invalidArguments, MethodError } from './errors.ts';
import { formatId, parseId } from './ids.ts';

/** An account as somebody sees it: all of their own, of others what was shared with them. */
export interface View {
  readonly accountId: number;
  /** Who looks. */
  readonly viewer: number;
  readonly own: boolean;
  /** Mailboxes whose messages may be read. */
  readonly mailboxes: readonly KnownMailbox[];
  /** Their ids, where these are not all there are. */
  readonly visible: readonly number[] | undefined;
  /**
   * Changes when what may be seen or done changes, and when the server was restored from a backup: states from before
   * such a change say nothing any more. '' where everything may be seen and done and nothing was ever restored.
   */
  readonly mark: string;
  readonly readOnly: boolean;
}

const SEEN: number = Right.Lookup | Right.Read;
const CHANGING: number =
  Right.Seen | Right.Write | Right.Insert | Right.Expunge | Right.Create | Right.Delete;

function viewFrom(accountId: number, viewer: number, known: readonly KnownMailbox[], epoch: string): View {
  const own = accountId === viewer;
  const theirs = known.filter(({ mailbox }) => mailbox.id !== 0 && mailbox.accountId === accountId);
  const mailboxes = theirs.filter(({ rights }) => hasRights(rights, SEEN));
  const all = own && mailboxes.length === theirs.length;
  // One may take rights to one's own mailboxes away from oneself.
  const everything = all && mailboxes.every(({ rights }) => hasRights(rights, ALL_RIGHTS));
  const listed = [epoch, ...mailboxes.map(({ mailbox, rights }) => `${mailbox.id}:${rights}`).toSorted()];
  return {
    accountId,
    viewer,
    own,
    mailboxes,
    visible: all ? undefined : mailboxes.map(({ mailbox }) => mailbox.id),
    mark: everything ? epoch : createHash('sha256').update(listed.join(' ')).digest('hex').slice(0, 12),
    readOnly: !own && mailboxes.every(({ rights }) => (rights & CHANGING) === 0),
  };
}

/** Every account that somebody may look at, their own first. */
export async function allViews(read: Store['read'], viewer: number): Promise<View[]> {
  const known = await read.run('sharing.mailboxes', { accountId: viewer });
  const { epoch } = await read.run('jmap.epoch', null);
  const ids = new Set([viewer, ...known.map(({ mailbox }) => mailbox.accountId)]);
  return [...ids]
    .map((accountId) => viewFrom(accountId, viewer, known, epoch))
    .filter(({ own, mailboxes }) => own || mailboxes.length > 0);
}

/**
 * The account of that id, rights asked anew.
 * @throws MethodError 'accountNotFound', 'invalidArguments'
 */
export async function viewOf(
  read: Store['read'],
  viewer: number,
  text: unknown,
  missing: 'accountNotFound' | 'fromAccountNotFound' = 'accountNotFound',
): Promise<View> {
  // RFC 8620 section 3.6.2: an argument that is missing or of another type is no account that is not there.
  if (typeof text !== 'string')
    throw invalidArguments(`${missing === 'accountNotFound' ? 'accountId' : 'fromAccountId'} must be an id`);
  const accountId = parseId('account', text);
  if (accountId === undefined) throw new MethodError(missing);
  const { epoch } = await read.run('jmap.epoch', null);
  const known = await read.run('sharing.mailboxes', { accountId: viewer });
  const view = viewFrom(accountId, viewer, known, epoch);
  if (!view.own && view.mailboxes.length === 0) throw new MethodError(missing);
  return view;
}

export function accountText({ accountId }: View): string {
  return formatId('account', accountId);
}
