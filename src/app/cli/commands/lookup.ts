import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { Refusal } from '../../../base/errors.ts';
import { tableReader } from '../../../flow/lookup/files.ts';
import { storedType } from '../../../flow/lookup/settings.ts';
import { openTable } from '../../../mail/lookup/open.ts';
import { findAddress } from '../../../mail/lookup/search.ts';
import { KEY_LENGTH, type LookupTable, problemText } from '../../../mail/lookup/types.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type Call, type CliCommand, type CliIo, type Outcome, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { flat, valueOf } from '../settings-words.ts';
import { fileWords } from '../file-words.ts';

const { lookup } = operations;

/** Nothing was found: what postmap -q exits with. */
const NONE = 1;

/** The table of a file, with what Postfix would warn of on stderr. Throws a Refusal with file and line. */
async function offlineTable(io: CliIo, name: string): Promise<LookupTable> {
  const read = tableReader();
  const opened = await openTable(name, (path) => read(resolve(io.cwd, path)));
  const said = opened.problems.map(problemText);
  if (opened.table === undefined) throw new Refusal('bad-input', said.join('\n'));
  for (const line of said) io.err(`postern: ${plain(line)}\n`);
  return opened.table;
}

type Ask = (key: string) => Promise<string | undefined>;

interface Answer {
  readonly key: string;
  readonly result: string | null;
}

/** One key: its result. `-`: keys from standard input, a line each, and "key<TAB>result" for those that have one. */
async function answers({ io, arg }: Call, ask: Ask): Promise<Outcome> {
  if (arg(0) !== '-') {
    const result = (await ask(arg(0))) ?? null;
    const value: Answer = { key: arg(0), result };
    return {
      value,
      text: () => (result === null ? '' : `${plain(result)}\n`),
      status: result === null ? NONE : 0,
    };
  }
  const value: Answer[] = [];
  for await (const line of createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    const key = line.slice(0, KEY_LENGTH + 1);
    if (key !== '') value.push({ key, result: (await ask(key)) ?? null });
  }
  const found = value.filter(({ result }) => result !== null);
  return {
    value,
    text: () => found.map(({ key, result }) => `${plain(key)}\t${plain(result ?? '')}\n`).join(''),
    status: found.length === 0 ? NONE : 0,
  };
}

function askServer({ admin, io, on }: Call): Ask {
  const purpose = on('sender') ? 'sender_login' : 'recipients';
  const told = new Set<string>();
  const tell = (text: string): void => {
    if (!told.has(text)) io.err(`postern: ${plain(text)}\n`);
    told.add(text);
  };
  return async (address) => {
    const { result, mode, tables } = await admin.call(lookup.query, { address, purpose });
    const domain = address.slice(address.lastIndexOf('@') + 1);
    if (tables === 0) tell('no tables are in use ("postern lookup set recipients.tables ...")');
    else if (mode === undefined)
      tell(`mail does not ask the tables about ${domain}: it is not in ${purpose}.domains`);
    return result;
  };
}

const queryCommand: CliCommand = {
  words: ['lookup'],
  summary: 'what the lookup tables say of an address, as "postmap -q" does',
  details:
    'Prints the result and exits 0; prints nothing and exits 1 when there is none. ADDRESS - reads keys from standard input, a line each, and prints key, tab and result of those that have one. With --table no server is needed; the key is then looked up exactly as given, unless --address is there too. More: lookup show, set, store, forget, check.',
  args: [{ name: 'ADDRESS', help: 'the key, or - for standard input' }],
  options: {
    table: {
      value: 'TYPE:FILE',
      help: 'ask this table instead of the server: pcre:, regexp:, texthash:, hash:, inline:{...}',
    },
    address: { help: 'with --table: also user+detail@ without detail, user and @domain, as mail does' },
    sender: { help: 'ask the tables that say who may send (default: those of recipients)' },
  },
  example: 'lookup --table pcre:/etc/postfix/users ann@example.org',
  offline: true,
  async run(call) {
    const name = call.text('table');
    if (name === undefined) {
      if (call.on('address'))
        throw new UsageError('--address goes with --table; a server is always asked so');
      return answers(call, askServer(call));
    }
    const asked = await offlineTable(call.io, name);
    if (!call.on('address')) return answers(call, (key) => asked.query(key));
    return answers(call, (key) => {
      const bareDomain = key.slice(key.lastIndexOf('@') + 1);
      return findAddress(asked, key, { delimiter: '+', bareDomain });
    });
  },
};

