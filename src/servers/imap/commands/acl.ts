import {
  ALL_RIGHTS,
  formatRightsWithObsolete,
  hasRights,
  OWNER_ALWAYS,
  parseRights,
  Right,
  TELLING,
} from '../../../data/sharing/rights.ts';
import type { KnownMailbox, RightsMode } from '../../../data/sharing/types.ts';
import { saslprep } from '../../../mail/sasl/saslprep.ts';
import { needAnyRight, needMailbox } from '../access.ts';
import { deselect } from '../refresh.ts';
import { loginOf, type Session, untagged, untaggedOk, usesUtf8 } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { mailbox as mailboxText, string, utf8Octets } from '../wire/encoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** UTF-16 units of an identifier. */
const IDENTIFIER_LENGTH = 400;

/** An identifier (RFC 4314 section 3): an address, anyone, @domain, group:ALIAS, or one of them behind "-". */
function identifier(d: Decoder): string {
  const text = d.astringText('an identifier');
  // RFC 4314 section 3: prepared by SASLprep, and BAD where nothing comes of it.
  if (text.length > IDENTIFIER_LENGTH || saslprep(text) === undefined) d.fail('an identifier before this');
  return text;
}

function prepared(who: string): string {
  return saslprep(who) ?? who;
}

function rightsText(rights: number): string {
  return string(formatRightsWithObsolete(rights));
}

function nameText(session: Session, { mailbox }: KnownMailbox): string {
  return mailboxText(mailbox.name, usesUtf8(session));
}

/** GETACL (RFC 4314 section 3.3). */
export const getAcl: Command = {
  name: 'GETACL',
  states: LOGGED_IN,
  capabilities: ['ACL', 'RIGHTS=kxte'],
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.end();
    const found = await needMailbox(session, name, Right.Administer);
    const entries = await session.options.store.read.run('sharing.acl', { mailboxId: found.mailbox.id });
    const pairs = entries.map(
      (entry) => ` ${string(utf8Octets(entry.identifier), true)} ${rightsText(entry.rights)}`,
    );
    untagged(session, `ACL ${nameText(session, found)}${pairs.join('')}`);
    return undefined;
  },
};

/** SETACL (RFC 4314 section 3.1). */
export const setAcl: Command = {
  name: 'SETACL',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.sp();
    const who = prepared(identifier(d));
    d.sp();
    let text = d.astringText('rights');
    d.end();
    let mode: RightsMode = 'replace';
    if (text.startsWith('+') || text.startsWith('-')) {
      mode = text.startsWith('+') ? 'add' : 'remove';
      text = text.slice(1);
    }
    const rights = parseRights(text);
    // RFC 4314 section 3.1: an unrecognized right is BAD.
    if (rights === undefined) return d.fail('rights of lrswipkxteacd before this');
    await change(session, name, who, mode, rights);
    return undefined;
  },
};

/** DELETEACL (RFC 4314 section 3.2). */
export const deleteAcl: Command = {
  name: 'DELETEACL',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.sp();
    const who = prepared(identifier(d));
    d.end();
    await change(session, name, who, 'replace', 0);
    return undefined;
  },
};

async function change(
  session: Session,
  name: string,
  who: string,
  mode: RightsMode,
  rights: number,
): Promise<void> {
  const { mailbox } = await needMailbox(session, name, Right.Administer);
  await session.options.store.write.run('sharing.setRightsAs', {
    accountId: loginOf(session).accountId,
    mailboxId: mailbox.id,
    identifier: who,
    mode,
    rights,
  });
  const { view } = session;
  if (view === undefined) return;
  // What was just taken away must not count in the commands behind this one.
  view.rightsStale = true;
  if (view.mailboxId !== mailbox.id) return;
  const { accountId } = loginOf(session);
  const left = await session.options.store.read.run('sharing.rights', { accountId, mailboxId: mailbox.id });
  if (hasRights(left, Right.Read)) return;
  // By its own doing: the session goes on without the mailbox.
  await deselect(session);
  untaggedOk(session, 'CLOSED', 'The selected mailbox may no longer be read');
}

/**
 * LISTRIGHTS (RFC 4314 section 3.4): all can be given one by one. Whether there is anybody of that name is not told.
 */
export const listRights: Command = {
  name: 'LISTRIGHTS',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.sp();
    const who = identifier(d);
    d.end();
    const found = await needMailbox(session, name, Right.Administer);
    const owner = await session.options.store.read.run('directory.account', { id: found.mailbox.accountId });
    const isOwner = owner !== undefined && prepared(who).toLowerCase() === owner.address;
    const always = isOwner ? OWNER_ALWAYS : 0;
    const single = [...formatRightsWithObsolete(ALL_RIGHTS & ~always)].join(' ');
    const required = always === 0 ? '""' : string([...formatRightsWithObsolete(always)].join(''));
    untagged(
      session,
      `LISTRIGHTS ${nameText(session, found)} ${string(utf8Octets(who), true)} ${required} ${single}`,
    );
    return undefined;
  },
};

/** MYRIGHTS (RFC 4314 section 3.5). */
export const myRights: Command = {
  name: 'MYRIGHTS',
  states: LOGGED_IN,
  async run(session, d) {
    d.sp();
    const name = d.mailbox();
    d.end();
    const found = await needAnyRight(session, name, TELLING);
    untagged(session, `MYRIGHTS ${nameText(session, found)} ${rightsText(found.rights)}`);
    return undefined;
  },
};
