import { z } from 'zod';

/** Shapes that several operations share. Times are milliseconds since the epoch, sizes octets. */

function idOf(letter: string, what: string) {
  return z
    .string()
    .regex(new RegExp(`^${letter}[1-9]\\d{0,14}$`), `${what} is written ${letter}12`)
    .transform((text) => Number(text.slice(1)));
}

/** As JMAP has them. */
export const emailId = idOf('M', 'The id of a message');
export const mailboxId = idOf('F', 'The id of a mailbox');
export const formatEmailId = (id: number): string => `M${id}`;
export const formatMailboxId = (id: number): string => `F${id}`;

/** Messages named in one request. */
export const EMAILS_AT_ONCE = 500;
export const emailIds = z.array(emailId).min(1).max(EMAILS_AT_ONCE);

export const count = (least: number, most: number, usual: number) =>
  z.coerce.number<number | string>().int().min(least).max(most).default(usual);

export const nothing = z.strictObject({});
export const done = z.object({ ok: z.literal(true) });
export const OK: z.output<typeof done> = { ok: true };
