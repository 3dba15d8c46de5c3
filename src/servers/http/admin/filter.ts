import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { filterSettingsSchema } from '../../../flow/spam/settings.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';

const shown = z.object({
  /** All settings, defaults filled in. */
  settings: filterSettingsSchema,
  /** Dotted names of those that were changed. */
  changed: z.array(z.string()),
});

type Stored = Record<string, unknown>;

async function stored(store: AdminContext['store']): Promise<Stored> {
  const json = await store.read.run('spam.settings', null);
  return json === undefined ? {} : (JSON.parse(json) as Stored);
}

function leaves(value: Stored, prefix = ''): string[] {
  return Object.entries(value).flatMap(([name, inner]) =>
    isRecord(inner) ? leaves(inner, `${prefix}${name}.`) : [`${prefix}${name}`],
  );
}

function isRecord(value: unknown): value is Stored {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A copy with one dotted name set, or removed; sections that become empty go too. */
function withValue(from: Stored, path: readonly string[], value: unknown): Stored {
  const [name = '', ...rest] = path;
  const { [name]: before, ...others } = from;
  if (rest.length === 0) return value === undefined ? others : { ...others, [name]: value };
  const inner = withValue(isRecord(before) ? before : {}, rest, value);
  return Object.keys(inner).length === 0 ? others : { ...others, [name]: inner };
}

/** What was wanted instead, for a person at the command line. */
function wantedBy(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_value':
      return `it takes one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return issue.origin === 'string' ? 'it must not be empty' : `it takes ${issue.minimum} or more`;
    case 'too_big':
      return issue.origin === 'string' || issue.origin === 'array'
        ? `it takes at most ${issue.maximum} ${issue.origin === 'string' ? 'characters' : 'entries'}`
        : `it takes ${issue.maximum} or less`;
    case 'invalid_type':
      return issue.input === undefined && issue.path.length > 1 && typeof issue.path.at(-2) === 'number'
        ? 'it is missing'
        : (TYPES[issue.expected] ?? issue.message);
    default:
      return issue.message;
  }
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'it takes true or false',
  number: 'it takes a number',
  int: 'it takes a whole number',
  string: 'it takes a text',
  array: 'it takes a list in JSON, such as ["one", "two"]; [] for none',
  object: 'it is a group of settings; name one of them ("postern filter show" lists all)',
  record: 'it takes an object in JSON, such as {"127.0.0.2": {"score": 3, "means": "sends spam"}}',
};

function problemOf(issue: z.core.$ZodIssue): string {
  const at = issue.path.join('.');
  if (issue.code !== 'unrecognized_keys') return `${at}: ${wantedBy(issue)}`;
  const [name = ''] = issue.keys;
  return `there is no setting "${at === '' ? name : `${at}.${name}`}"; "postern filter show" lists all`;
}

/** What is wrong with settings, by their dotted names. */
function checked(settings: Stored): Stored {
  const result = filterSettingsSchema.safeParse(settings);
  if (result.success) return settings;
  const problems = result.error.issues.map(problemOf);
  throw new Refusal('bad-input', problems.join('; '));
}

const show = operation({
  method: 'GET',
  path: '/filter/settings',
  summary: 'What the site wants of its filter',
  access: 'administrator',
  input: z.strictObject({}),
  output: shown,
  async run({ store }) {
    const own = await stored(store);
    return { settings: filterSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const set = operation({
  method: 'PUT',
  path: '/filter/settings/:name',
  summary: 'Change one setting of the filter; null brings the default back',
  access: 'store-decides',
  input: z.strictObject({ name: z.string().min(1).max(100), value: z.json() }),
  output: shown,
  async run({ store, filter: hooks }, { name, value }, actor) {
    const path = name.split('.');
    if (path.some((part) => !/^[a-z0-9_]+$/.test(part)))
      throw new Refusal('bad-input', `there is no setting "${name}"`);
    const own = checked(withValue(await stored(store), path, value ?? undefined));
    await store.write.run('spam.saveSettings', { actor, json: JSON.stringify(own) });
    await hooks?.changed();
    return { settings: filterSettingsSchema.parse(own), changed: leaves(own) };
  },
});

const entry = z.object({
  pattern: z.string(),
  action: z.enum(['allow', 'block']),
  note: z.string(),
  createdAt: z.number(),
});

/** Of an account, or of the whole site. */
const whose = { account: z.string().max(320).optional() };

const lists = operation({
  method: 'GET',
  path: '/filter/senders',
  summary: 'Senders that are always taken or never wanted',
  access: 'administrator',
  input: z.strictObject(whose),
  output: z.object({ entries: z.array(entry) }),
  async run({ store }, { account }) {
    return { entries: [...(await store.read.run('spam.lists', { account: account ?? null }))] };
  },
});

const list = operation({
  method: 'POST',
  path: '/filter/senders',
  summary: 'Always take, or never want, an address, @domain or network',
  access: 'store-decides',
  input: z.strictObject({
    ...whose,
    pattern: z.string().min(1).max(320),
    action: z.enum(['allow', 'block']),
    note: z.string().max(500).optional(),
  }),
  output: z.object({ pattern: z.string() }),
  run: ({ store }, { account, pattern, action, note }, actor) =>
    store.write.run('spam.listAdd', {
      actor,
      account: account ?? null,
      pattern,
      action,
      ...(note !== undefined && { note }),
    }),
});

const unlist = operation({
  method: 'DELETE',
  path: '/filter/senders/:pattern',
  summary: 'Take a sender off the list',
  access: 'store-decides',
  input: z.strictObject({ ...whose, pattern: z.string().min(1).max(320) }),
  output: done,
  async run({ store }, { account, pattern }, actor) {
    await store.write.run('spam.listRemove', { actor, account: account ?? null, pattern });
    return OK;
  },
});

const teach = operation({
  method: 'POST',
  path: '/filter/lessons',
  summary: 'Have a message learned as good or unwanted, for an account or the whole site',
  access: 'administrator',
  input: z.strictObject({ ...whose, label: z.enum(['ham', 'spam']), message: z.base64() }),
  output: done,
  async run({ store, filter: hooks }, { account, label, message }) {
    if (hooks === undefined) throw new Refusal('unavailable', 'No filter is running here.');
    let accountId: number | undefined;
    if (account !== undefined) {
      accountId = (await store.read.run('directory.account', { address: account }))?.id;
      if (accountId === undefined) throw new Refusal('no-such-account', `There is no account ${account}.`);
    }
    await hooks.teach(Buffer.from(message, 'base64'), label, accountId);
    return OK;
  },
});

export const filter = { teach, show, set, lists, list, unlist };