const show: CliCommand = {
  words: ['lookup', 'show'],
  summary: 'settings of lookup tables, or the text of one that is kept here',
  details: 'Settings marked with * were changed. docs/guides/lookup-tables.md explains each.',
  args: [{ name: 'TABLE', help: 'name of a stored table', optional: true }],
  options: {},
  example: 'lookup show',
  async run({ admin, io, args }) {
    const [name] = args;
    if (name !== undefined) {
      const value = await admin.call(lookup.text, { name });
      return { value, text: () => value.text.split('\n').map(plainLine).join('\n') };
    }
    const value = await admin.call(lookup.show, {});
    const rows = flat(value.settings)
      .filter(([key]) => !key.startsWith('stored.'))
      .map(([key, setting]) => [
        `${value.changed.includes(key) ? '* ' : '  '}${key}`,
        typeof setting === 'string' && setting !== '' ? setting : JSON.stringify(setting),
      ]);
    const stored = Object.entries(value.settings.stored).map(([key, { type, bytes }]) => [
      `  stored:${key}`,
      `${type}, ${bytes} octets ("postern lookup show ${key}")`,
    ]);
    const columns = [{ title: '  SETTING', whole: true }, { title: 'VALUE' }];
    return { value, text: () => table(columns, [...rows, ...stored], io.width) };
  },
};

/** A line of a table, tabs as they are. */
function plainLine(line: string): string {
  return line.split('\t').map(plain).join('\t');
}

const set: CliCommand = {
  words: ['lookup', 'set'],
  summary: 'change a setting of lookup tables, at once',
  args: [
    { name: 'NAME', help: 'as "postern lookup show" names it' },
    { name: 'VALUE', help: 'the new value; lists as JSON; "default" brings the default back' },
  ],
  options: {},
  example: 'lookup set login_domain example.org',
  async run({ admin, arg }) {
    const value = arg(1) === 'default' ? null : valueOf(arg(1));
    const answer = await admin.call(lookup.set, { name: arg(0), value: value as null });
    const now = flat(answer.settings).find(([name]) => name === arg(0))?.[1];
    return said(`${plain(arg(0))} is ${plain(JSON.stringify(now ?? value))} from now on.`, answer);
  },
};

const store: CliCommand = {
  words: ['lookup', 'store'],
  summary: 'keep the text of a table in the server, so that no file is needed',
  details:
    'It is then named stored:NAME where tables are listed. What cannot be used is refused with its line.',
  args: [
    { name: 'NAME', help: 'a word of your own' },
    { name: 'FILE', help: 'TYPE:PATH; types are pcre, regexp and texthash' },
  ],
  options: {},
  example: 'lookup store users pcre:./users',
  async run({ admin, io, arg }) {
    const [, type = '', path = ''] = /^(\w+):(.+)$/s.exec(arg(1)) ?? [];
    const known = storedType.safeParse(type);
    if (!known.success)
      throw new UsageError(`"${plain(arg(1))}" is not TYPE:PATH with type pcre, regexp or texthash`);
    const text = await readFile(resolve(io.cwd, path), 'utf8').catch((error: unknown) => {
      throw new Refusal('not-found', `${path} cannot be read: ${fileWords(error)}`);
    });
    const value = await admin.call(lookup.put, { name: arg(0), type: known.data, text });
    for (const problem of value.problems) io.err(`postern: ${plain(problem)}\n`);
    return said(
      value.changed
        ? `The table stored:${plain(arg(0))} has ${value.size} entries.`
        : `The table stored:${plain(arg(0))} is as it was.`,
      value,
    );
  },
};

const forget: CliCommand = {
  words: ['lookup', 'forget'],
  summary: 'forget a table that is kept in the server',
  args: [{ name: 'NAME', help: 'of a stored table that is not in use' }],
  options: {},
  example: 'lookup forget users',
  async run({ admin, arg }) {
    await admin.call(lookup.forget, { name: arg(0) });
    return said(`The table stored:${plain(arg(0))} is forgotten.`);
  },
};

const check: CliCommand = {
  words: ['lookup', 'check'],
  summary: 'can all tables that are in use be read; exits 1 if one cannot',
  args: [],
  options: {},
  example: 'lookup check',
  async run({ admin }) {
    const { tables } = await admin.call(lookup.show, {});
    const lines = tables.flatMap(({ name, state, size, problems }) => [
      `${name}: ${STATES[state]}${state === 'unusable' ? '' : `, ${size} entries`}`,
      ...problems.map((problem) => `  ${problem}`),
    ]);
    return {
      value: { tables },
      text: () =>
        lines.length === 0 ? 'No tables are in use.\n' : lines.map((line) => `${plain(line)}\n`).join(''),
      status: tables.every(({ state }) => state === 'ready') ? 0 : NONE,
    };
  },
};

const STATES = {
  ready: 'in use',
  old: 'cannot be used as it is now; its last good version answers',
  unusable: 'cannot be used; mail that needs it is put off',
} as const;

/** The address comes last: it takes any word. */
export const lookupCommands: readonly CliCommand[] = [show, set, store, forget, check, queryCommand];
