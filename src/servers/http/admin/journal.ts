import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { settingsOf } from '../../../data/journal/policy.ts';
import { journalSettingsSchema } from '../../../data/journal/privacy.ts';
import { type JournalRow, terms } from '../../../data/journal/types.ts';
import { canonicalAddress } from '../../../net/ip.ts';
import { hiddenTerms } from './hidden-terms.ts';
import { type AdminContext, operation } from './operation.ts';
import { journalRow } from './schemas.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

/** What the journal keeps of people, and looking through it. */

const LISTING = 'postern journal show';
/** Events of one answer unless told otherwise, and at most. */
const LIMIT = 50;
const LIMIT_MAX = 1000;
const FOREVER = 8.64e15;

const shown = z.object({
  /** All settings, defaults filled in. */
  settings: journalSettingsSchema,
  /** Dotted names of those that were changed. */
  changed: z.array(z.string()),
});

async function stored(store: AdminContext['store']): Promise<Stored> {
  const { json } = await store.read.run('journal.privacy', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

const show = operation({
  method: 'GET',
  path: '/journal/settings',
  summary: 'What the journal and the log keep of people, and for how long',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  async run({ store }) {
    const own = await stored(store);
    return { settings: settingsOf(JSON.stringify(own)), changed: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/journal/settings/:name',
  summary: 'Change one setting of what the journal keeps; null brings the default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(100), value: z.json() }),
  output: shown,
  async run({ store, journal }, { name, value }, actor) {
    if (!/^[a-z_]+$/.test(name))
      throw new Refusal('bad-input', `there is no setting "${name}"; "${LISTING}" lists all`);
    const wanted = withValue(await stored(store), [name], value ?? undefined);
    const own = checkedSettings(journalSettingsSchema, wanted, LISTING);
    const json = JSON.stringify(own);
    await store.write.run('directory.saveSiteSettings', { actor, name: 'journal', json });
    await journal?.changed();
    return { settings: journalSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const text = z.string().min(1).max(500).optional();
const number = z.coerce.number<number | string>().min(0);

const search = operation({
  method: 'GET',
  path: '/journal',
  summary: 'Events of the journal by what is known of them, newest first, a part at a time',
  access: 'administrator',
  input: z.strictObject({
    address: text,
    message_id: text,
    ip: text,
    /** One message or connection. */
    trace: z
      .string()
      .regex(/^[0-9a-z]{10,30}$/, 'it takes the id of a trace')
      .optional(),
    host: text,
    code: z
      .string()
      .regex(/^(?:[2-5][0-9x]{2}|[245]\.\d{1,3}\.\d{1,3})$/i, 'it takes a code such as 550, 4xx or 5.7.1')
      .optional(),
    kind: z
      .string()
      .regex(/^[a-z]+(?:\.[a-z]+)?$/, 'it takes a kind such as login.failed or delivery')
      .optional(),
    text,
    from: number.optional(),
    to: number.optional(),
    limit: z.coerce.number<number | string>().int().min(1).max(LIMIT_MAX).optional(),
    /** `next` of the part before. */
    after: z
      .string()
      .regex(/^\d{1,16}-\d{1,16}$/, 'it takes what the part before named')
      .optional(),
  }),
  output: z.object({ events: z.array(journalRow), next: z.string().optional() }),
  async run(
    { store },
    { address, message_id: messageId, ip, trace, host, code, kind, text: words, ...rest },
  ) {
    if (trace !== undefined) return ofTrace(store, trace, { kind, text: words });
    const [at = FOREVER, id = 0] = rest.after?.split('-').map(Number) ?? [];
    const { key } = await store.read.run('journal.privacy', null);
    const { rows, next } = await store.read.run('journal.search', {
      terms: termsOf({ address, messageId, ip }, key),
      host,
      code,
      kind,
      text: words,
      from: rest.from ?? 0,
      to: rest.to ?? FOREVER,
      limit: rest.limit ?? LIMIT,
      ...(rest.after !== undefined && { after: { at, id } }),
    });
    return { events: [...rows], ...(next !== undefined && { next: `${next.at}-${next.id}` }) };
  },
});

/** All of one trace, newest first; it is short. */
async function ofTrace(
  { read }: AdminContext['store'],
  trace: string,
  { kind, text: words }: { readonly kind: string | undefined; readonly text: string | undefined },
): Promise<{ events: JournalRow[] }> {
  const all = await read.run('journal.byTrace', { trace });
  const has = words?.toLowerCase();
  const events = all.filter(
    (event) =>
      (kind === undefined || event.kind === kind || event.kind.startsWith(`${kind}.`)) &&
      (has === undefined || JSON.stringify(event.data).toLowerCase().includes(has)),
  );
  return { events: events.toReversed() };
}

/** One of these at a time is looked up; more of them would have to hold together. */
function termsOf(
  { address, messageId, ip }: Record<'address' | 'messageId' | 'ip', string | undefined>,
  key: string,
): string[] | undefined {
  const given = [address, messageId, ip].filter((one) => one !== undefined);
  if (given.length > 1)
    throw new Refusal('bad-input', 'One of address, message id and IP address at a time, please.');
  if (address !== undefined) return hiddenTerms([terms.address(address)], key);
  if (messageId !== undefined) return [terms.messageId(messageId.replace(/^<|>$/g, ''))];
  if (ip === undefined) return undefined;
  const canonical = canonicalAddress(ip.replace(/^\[|\]$/g, ''));
  if (canonical === undefined) throw new Refusal('bad-input', `"${ip}" is not an IP address.`);
  return hiddenTerms([terms.network(canonical)], key);
}

export const journal = { show, set, search };
