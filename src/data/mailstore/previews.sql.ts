import { statement } from '../db/sql.ts';

export const previewOf = statement<[emailId: number], { preview: string }>(
  `SELECT preview FROM email_previews WHERE email_id = ?`,
);

/** Nothing when the email has its preview already. */
export const insertPreview = statement<[emailId: number, preview: string]>(
  `INSERT INTO email_previews (email_id, preview) VALUES (?, ?) ON CONFLICT (email_id) DO NOTHING`,
);

export const deletePreview = statement<[emailId: number]>(`DELETE FROM email_previews WHERE email_id = ?`);
