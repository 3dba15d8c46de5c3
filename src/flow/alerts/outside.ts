import { timeId } from '../../base/ids.ts';
import type { Enqueue } from '../../data/queue/types.ts';
import type { WriteArgs } from '../../data/store.ts';
import { destinationOf } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { inlineBlob } from '../intake.ts';
import { queuedEvent } from '../journal.ts';
import { noticeContent, type NoticeText } from '../notice-mail.ts';
import { neededParams, queueTimes } from '../outbound/enqueue.ts';
import { hashed, signMessage } from '../outbound/sign.ts';

/**
 * The same notice for addresses elsewhere: signed, by the queue, under postmaster@ of ours. What cannot be delivered
 * comes back there, to the administrators; and the copy in their inboxes never needed the queue.
 */
export async function outsideNotices(
  deps: FlowDeps,
  domain: string,
  to: readonly string[],
  text: NoticeText,
): Promise<WriteArgs<'delivery.accept'>[]> {
  if (to.length === 0) return [];
  const at = deps.clock.now();
  const { bytes, content, structure, messageId } = noticeContent(at, domain, to, text);
  const { header, bodyHash } = hashed(bytes);
  const { fields } = await signMessage(deps, [domain], header, bodyHash);
  const id = timeId(at);
  const reversePath = `postmaster@${domain}`;
  const queued: Enqueue = {
    queueId: id,
    trace: id,
    origin: 'report',
    accountId: undefined,
    reversePath,
    mayBounce: true,
    prefix: fields,
    hidden: [],
    ret: 'HDRS',
    envid: undefined,
    ...neededParams(structure, { body: '8BITMIME', smtputf8: true }, to, true),
    requireTls: false,
    originated: true,
    messageId,
    size: bytes.length + fields.length,
    ...queueTimes(deps),
    holdReason: deps.settings.holdOutgoing,
    recipients: to.map((address) => ({
      address,
      destination: destinationOf(address),
      orcpt: undefined,
      notify: '',
    })),
  };
  return [
    {
      blob: inlineBlob(bytes),
      content,
      deposits: [],
      overQuota: 'report',
      queue: [queued],
      events: [queuedEvent(queued, at)],
    },
  ];
}
