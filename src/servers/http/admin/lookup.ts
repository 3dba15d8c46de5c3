import { createHash } from 'node:crypto';
import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { parseAddress } from '../../../data/directory/address.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { Lookup } from '../../../flow/lookup/lookup.ts';
import {
  lookupSettingsSchema,
  STORED,
  STORED_TABLE_BYTES,
  storedType,
  tableName,
  useOf,
} from '../../../flow/lookup/settings.ts';
import { formatAddress } from '../../../mail/address/path.ts';
import { parseTable } from '../../../mail/lookup/open.ts';
import { problemText } from '../../../mail/lookup/types.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { checkedSettings, leaves, type Stored, withValue } from './stored-settings.ts';

/** Postfix lookup tables: who gets mail, who may send as whom. */

const LISTING = 'postern lookup show';

const state = z.object({
  name: z.string(),
  state: z.enum(['ready', 'old', 'unusable']),
  size: z.number(),
  problems: z.array(z.string()).readonly(),
});
const shown = z.object({
  settings: lookupSettingsSchema,
  /** Dotted names of those that were changed. */
  changed: z.array(z.string()),
});

async function own({ store }: AdminContext): Promise<Stored> {
  const json = await store.read.run('lookup.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

async function save(
  context: AdminContext,
  settings: Stored,
  change: { actor: Actor; what: string; texts?: readonly { table: string; text: string }[] },
): Promise<z.input<typeof shown>> {
  const checked = checkedSettings(lookupSettingsSchema, settings, LISTING);
  await context.store.write.run('lookup.saveSettings', { ...change, json: JSON.stringify(checked) });
  await context.lookup?.current(true);
  return { settings: lookupSettingsSchema.parse(checked), changed: leaves(checked) };
}

function need(lookup: Lookup | undefined): Lookup {
  if (lookup === undefined) throw new Refusal('unavailable', 'No lookup tables are read here.');
  return lookup;
}

const show = operation({
  method: 'GET',
  path: '/lookup',
  summary: 'Lookup tables: settings, and how each table does',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown.extend({ tables: z.array(state) }),
  async run(context) {
    const settings = await own(context);
    const tables = [...((await context.lookup?.states()) ?? [])];
    return { settings: lookupSettingsSchema.parse(settings), changed: leaves(settings), tables };
  },
});

const set = operation({
  method: 'PUT',
  path: '/lookup/settings/:name',
  summary: 'Change one setting of lookup tables; null brings the default back',
  access: 'administrator',
  input: z.strictObject({ name: z.string().min(1).max(100), value: z.json() }),
  output: shown,
  async run(context, { name, value }, actor) {
    const path = name.split('.');
    if (path[0] === 'stored' || path.some((part) => !/^[a-z0-9_]+$/.test(part)))
      throw new Refusal('bad-input', `there is no setting "${name}"; "${LISTING}" lists all`);
    return save(context, withValue(await own(context), path, value ?? undefined), { actor, what: name });
  },
});

const put = operation({
  method: 'PUT',
  path: '/lookup/tables/:name',
  summary: 'Keep the text of a table here, under a name; what cannot be used is refused',
  access: 'administrator',
  input: z.strictObject({
    name: tableName,
    type: storedType,
    text: z.string().max(STORED_TABLE_BYTES),
  }),
  output: z.object({ changed: z.boolean(), size: z.number(), problems: z.array(z.string()) }),
  async run(context, { name, type, text }, actor) {
    const bytes = Buffer.byteLength(text);
    if (bytes > STORED_TABLE_BYTES)
      throw new Refusal('too-large', `A stored table has at most ${STORED_TABLE_BYTES} octets.`);
    const { table, problems } = await parseTable(type, `${STORED}${name}`, text);
    const said = problems.map(problemText);
    if (table === undefined) throw new Refusal('bad-input', said.join('\n').slice(0, 4000));
    const digest = createHash('sha256').update(text).digest('base64url');
    const before = await own(context);
    const entry = { type, digest, bytes };
    const old = lookupSettingsSchema.parse(before).stored[name];
    const changed = old?.digest !== digest || old.type !== type;
    if (changed) {
      const settings = { ...before, stored: { ...(before['stored'] as Stored | undefined), [name]: entry } };
      await save(context, settings, { actor, what: `table ${name}`, texts: [{ table: name, text }] });
    }
    return { changed, size: table.size, problems: said };
  },
});

const text = operation({
  method: 'GET',
  path: '/lookup/tables/:name',
  summary: 'The text of a table that is kept here',
  access: 'administrator',
  input: z.strictObject({ name: tableName }),
  output: z.object({ type: storedType, text: z.string() }),
  async run(context, { name }) {
    const entry = lookupSettingsSchema.parse(await own(context)).stored[name];
    const found = await context.store.read.run('lookup.text', { table: name });
    if (entry === undefined || found === undefined)
      throw new Refusal('not-found', `There is no stored table "${name}".`);
    return { type: entry.type, text: found };
  },
});

const forget = operation({
  method: 'DELETE',
  path: '/lookup/tables/:name',
  summary: 'Forget a table that is kept here and no longer in use',
  access: 'administrator',
  input: z.strictObject({ name: tableName }),
  output: done,
  async run(context, { name }, actor) {
    const before = await own(context);
    const settings = lookupSettingsSchema.parse(before);
    if (settings.stored[name] === undefined)
      throw new Refusal('not-found', `There is no stored table "${name}".`);
    for (const use of ['recipients', 'sender_login'] as const) {
      if (useOf(settings, use).tables.includes(`${STORED}${name}`))
        throw new Refusal('conflict', `The table is in use in ${use}.tables; take it out there first.`);
    }
    const { [name]: _, ...stored } = before['stored'] as Stored;
    await save(
      context,
      { ...before, stored },
      { actor, what: `table ${name}`, texts: [{ table: name, text: '' }] },
    );
    return OK;
  },
});

const query = operation({
  method: 'POST',
  path: '/lookup/query',
  summary: 'What the tables say of an address',
  access: 'administrator',
  input: z.strictObject({
    address: z.string().min(1).max(320),
    purpose: z.enum(['recipients', 'sender_login']).default('recipients'),
  }),
  output: z.object({
    /** None: nothing was found. */
    result: z.string().optional(),
    table: z.string().optional(),
    /** Accounts and addresses that the result names. */
    users: z.array(z.string()),
    /** Whether mail asks the tables about this domain, and how. */
    mode: z.enum(['also', 'only']).optional(),
    tables: z.number(),
  }),
  async run({ lookup: running }, { address, purpose }) {
    const tables = need(running);
    const parsed = parseAddress(address);
    if (parsed === undefined) throw new Refusal('bad-input', `"${address}" is not an address.`);
    const settings = await tables.current(true);
    const answer = await tables.ask(purpose, parsed);
    const mode = await tables.mode(purpose, parsed.domain);
    const about = { tables: useOf(settings, purpose).tables.length, ...(mode !== undefined && { mode }) };
    if (answer.status === 'unavailable')
      throw new Refusal(
        'unavailable',
        `The table ${answer.table} cannot be used; "postern lookup check" says why.`,
      );
    if (answer.status === 'none') return { users: [], ...about };
    const { table, result, users } = answer;
    return { result, table, users: users.map(formatAddress), ...about };
  },
});

export const lookup = { show, set, put, text, forget, query };
