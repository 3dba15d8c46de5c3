import type { Permitted } from '../../data/mailstore/types.ts';
import { Flag } from '../../data/mailstore/types.ts';
import { isReserved } from '../../data/sharing/namespaces.ts';
import { formatRights, hasRights, Right } from '../../data/sharing/rights.ts';
import type { KnownMailbox, NamedPlace } from '../../data/sharing/types.ts';
import type { Refusal } from '../../base/errors.ts';
import type { MailboxView } from './mailbox-view.ts';
import { announceFlags } from './refresh.ts';
import { noSuchMailbox, refuse } from './replies.ts';
import { loginOf, type Session, SessionEnd } from './session.ts';

/**
 * Every mailbox that a command names or works on goes through here: whose it is, and what this session's account may do
 * with it (RFC 4314). Whoever may not see a mailbox gets the answer of one that is not there.
 */

/** The mailbox a name means for this session's account, whatever right to it there is. */
function lookUp(session: Session, name: string): Promise<KnownMailbox | undefined> {
  return session.options.store.read.run('sharing.resolve', { accountId: loginOf(session).accountId, name });
}

/**
 * The mailbox of a name, when the account has all of these rights to it.
 * @throws Refusal NONEXISTENT (or TRYCREATE, for a personal name) also where it may not be seen, NOPERM
 */
export async function needMailbox(
  session: Session,
  name: string,
  needed: number,
  missing: 'NONEXISTENT' | 'TRYCREATE' = 'NONEXISTENT',
): Promise<KnownMailbox> {
  const found = await lookUp(session, name);
  if (found !== undefined && hasRights(found.rights, needed)) return found;
  if (found !== undefined && hasRights(found.rights, Right.Lookup)) throw lacking(found.rights, needed);
  throw noSuchMailbox(isReserved(name) ? 'NONEXISTENT' : missing);
}

/** The mailbox of a name, when the account has any of these rights to it. */
export async function needAnyRight(session: Session, name: string, any: number): Promise<KnownMailbox> {
  const found = await lookUp(session, name);
  if (found === undefined || (found.rights & any) === 0) throw noSuchMailbox();
  return found;
}

function lacking(rights: number, needed: number): Refusal {
  const missing = formatRights(needed & ~rights);
  return refuse('not-permitted', 'NOPERM', `You may not do that with this mailbox: it needs "${missing}"`);
}

/**
 * Where a mailbox of that name may be made: the right k to what is above it is needed (RFC 4314 section 4).
 * @throws Refusal CANNOT, NOPERM
 */
export async function needPlace(session: Session, name: string): Promise<NamedPlace> {
  const { accountId } = loginOf(session);
  const place = await session.options.store.read.run('sharing.place', { accountId, name });
  if (place !== undefined && hasRights(place.above, Right.Create)) return place;
  // One answer, whether or not there is anybody of that name.
  if (place === undefined || (!place.own && !hasRights(place.above, Right.Lookup)))
    throw refuse('not-permitted', 'CANNOT', 'No mailbox can be made there');
  throw lacking(place.above, Right.Create);
}

/** Throws unless the account has these rights to the selected mailbox. */
export function needRights(view: MailboxView, needed: number): void {
  if (!hasRights(view.rights, needed)) throw lacking(view.rights, needed);
}

/** Which flags somebody with these rights may change; undefined: all. */
export function permittedFlags(rights: number): Permitted | undefined {
  if (hasRights(rights, Right.Seen | Right.Write | Right.DeleteMessages)) return undefined;
  const write = hasRights(rights, Right.Write);
  let flags = 0;
  if (hasRights(rights, Right.Seen)) flags |= Flag.Seen;
  if (hasRights(rights, Right.DeleteMessages)) flags |= Flag.Deleted;
  if (write) flags |= Flag.Answered | Flag.Flagged | Flag.Draft;
  return { flags, keywords: write };
}

/** Rights of which any lets a mailbox be selected read-write (RFC 4314 section 5.2). */
const CHANGING = Right.Insert | Right.Expunge | Right.Seen | Right.Write | Right.DeleteMessages;

export function mayChange(rights: number): boolean {
  return (rights & CHANGING) !== 0;
}

/**
 * What the account may do with the selected mailbox now. Of one's own it is asked again when something in the account
 * changed, of others' each time: a right that was taken away must not count any longer, whichever process took it.
 * @throws SessionEnd when it may no longer be read
 */
export async function renewRights(session: Session): Promise<void> {
  const { view } = session;
  if (view === undefined || !(view.rightsStale || !view.own)) return;
  view.rightsStale = false;
  const { accountId } = loginOf(session);
  const { mailboxId } = view;
  const rights = await session.options.store.read.run('sharing.rights', { accountId, mailboxId });
  if (rights === view.rights || session.view !== view) return;
  view.rights = rights;
  // As for a mailbox that was deleted, which has no rights either: there is nothing left to be selected.
  if (!hasRights(rights, Right.Read))
    throw new SessionEnd(
      rights === 0 && view.own
        ? 'the selected mailbox was deleted'
        : 'the right to read the selected mailbox was taken away',
      '[UNAVAILABLE] The selected mailbox was deleted',
    );
  announceFlags(session, view);
}
