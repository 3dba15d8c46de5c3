import type { ReadTx, WriteTx } from '../db/sql.ts';
import { insertPreview, previewOf } from './previews.sql.ts';
import { emailExists } from './sort-keys.sql.ts';

/** What PREVIEW (RFC 8970) shows of an email. */
export interface EmailPreview {
  readonly emailId: number;
  readonly preview: string;
}

/** The previews that are known of these emails. */
export async function previews(
  tx: ReadTx,
  { emailIds }: { emailIds: readonly number[] },
): Promise<EmailPreview[]> {
  const found: EmailPreview[] = [];
  for (const emailId of emailIds) {
    const row = await tx.get(previewOf, emailId);
    if (row !== undefined) found.push({ emailId, preview: row.preview });
  }
  return found;
}

/** Keep previews. Emails that have gone meanwhile are passed over. */
export async function keepPreviews(
  tx: WriteTx,
  { emails }: { emails: readonly EmailPreview[] },
): Promise<null> {
  for (const { emailId, preview } of emails.toSorted((a, b) => a.emailId - b.emailId)) {
    // PostgreSQL has no NUL in texts.
    const text = preview.replaceAll('\0', '');
    if ((await tx.get(emailExists, emailId)) !== undefined) await tx.run(insertPreview, emailId, text);
  }
  return null;
}
