import type { UidRange } from '../../data/mailstore/types.ts';
import { wants } from './commands/fetch.ts';
import { openContents, tellMessage } from './fetch-response.ts';
import { SESSION_LIMITS } from './limits.ts';
import type { MailboxView } from './mailbox-view.ts';
import { openPreviews } from './previews.ts';
import { flushIfFull, type Session } from './session.ts';
import type { FetchAtt } from './wire/fetch-att.ts';

/**
 * FETCH responses about messages that a client has asked to be told of when they come (RFC 5465 sections 5.2 and 7).
 * \Seen is not set by it.
 */
export async function tellUnasked(
  session: Session,
  view: MailboxView,
  ranges: readonly UidRange[],
  atts: readonly FetchAtt[],
): Promise<void> {
  const limit = SESSION_LIMITS.contentRowsPerPage;
  for (const range of view.chunks(ranges, limit)) {
    const rows = await session.options.store.read.run('mailstore.fetch', {
      mailboxId: view.mailboxId,
      ranges: [range],
      want: wants(atts),
      limit,
    });
    const contents = await openContents(session, rows, atts);
    const previews = await openPreviews(session, rows, atts, contents);
    for (const [at, row] of rows.entries()) {
      await tellMessage(session, row, atts, contents[at], previews.get(row.emailId));
      await flushIfFull(session);
    }
  }
}
