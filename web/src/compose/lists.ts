import { api } from '../base/http.ts';
import { call, loadSession, ownAccountId } from '../jmap/client.ts';
import type { Email, EmailSubmission } from '../jmap/types.ts';

/** What waits to be sent, and those one writes to. */

export interface Scheduled {
  readonly submission: EmailSubmission;
  readonly email: Pick<Email, 'id' | 'subject' | 'to' | 'preview'> | undefined;
}

/** What waits to be sent, the next first. */
export async function fetchScheduled(): Promise<Scheduled[]> {
  await loadSession();
  const accountId = ownAccountId();
  const found = call('EmailSubmission/query', {
    accountId,
    filter: { undoStatus: 'pending' },
    limit: 500,
  });
  const submissions = await call('EmailSubmission/get', { accountId, '#ids': found.ref('/ids') });
  const ids = submissions.list.map(({ emailId }) => emailId);
  const emails =
    ids.length === 0
      ? []
      : (await call('Email/get', { accountId, ids, properties: ['id', 'subject', 'to', 'preview'] })).list;
  const by = new Map(emails.map((each) => [each.id, each]));
  return submissions.list
    .map((submission) => ({ submission, email: by.get(submission.emailId) }))
    .toSorted((a, b) => (a.submission.sendAt < b.submission.sendAt ? -1 : 1));
}

export interface Contact {
  readonly name: string | null;
  readonly address: string;
}

/** Those one writes to, who match what was typed. */
export async function findContacts(q: string, signal: AbortSignal): Promise<readonly Contact[]> {
  const { contacts } = await api<{ contacts: readonly Contact[] }>(
    'GET',
    '/account/v1/contacts',
    { q, limit: 8 },
    { signal },
  );
  return contacts;
}
