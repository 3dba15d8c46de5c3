import type { SpecialUse } from '../../../data/mailstore/types.ts';
import { isReserved } from '../../../data/sharing/namespaces.ts';
import { Right } from '../../../data/sharing/rights.ts';
import { needMailbox, needPlace } from '../access.ts';
import { tellNormalized } from '../normalized.ts';
import { deselect } from '../refresh.ts';
import { refuse } from '../replies.ts';
import { loginOf, type Session, untaggedOk } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

const SPECIAL_USES: Readonly<Record<string, SpecialUse>> = {
  ARCHIVE: '\\Archive',
  DRAFTS: '\\Drafts',
  FLAGGED: '\\Flagged',
  JUNK: '\\Junk',
  SENT: '\\Sent',
  TRASH: '\\Trash',
};

/** USE (use-attr ...) of CREATE (RFC 6154 section 3). */
function specialUse(d: Decoder): SpecialUse | undefined {
  d.sp();
  d.need('(USE ');
  const uses = d.list(
    () => {
      d.need('\\');
      return d.keyword('a special use');
    },
    { empty: true },
  );
  d.need(')');
  if (uses.length > 1) throw refuse('not-permitted', 'USEATTR', 'A mailbox may have one special use');
  const [name] = uses;
  if (name === undefined) return undefined;
  const use = Object.hasOwn(SPECIAL_USES, name) ? SPECIAL_USES[name] : undefined;
  if (use === undefined) throw refuse('not-permitted', 'USEATTR', 'This special use is not known here');
  return use;
}

/** CREATE (RFC 9051 section 6.3.4). */
export const create: Command = {
  name: 'CREATE',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    const use = d.atEnd ? undefined : specialUse(d);
    d.end();
    const { accountId, path, own } = await needPlace(session, name);
    if (use !== undefined && !own)
      throw refuse('not-permitted', 'USEATTR', "Special uses are its owner's to give");
    const made = await session.options.store.write.run('mailstore.createMailbox', {
      accountId,
      name: path,
      ...(use !== undefined && { specialUse: use }),
    });
    if (own) tellNormalized(session, name, path);
    return { code: `MAILBOXID (F${made.id})`, text: 'CREATE completed' };
  },
};

/** DELETE (RFC 9051 section 6.3.5). */
export const remove: Command = {
  name: 'DELETE',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.end();
    const { mailbox, path } = await needMailbox(session, name, Right.Delete);
    const { id } = await session.options.store.write.run('mailstore.deleteMailbox', {
      accountId: mailbox.accountId,
      name: path,
    });
    if (session.view?.mailboxId === id) {
      session.view.arrivals = false;
      await deselect(session);
      untaggedOk(session, 'CLOSED', 'The selected mailbox is gone');
    }
    tellNormalized(session, name, mailbox.name, '\\NonExistent');
    return undefined;
  },
};

/** RENAME (RFC 9051 section 6.3.6). */
export const rename: Command = {
  name: 'RENAME',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const from = d.mailbox();
    d.sp();
    const to = d.mailbox();
    d.end();
    const source = await needMailbox(session, from, Right.Delete);
    const target = await needPlace(session, to);
    const { accountId } = source.mailbox;
    if (target.accountId !== accountId)
      throw refuse('not-permitted', 'CANNOT', 'A mailbox cannot be moved to another account');
    // Its messages would move, and the mailbox stay (RFC 9051 section 6.3.6).
    if (!source.own && source.path === 'INBOX')
      throw refuse('not-permitted', 'CANNOT', "Somebody else's inbox cannot be renamed");
    await session.options.store.write.run('mailstore.renameMailbox', {
      accountId,
      from: source.path,
      to: target.path,
    });
    if (target.own && (source.mailbox.name !== from || target.path !== to))
      tellNormalized(session, from, target.path);
    return undefined;
  },
};

function subscription(name: string, subscribed: boolean): Command {
  return {
    name,
    states: LOGGED_IN,
    async run(session, d) {
      d.sp();
      const mailbox = d.mailbox();
      d.end();
      const { accountId } = loginOf(session);
      const { write } = session.options.store;
      if (isReserved(mailbox)) await subscribeForeign(session, mailbox, subscribed);
      else await write.run('mailstore.subscribe', { accountId, name: mailbox, subscribed });
      return undefined;
    },
  };
}

/** A name that looks like somebody else's may still be a mailbox of one's own, made before there were others. */
async function subscribeForeign(session: Session, name: string, subscribed: boolean): Promise<void> {
  const { accountId } = loginOf(session);
  const { read, write } = session.options.store;
  const own = (await read.run('mailstore.mailbox', { accountId, name })) !== undefined;
  await write.run(own ? 'mailstore.subscribe' : 'sharing.subscribe', { accountId, name, subscribed });
}

/** SUBSCRIBE (RFC 9051 section 6.3.7). */
export const subscribe = subscription('SUBSCRIBE', true);

/** UNSUBSCRIBE (RFC 9051 section 6.3.8). */
export const unsubscribe = subscription('UNSUBSCRIBE', false);
