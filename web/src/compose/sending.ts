import { call, JmapError, ownAccountId } from '../jmap/client.ts';
import type { EmailSubmission, Id } from '../jmap/types.ts';
import { type Draft, emailOf, envelopeRecipients } from './draft.ts';
import { textOf } from './load.ts';
import { isSameMessage } from './same.ts';
import {
  copiesOf,
  destroyEmail,
  fetchEmail,
  mailboxOf,
  mostHoldSeconds,
  SetRefused,
  updatedOf,
} from './server.ts';

/** Sending, once: whatever becomes of the requests and their answers on the way. */

export interface Sent {
  readonly emailId: Id;
  readonly submissionId: Id;
  /** When it leaves, in ms; undefined: it has left. */
  readonly leavesAt: number | undefined;
  /** It was sent from elsewhere: another tab, another device. */
  readonly elsewhere: boolean;
}

/** It was sent already, with other words than those that stand here: the person says what becomes of these. */
export class SentOtherwise extends Error {
  /** The draft's copy on the server. */
  readonly emailId: Id | undefined;

  constructor(emailId: Id | undefined) {
    super('this message was sent already, with another text');
    this.emailId = emailId;
  }
}

/** It was saved, with this id, but not sent, for this reason. */
export class NotSent extends Error {
  readonly emailId: Id;
  readonly reason: SetRefused;

  constructor(emailId: Id, reason: SetRefused) {
    super(reason.message);
    this.emailId = emailId;
    this.reason = reason;
  }
}

export interface SendWish {
  /** Seconds in which it can be taken back. */
  readonly holdSeconds: number;
  /** Leave then, in ms; undefined: at once. */
  readonly sendAt: number | undefined;
  /** An earlier try may have sent it. */
  readonly uncertain: boolean;
  /** Others have the same draft open, and changed it: another tab, another device. */
  readonly shared: boolean;
}

/** How often a submission is tried that other changes come in between, and how often of those strictly. */
const SEND_TRIES = 10;
const STRICT_TRIES = 5;

/**
 * Save a draft and submit it. Throws `NotSent`, `SentOtherwise`, `SetRefused`, `ApiError`. After an uncertain try it is
 * looked up first whether that one was taken; so it is when somebody else had the draft. A request that hangs on its way and
 * arrives late, after another try, finds the account in another state than it knew (RFC 8620 section 5.3, `ifInState`), and
 * sends nothing.
 */
export async function sendDraft(draft: Draft, wish: SendWish): Promise<Sent> {
  let now = draft;
  for (let attempt = 1; ; attempt++) {
    const uncertain = wish.uncertain || attempt > 1;
    const sent = await trySend(now, { ...wish, uncertain }, attempt <= STRICT_TRIES);
    if (!('overtaken' in sent)) return sent;
    now = { ...now, emailId: sent.overtaken ?? now.emailId };
    if (attempt === SEND_TRIES) throw new SetRefused({ type: 'stateMismatch' });
  }
}

/**
 * `overtaken`: others came in between; it is a draft with this id. `strictly`: also changes of other emails count, so that a
 * late request does not even leave a draft behind; where mail pours in, that would never succeed.
 */
async function trySend(
  draft: Draft,
  wish: SendWish,
  strictly: boolean,
): Promise<Sent | { readonly overtaken: Id | undefined }> {
  const [draftsId, sentId] = await Promise.all([mailboxOf('drafts'), mailboxOf('sent')]);
  const accountId = ownAccountId();
  const { states, gone } = await statesNow(draft.emailId);
  // Whoever sent it took the draft's copy with it. To look for the message takes time where there is much mail.
  const before = wish.uncertain || wish.shared || gone ? await submissionOf(draft.messageId) : undefined;
  const lost = wish.uncertain || before !== undefined ? await copiesOf(draft.messageId, draftsId) : [];
  if (before !== undefined) return sentBefore(before, draft, wish, lost);
  const destroy = [...new Set([...(draft.emailId === undefined ? [] : [draft.emailId]), ...lost])];
  const seconds = holdFor(wish);
  const made = call('Email/set', {
    accountId,
    ...(strictly && { ifInState: states.emails }),
    create: { draft: emailOf(draft, draftsId, wish.sendAt) },
    destroy,
  });
  const submitted = call('EmailSubmission/set', {
    accountId,
    ifInState: states.submissions,
    create: {
      sending: {
        emailId: '#draft',
        identityId: draft.from?.identityId,
        envelope: {
          mailFrom: {
            email: draft.from?.email,
            parameters: seconds > 0 ? { HOLDFOR: String(seconds) } : null,
          },
          rcptTo: envelopeRecipients(draft).map((email) => ({ email, parameters: null })),
        },
      },
    },
    onSuccessUpdateEmail: {
      '#sending': {
        [`mailboxIds/${draftsId}`]: null,
        [`mailboxIds/${sentId}`]: true,
        'keywords/$draft': null,
        'keywords/$seen': true,
      },
    },
  });
  const emailAnswer = await made.catch(unlessOvertaken);
  if (emailAnswer === undefined) return { overtaken: undefined };
  const email = emailAnswer.created?.['draft'];
  if (email === undefined) throw new SetRefused(emailAnswer.notCreated?.['draft'] ?? { type: 'serverFail' });
  const answer = await submitted.catch(unlessOvertaken).catch((error: unknown) => {
    if (error instanceof JmapError)
      throw new NotSent(email.id, new SetRefused({ type: error.type, description: error.message }));
    throw error;
  });
  if (answer === undefined) return { overtaken: email.id };
  const submission = answer.created?.['sending'];
  if (submission === undefined)
    throw new NotSent(email.id, new SetRefused(answer.notCreated?.['sending'] ?? { type: 'serverFail' }));
  if (draft.answers !== undefined) markAnswered(draft.answers);
  return {
    emailId: email.id,
    submissionId: submission.id,
    leavesAt: leavesAt(submission, seconds),
    elsewhere: false,
  };
}

