import { z } from 'zod';
import { normalizeDomain } from '../../mail/address/domain.ts';

/**
 * Postfix lookup tables that say who gets mail and who may send as whom. Data, not configuration: kept as JSON in the
 * store (setting 'lookup'), changed at run time through the admin API, shown and set by `postern lookup`.
 */

/** Octets of one table that is kept here: it travels through the admin API. */
export const STORED_TABLE_BYTES = 512 * 1024;
/** How a table that is kept here is named where tables are listed. */
export const STORED = 'stored:';

export const tableName = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, {
  error: 'it takes up to 40 of a-z, 0-9, ".", "_" and "-"',
});
export const storedType = z.enum(['pcre', 'regexp', 'texthash']);

const domain = z
  .string()
  .max(255)
  .refine((text) => text === '' || normalizeDomain(text) !== undefined, { error: 'it takes a domain name' })
  .transform((text) => (text === '' ? '' : (normalizeDomain(text) ?? text)));

/** A file by its full path: the server's own directory is nobody's business. */
const table = z
  .string()
  .max(16_384)
  .regex(
    /^(?:(?:pcre|regexp|texthash|hash|lmdb|btree|dbm|cdb):[/{]|stored:[a-z0-9]|(?:inline|unionmap|pipemap):\{|static:.)/s,
    {
      error:
        'it takes a table such as pcre:/etc/postfix/users (full path), texthash:/..., inline:{key=value} or stored:NAME',
    },
  );

const tables = z.array(table).max(20);
const domains = z.array(domain.refine((text) => text !== '', { error: 'it takes a domain name' })).max(1000);

export const lookupSettingsSchema = z
  .strictObject({
    /** What a result without an @ belongs to: "ann" is ann@ this domain; '': the domain that was asked about. */
    primary_domain: domain.prefault(''),
    /** People who sign in as "ann" mean ann@ this domain; '': they must give the whole address. */
    login_domain: domain.prefault(''),
    /** Tables whose text is kept here. */
    stored: z
      .record(
        tableName,
        z.strictObject({ type: storedType, digest: z.string().max(100), bytes: z.int().min(0) }),
      )
      .prefault({}),
    recipients: z
      .strictObject({
        /** Asked in this order; the first result holds. None: the directory alone decides. */
        tables: tables.prefault([]),
        /** Domains of ours that they are asked about. */
        domains: domains.prefault([]),
        /** 'also': when accounts and aliases have nothing, before the catch-all. 'only': accounts and aliases are not asked. */
        mode: z.enum(['also', 'only']).prefault('also'),
      })
      .prefault({}),
    sender_login: z
      .strictObject({
        /** Left out: those of recipients. */
        tables: tables.optional(),
        domains: domains.optional(),
        /** 'also': besides an account's own addresses, aliases and grants. 'only': instead of them. */
        mode: z.enum(['also', 'only']).prefault('also'),
      })
      .prefault({}),
  })
  .superRefine((settings, context) => {
    const places = {
      recipients: settings.recipients.tables,
      sender_login: settings.sender_login.tables ?? [],
    };
    for (const [place, names] of Object.entries(places)) {
      names.forEach((name, index) => {
        if (!name.startsWith(STORED) || settings.stored[name.slice(STORED.length)] !== undefined) return;
        const message = `there is no stored table "${name.slice(STORED.length)}"; add it with "postern lookup store"`;
        context.addIssue({ code: 'custom', path: [place, 'tables', index], message });
      });
    }
  });

export type LookupSettings = z.output<typeof lookupSettingsSchema>;
export type LookupSettingsInput = z.input<typeof lookupSettingsSchema>;

export const defaultLookupSettings: LookupSettings = lookupSettingsSchema.parse({});

/** Tables, domains and mode of one use; undefined where no table is asked. */
export interface LookupUse {
  readonly tables: readonly string[];
  readonly domains: readonly string[];
  readonly mode: 'also' | 'only';
}

export function useOf(settings: LookupSettings, use: 'recipients' | 'sender_login'): LookupUse {
  const { recipients, sender_login: senders } = settings;
  if (use === 'recipients') return recipients;
  return {
    tables: senders.tables ?? recipients.tables,
    domains: senders.domains ?? recipients.domains,
    mode: senders.mode,
  };
}
