import { givenAway } from '../../../data/blobs/given.ts';
import { permittedSet } from '../../../data/mailstore/across.ts';
import type { AppendAll } from '../../../data/mailstore/append-all.ts';
import { hasRights, Right } from '../../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../../data/sharing/types.ts';
import { permittedFlags } from '../access.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { tellNormalized } from '../normalized.ts';
import { noteMade } from '../notify/notify.ts';
import { withProgress } from '../progress.ts';
import { refresh } from '../refresh.ts';
import { refuse } from '../replies.ts';
import type { Session } from '../session.ts';
import {
  newUpload,
  passOverRest,
  readMessage,
  storedNothing,
  type Upload,
  type Uploaded,
  uploadMailbox,
} from '../upload.ts';
import type { Decoder } from '../wire/decoder.ts';
import { type Command, LOGGED_IN } from './command.ts';

const NO_BYTES = new Uint8Array(0);

/** APPEND (RFC 9051 section 6.3.12) of one message or, all or none, of several (RFC 3502). */
export const append: Command = {
  name: 'APPEND',
  states: LOGGED_IN,
  capabilities: ['MULTIAPPEND', 'CATENATE'],
  streams: true,
  async run(session, d) {
    const messages: Uploaded[] = [];
    let received: Received;
    try {
      received = await receive(session, d, messages);
    } catch (error) {
      for (const message of messages) message.drop();
      await passOverRest(session, d, error);
      throw error;
    }
    const { upload, target } = received;
    const { uidvalidity, uids } = await deposit(session, target, messages);
    tellNormalized(session, upload.name, target.mailbox.name);
    noteMade(session, target.mailbox.id, uids);
    // RFC 9051 section 6.3.12: into the selected mailbox, it is told of at once.
    await refresh(session, session.view?.mailboxId === target.mailbox.id);
    return { code: appendUid(target, uidvalidity, uids), text: 'APPEND completed' };
  },
};

interface Received {
  readonly upload: Upload;
  readonly target: KnownMailbox;
}

async function receive(session: Session, d: Decoder, messages: Uploaded[]): Promise<Received> {
  const upload = newUpload(await uploadMailbox(session, d), true);
  do {
    if (messages.length === SESSION_LIMITS.appendedMessages)
      throw refuse('limit', 'LIMIT', `At most ${SESSION_LIMITS.appendedMessages} messages come at once here`);
    messages.push(await readMessage(session, d, upload));
  } while (!d.atEnd);
  // What has no target has no message either.
  return { upload, target: upload.target ?? d.fail('a message') };
}

/**
 * APPENDUID (RFC 4315 section 3): UIDs of one commit follow each other. RFC 9051 section 6.3.12: who may not read the
 * mailbox learns nothing of the UIDs there.
 */
export function appendUid(
  { rights }: KnownMailbox,
  uidvalidity: number,
  uids: readonly number[],
): string | undefined {
  if (!hasRights(rights, Right.Read)) return undefined;
  const [first = 0] = uids;
  const last = uids.at(-1) ?? first;
  return `APPENDUID ${uidvalidity} ${last === first ? first : `${first}:${last}`}`;
}

/** Put messages that have come whole into a mailbox, in one commit. */
export async function deposit(
  session: Session,
  { mailbox, rights }: KnownMailbox,
  messages: readonly Uploaded[],
  replaces?: NonNullable<AppendAll['replaces']>,
): Promise<{ uidvalidity: number; uids: readonly number[] }> {
  const { accountId, id: mailboxId } = mailbox;
  const request: AppendAll = {
    accountId,
    mailboxId,
    messages: messages.map(({ blob, content, set, receivedAt }) => ({
      blob,
      content,
      deposit: {
        accountId,
        mailbox: { id: mailboxId },
        prefix: NO_BYTES,
        hidden: [],
        // RFC 4314 section 4: flags that the account may not set are left out.
        set: permittedSet(set, permittedFlags(rights)),
        receivedAt,
        trace: session.facts.id,
        ignoreQuota: false,
      },
    })),
    ...(replaces !== undefined && { replaces }),
  };
  const given = messages.flatMap(({ blob }) => givenAway(blob));
  const { write } = session.options.store;
  try {
    return await withProgress(session, () => write.run('mailstore.appendAll', request, given));
  } catch (error) {
    if (storedNothing(error)) for (const message of messages) message.drop();
    throw error;
  }
}
