/** What has come to the inbox since the last time, by what JMAP says of changes: no clock of this device is asked. */

export const MAIL = 'urn:ietf:params:jmap:mail';
/** Changes of one answer, and answers that are followed; beyond, only how many there are is told. */
const MOST_CHANGES = 200;
const MOST_ANSWERS = 5;
/** Where nothing is known of what was told: milliseconds back that count as new, by the server's clock. */
const LATELY_MS = 60_000;

export interface Message {
  readonly id: string;
  readonly threadId: string;
  readonly subject: string | null;
  readonly from: readonly { readonly name: string | null; readonly email: string }[] | null;
}

export interface News {
  readonly messages: readonly Message[];
  /** Where nothing is known of what was told before: how many came lately. */
  readonly lately: number;
  /** Emails of the inbox that are not read. */
  readonly unread: number;
  /** The state that this is the news up to. */
  readonly state: string;
}

type Invocation = readonly [name: string, args: object, id: string];
export interface Answered {
  readonly answers: readonly (readonly [name: string, answer: Record<string, unknown>, id: string])[];
  /** When, by the server's clock; milliseconds since the epoch. */
  readonly at: number;
}
/** Asks JMAP as the signed-in person; throws when nobody is, or there is no network. */
export type Ask = (methodCalls: readonly Invocation[]) => Promise<Answered>;

interface Changed {
  readonly newState: string;
  readonly hasMoreChanges: boolean;
}
interface Found extends Message {
  readonly mailboxIds: Readonly<Record<string, true>>;
  readonly keywords: Readonly<Record<string, true>>;
}

/** The answer of a call; undefined: the method failed. @throws Error the call was not answered */
function answerOf<T>({ answers }: Answered, id: string): T | undefined {
  const found = answers.find(([, , of]) => of === id);
  if (found === undefined) throw new Error('the server did not answer');
  return found[0] === 'error' ? undefined : (found[1] as T);
}

/** The state of an account's emails as it is now. */
export async function currentState(ask: Ask, accountId: string): Promise<string> {
  const answered = await ask([['Email/get', { accountId, ids: [], properties: ['id'] }, 's']]);
  const found = answerOf<{ state: string }>(answered, 's');
  if (found === undefined) throw new Error('the server told no state');
  return found.state;
}

/** News since a state; `since` undefined: nothing has been told yet. */
export async function newsSince(ask: Ask, accountId: string, since: string | undefined): Promise<News> {
  const answered = await ask([
    ['Mailbox/get', { accountId, ids: null, properties: ['id', 'role', 'unreadEmails'] }, 'm'],
  ]);
  type Boxes = { list: readonly { id: string; role: string | null; unreadEmails: number }[] };
  const boxes = answerOf<Boxes>(answered, 'm')?.list ?? [];
  const inbox = boxes.find(({ role }) => role === 'inbox');
  if (inbox === undefined)
    return { messages: [], lately: 0, unread: 0, state: await currentState(ask, accountId) };
  const unread = inbox.unreadEmails;
  const followed = since === undefined ? undefined : await follow(ask, accountId, since);
  if (followed !== undefined) {
    const messages = followed.list.filter(
      ({ mailboxIds, keywords }) => mailboxIds[inbox.id] === true && keywords['$seen'] !== true,
    );
    return { messages, lately: 0, unread, state: followed.state };
  }
  // The state first: what comes between the two questions is told twice rather than never.
  const state = await currentState(ask, accountId);
  const after = new Date(answered.at - LATELY_MS).toISOString().replace(/\.\d+Z$/, 'Z');
  const filter = { inMailbox: inbox.id, notKeyword: '$seen', after };
  const query = ['Email/query', { accountId, filter, limit: 1, calculateTotal: true }, 'q'] as const;
  const lately = answerOf<{ total: number }>(await ask([query]), 'q')?.total ?? 0;
  return { messages: [], lately, unread, state };
}

/** Emails made since a state; undefined: the server does not know that any more, or there are too many. */
async function follow(
  ask: Ask,
  accountId: string,
  since: string,
): Promise<{ readonly list: readonly Found[]; readonly state: string } | undefined> {
  const list: Found[] = [];
  let state = since;
  for (let round = 0; round < MOST_ANSWERS; round++) {
    const answered = await ask([
      ['Email/changes', { accountId, sinceState: state, maxChanges: MOST_CHANGES }, 'c'],
      [
        'Email/get',
        {
          accountId,
          '#ids': { resultOf: 'c', name: 'Email/changes', path: '/created' },
          properties: ['id', 'threadId', 'subject', 'from', 'mailboxIds', 'keywords'],
        },
        'e',
      ],
    ]);
    const changed = answerOf<Changed>(answered, 'c');
    const got = changed && answerOf<{ list: readonly Found[] }>(answered, 'e');
    if (changed === undefined || got === undefined) return undefined;
    list.push(...got.list);
    state = changed.newState;
    if (!changed.hasMoreChanges) return { list, state };
  }
  return undefined;
}
