import type { MessageRow, RecipientRow } from './queue.sql.ts';
import type { QueueMessage, QueueOrigin, QueueRecipient, RecipientState } from './types.ts';

/** Rows of the tables as the program knows them. */

export function toMessage(row: MessageRow): QueueMessage {
  return {
    id: row.id,
    queueId: row.queue_id,
    trace: row.trace,
    blobId: row.blob_id,
    blobSize: row.blob_size,
    prefix: row.prefix,
    hidden: row.hidden === null ? [] : (JSON.parse(row.hidden) as [number, number][]),
    size: row.size,
    accountId: row.account_id ?? undefined,
    origin: row.origin as QueueOrigin,
    reversePath: row.reverse_path,
    mayBounce: row.may_bounce === 1,
    ret: (row.ret ?? undefined) as QueueMessage['ret'],
    envid: row.envid ?? undefined,
    body: row.body as QueueMessage['body'],
    smtputf8: row.smtputf8 === 1,
    requireTls: row.require_tls === 1,
    originated: row.originated === 1,
    messageId: row.message_id ?? undefined,
    createdAt: row.created_at,
    warnAt: row.warn_at ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    holdReason: row.hold_reason ?? undefined,
    releaseAt: row.release_at ?? undefined,
  };
}

export function toRecipient(row: RecipientRow): QueueRecipient {
  return {
    id: row.id,
    messageId: row.message_id,
    address: row.address,
    destination: row.destination,
    orcpt: row.orcpt ?? undefined,
    notify: row.notify,
    state: row.state as RecipientState,
    attempts: row.attempts,
    nextAt: row.next_at,
    lastAt: row.last_at ?? undefined,
    lastReply: row.last_reply ?? undefined,
    lastHost: row.last_host ?? undefined,
    warned: row.warned === 1,
  };
}
