import type { WriteArgs } from '../../data/store.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { noticeMail } from '../notice-mail.ts';

/** Whoever sent mail that was reported as spam is told, and that nothing more goes there; the sender knows best why. */
export async function complaintNotices(
  deps: FlowDeps,
  sent: { readonly accountId: number | undefined; readonly queueId: string | undefined },
  addresses: readonly string[],
  subject: string | undefined,
): Promise<WriteArgs<'delivery.accept'>[]> {
  if (sent.accountId === undefined || addresses.length === 0) return [];
  const account = await deps.store.read.run('directory.account', { id: sent.accountId });
  if (account === undefined) return [];
  const to = [{ accountId: account.id, address: account.address }];
  const domain = destinationOf(account.address);
  const about = subject === undefined || subject === '' ? '' : ` with the subject "${subject.slice(0, 100)}"`;
  const who = addresses.join(', ');
  const text = {
    subject: `Reported as spam by ${addresses[0] ?? ''}`,
    paragraphs: [
      `${who} reported a message of yours${about} as spam. Nothing more is sent there from here: such reports cost the good name of the server, by which everybody's mail arrives.`,
      '',
      `If that was a mistake, agree with ${who} by another way, and ask your administrator (postmaster@${domain}) to lift it.`,
      ...(sent.queueId === undefined ? [] : ['', `The message is ${sent.queueId} in the journal.`]),
    ],
  };
  return [noticeMail(deps, domain, to, text)];
}