/** It was submitted already, by a try whose answer was lost or from elsewhere. `lost`: drafts that have its Message-ID. */
async function sentBefore(
  before: Omit<Sent, 'elsewhere'>,
  draft: Draft,
  { uncertain }: SendWish,
  lost: readonly Id[],
): Promise<Sent> {
  const sent = await fetchEmail(before.emailId);
  if (!isSameMessage(draft, sent, textOf(sent))) throw new SentOtherwise(draft.emailId);
  // Those that tries have left; of others', which may say something else, only this one's.
  for (const id of lost)
    if (id !== before.emailId && (uncertain || id === draft.emailId))
      await destroyEmail(id).catch(() => undefined);
  return { ...before, elsewhere: !uncertain };
}

function holdFor({ sendAt, holdSeconds }: SendWish): number {
  const most = mostHoldSeconds();
  const wanted =
    sendAt === undefined ? holdSeconds : Math.max(holdSeconds, Math.ceil((sendAt - Date.now()) / 1000));
  return Math.max(0, Math.min(most, wanted));
}

function leavesAt(submission: Partial<EmailSubmission>, seconds: number): number | undefined {
  if (submission.undoStatus !== undefined && submission.undoStatus !== 'pending') return undefined;
  if (submission.undoStatus === undefined && seconds === 0) return undefined;
  return submission.sendAt === undefined ? Date.now() + seconds * 1000 : Date.parse(submission.sendAt);
}

function unlessOvertaken(error: unknown): undefined {
  if (error instanceof JmapError && error.type === 'stateMismatch') return undefined;
  throw error;
}

/** `gone`: the draft had a copy on the server, and that is there no more. */
async function statesNow(emailId: Id | undefined): Promise<{
  readonly states: { readonly emails: string; readonly submissions: string };
  readonly gone: boolean;
}> {
  const accountId = ownAccountId();
  const ids = emailId === undefined ? [] : [emailId];
  const [emails, submissions] = await Promise.all([
    call('Email/get', { accountId, ids, properties: ['id'] }),
    call('EmailSubmission/get', { accountId, ids: [] }),
  ]);
  const states = { emails: emails.state, submissions: submissions.state };
  return { states, gone: emails.list.length < ids.length };
}

/** Whether a message was submitted already. */
async function submissionOf(messageId: string): Promise<Omit<Sent, 'elsewhere'> | undefined> {
  const accountId = ownAccountId();
  const ids = await copiesOf(messageId);
  if (ids.length === 0) return undefined;
  const found = call('EmailSubmission/query', { accountId, filter: { emailIds: ids } });
  const { list } = await call('EmailSubmission/get', { accountId, '#ids': found.ref('/ids') });
  const submission = list.find(({ undoStatus }) => undoStatus !== 'canceled');
  if (submission === undefined) return undefined;
  const { id, emailId, undoStatus, sendAt } = submission;
  return { submissionId: id, emailId, leavesAt: undoStatus === 'pending' ? Date.parse(sendAt) : undefined };
}

/** The mark is a nicety: that it failed is nothing to bother anybody with. */
function markAnswered({ emailId, keyword }: NonNullable<Draft['answers']>): void {
  const update = { [emailId]: { [`keywords/${keyword}`]: true } };
  call('Email/set', { accountId: ownAccountId(), update }).catch(() => undefined);
}

/** Take back what has not left yet; the email is a draft again. Throws `SetRefused` ("cannotUnsend": it is too late). */
export async function undoSend(submissionId: Id, emailId: Id): Promise<void> {
  const [draftsId, sentId] = await Promise.all([mailboxOf('drafts'), mailboxOf('sent')]);
  const accountId = ownAccountId();
  const answer = await call('EmailSubmission/set', {
    accountId,
    update: { [submissionId]: { undoStatus: 'canceled' } },
  });
  updatedOf(answer, submissionId);
  const moved = await call('Email/set', {
    accountId,
    update: {
      [emailId]: {
        [`mailboxIds/${sentId}`]: null,
        [`mailboxIds/${draftsId}`]: true,
        'keywords/$draft': true,
      },
    },
  });
  updatedOf(moved, emailId);
}
