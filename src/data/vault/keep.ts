import type { WriteTx } from '../db/sql.ts';
import type { Incoming } from '../mailstore/deposit.ts';
import { formatHidden } from '../mailstore/rows.ts';
import type { NewVaultEntry } from './types.ts';
import { insertEntry, insertRecipient } from './vault.sql.ts';

/** UTF-16 units of an author or a subject, of a reason, and of an address. */
const TEXT_LENGTH = 300;
const REASON_LENGTH = 500;
const ADDRESS_LENGTH = 320;

/** Text from a stranger, made fit for either engine: no NUL, no half surrogates, bounded. */
function clean(text: string, length: number): string {
  return text.slice(0, length).replaceAll('\0', '\ufffd').toWellFormed();
}

/** Keep a message in the vault, in the commit that decides about it. Its octets are stored if nobody else has them. */
export async function keep(tx: WriteTx, message: Incoming, entry: NewVaultEntry): Promise<void> {
  const { content } = message;
  const row = await tx.get(
    insertEntry,
    entry.caseNumber,
    entry.trace,
    entry.kind,
    await message.blobId(),
    message.size,
    clean(entry.reversePath, ADDRESS_LENGTH),
    entry.ip,
    clean(entry.author, TEXT_LENGTH),
    clean(entry.subject, TEXT_LENGTH),
    clean(entry.reason, REASON_LENGTH),
    tx.now,
    entry.expiresAt,
    content.sentAt ?? null,
    content.messageId ?? null,
    JSON.stringify(content.references),
    formatHidden(entry.hidden),
    entry.received,
    entry.verdict,
    content.envelope,
    content.bodystructure,
    content.structure,
  );
  if (row === undefined) throw new Error('an INSERT returned no row');
  for (const { accountId, address } of entry.recipients) {
    await tx.run(insertRecipient, row.id, clean(address, ADDRESS_LENGTH), accountId);
  }
}
