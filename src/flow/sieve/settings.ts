import { z } from 'zod';

/**
 * What people set without writing Sieve: an answer while they are away, forwards, simple rules. Data, kept as JSON with
 * the account; `generate.ts` makes the script of it that runs before the account's own.
 */

const address = z.string().trim().min(3).max(320);
/** A day as people write it, 2026-12-24, or a time to the second in UTC, 2026-12-24T08:30:00Z. */
const moment = z.union([z.iso.date(), z.iso.datetime({ precision: 0 })]);
const mailbox = z.string().trim().min(1).max(500);
const text = z.string().min(1).max(500);

export const vacationSchema = z.strictObject({
  enabled: z.boolean().prefault(true),
  /**
   * First and last day, in the server's time zone; or the time from which and the one before which it answers. Without
   * them it is on until it is switched off.
   */
  from: moment.optional(),
  until: moment.optional(),
  subject: z.string().trim().min(1).max(200).optional(),
  /** Without it: what a reader sees of `html`, else a sentence that says no more than that somebody is away. */
  text: z.string().regex(/\S/, 'a text').max(10_000).optional(),
  /** The same with formatting, sent beside the text. */
  html: z.string().regex(/\S/, 'a text').max(20_000).optional(),
  /** The same sender is answered once in so many days. */
  days: z.int().min(1).max(90).prefault(7),
  /** More addresses of the owner, that mail comes to by a way that this server does not know. */
  addresses: z.array(address).max(50).prefault([]),
});

export const forwardSchema = z.strictObject({
  addresses: z.array(address).min(1).max(10),
  /** Whether a copy stays here. */
  keep: z.boolean().prefault(true),
});

const how = z.enum(['contains', 'is', 'matches']).prefault('contains');

const condition = z.union([
  /** `to` also means Cc. `matches`: * stands for any characters, ? for one. */
  z.strictObject({
    field: z.enum(['from', 'to', 'subject']),
    how,
    value: text,
    not: z.boolean().prefault(false),
  }),
  z.strictObject({
    header: z.string().regex(/^[\x21-\x39\x3b-\x7e]{1,100}$/, 'a field name without colon'),
    how,
    value: text,
    not: z.boolean().prefault(false),
  }),
  z.strictObject({ size: z.enum(['over', 'under']), bytes: z.int().min(1).max(1_000_000_000) }),
  /** Mail of a mailing list, by (part of) its List-Id. */
  z.strictObject({ list: text, not: z.boolean().prefault(false) }),
]);

const action = z.union([
  /** Into this mailbox, which is made where it is missing. */
  z.strictObject({ file: mailbox }),
  z.strictObject({ flag: z.enum(['read', 'flagged', 'answered']) }),
  /** An IMAP keyword. */
  z.strictObject({ keyword: z.string().regex(/^[A-Za-z0-9$_.-]{1,50}$/, 'letters, digits, $ _ . -') }),
  z.strictObject({ forward: address, keep: z.boolean().prefault(true) }),
  z.strictObject({ discard: z.literal(true) }),
  /** The rules after it are passed over. */
  z.strictObject({ stop: z.literal(true) }),
]);

export const ruleSchema = z.strictObject({
  name: z.string().trim().min(1).max(100),
  enabled: z.boolean().prefault(true),
  match: z.enum(['all', 'any']).prefault('all'),
  conditions: z.array(condition).min(1).max(20),
  actions: z.array(action).min(1).max(10),
});

export const sieveSettingsSchema = z.strictObject({
  vacation: vacationSchema.optional(),
  forward: forwardSchema.optional(),
  rules: z.array(ruleSchema).max(100).prefault([]),
});

export type VacationSettings = z.output<typeof vacationSchema>;
export type ForwardSettings = z.output<typeof forwardSchema>;
export type Rule = z.output<typeof ruleSchema>;
export type Condition = z.output<typeof condition>;
export type RuleAction = z.output<typeof action>;
export type SieveSettings = z.output<typeof sieveSettingsSchema>;

export const noSieveSettings: SieveSettings = sieveSettingsSchema.parse({});

/** Settings as they are kept; what an older version wrote and cannot be read any more counts as none. */
export function storedSettings(json: string | undefined): SieveSettings {
  if (json === undefined) return noSieveSettings;
  const parsed = sieveSettingsSchema.safeParse(JSON.parse(json));
  return parsed.success ? parsed.data : noSieveSettings;
}
