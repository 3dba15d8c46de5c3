import { sieveSettingsSchema } from '../../../flow/sieve/settings.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { Refusal } from '../../../base/errors.ts';
import { type Call, type CliCommand, type Outcome, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { sizeText, timeText } from '../quantities.ts';
import {
  type CliPlace,
  PLACE_OPTIONS,
  placeInput,
  placeOf,
  readBounded,
  scriptFile,
} from '../sieve-place.ts';
import { sieveTryCommands } from './sieve-try.ts';

const { sieve } = operations;

/** Octets of a file of settings. */
const SETTINGS_BYTES = 1024 * 1024;

const ACCOUNT = { name: 'ACCOUNT', help: 'the account, unless an option names a place', optional: true };

/** Text of strangers that keeps its lines. */
function plainLines(text: string): string {
  const lines = text.replaceAll('\t', '    ').split(/\r\n|\n/);
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => `${plain(line)}\n`).join('');
}

async function list(call: Call): Promise<Outcome> {
  const place = placeOf(call);
  const { scripts } = await call.admin.call(sieve.list, placeInput(place));
  const rows = scripts.map(({ name, active, size, changedAt }) => [
    name,
    active ? 'yes' : '',
    sizeText(size),
    timeText(changedAt, call.io.timeZone),
  ]);
  const columns = [
    { title: 'NAME', whole: true },
    { title: 'RUNS' },
    { title: 'SIZE', right: true },
    { title: 'CHANGED' },
  ];
  return {
    value: scripts,
    text: () =>
      rows.length === 0 ? `${plain(place.whose)} has no scripts.\n` : table(columns, rows, call.io.width),
  };
}

async function show(call: Call): Promise<Outcome> {
  const place = placeOf(call);
  if (call.on('generated')) {
    if (place.account === undefined) throw new UsageError('--generated wants an account');
    const answer = await call.admin.call(sieve.settings, { account: place.account });
    return { value: answer, text: () => plainLines(answer.script ?? '# Nothing is set.') };
  }
  const [name] = place.rest;
  const { script } = await call.admin.call(sieve.show, {
    ...placeInput(place),
    ...(name !== undefined && { name }),
  });
  return { value: script, text: () => plainLines(script.text) };
}

async function put(call: Call): Promise<Outcome> {
  const place = placeOf(call);
  const [file, ...more] = place.rest;
  if (file === undefined || more.length > 0)
    throw new UsageError('name one file: postern sieve put ACCOUNT FILE');
  const name = call.text('name') ?? (place.place === 'account' ? 'main' : '');
  if (place.place === 'global' && name === '') throw new UsageError('a global script needs --name NAME');
  const text = await scriptFile(file);
  const input = placeInput(place);
  const before = place.place === 'account' ? (await call.admin.call(sieve.list, input)).scripts : [];
  // Somebody who has no script yet wants this one to run.
  const activate = call.on('activate') || (!call.on('inactive') && !before.some(({ active }) => active));
  const answer = await call.admin.call(sieve.put, { ...input, name, text, activate });
  const lines = [putText(place, name, answer.script.active, before.find(({ active }) => active)?.name)];
  lines.push(
    ...answer.warnings.map(({ line, column, message }) => `Note: line ${line}, column ${column}: ${message}`),
  );
  return { value: answer, text: () => lines.map((line) => `${plain(line)}\n`).join('') };
}

function putText(place: CliPlace, name: string, active: boolean, running: string | undefined): string {
  if (place.single) return `The script of ${place.whose} is stored and runs from now on.`;
  if (place.place === 'global') return `The script ${name} is stored; others can include it.`;
  if (active) return `The script ${name} of ${place.whose} is stored and runs from now on.`;
  const who = running === undefined ? 'none runs' : `${running} runs`;
  return `The script ${name} of ${place.whose} is stored; ${who}. To run it: postern sieve activate ${place.whose} ${name}`;
}

async function remove(call: Call): Promise<Outcome> {
  const place = placeOf(call);
  const [name = ''] = place.rest;
  if (!place.single && name === '') throw new UsageError('name the script; "postern sieve list" shows them');
  await call.admin.call(sieve.remove, { ...placeInput(place), name });
  return said(`The script ${place.single ? '' : `${plain(name)} `}of ${plain(place.whose)} is deleted.`);
}

async function settings(call: Call): Promise<Outcome> {
  const account = call.arg(0);
  const file = call.text('from');
  if (file === undefined) {
    const answer = await call.admin.call(sieve.settings, { account });
    return {
      value: answer,
      text: () =>
        `${JSON.stringify(answer.settings, undefined, 2)}\n\n${plainLines(answer.script ?? '# Nothing is set.')}`,
    };
  }
  const given = parseSettings(await readBounded(file, SETTINGS_BYTES, 'settings'), file);
  const { vacation = null, forward = null, rules } = given;
  const answer = await call.admin.call(sieve.setSettings, { account, vacation, forward, rules });
  return {
    value: answer,
    text: () =>
      `They are in force from now on, as this script:\n\n${plainLines(answer.script ?? '# Nothing is set.')}`,
  };
}

function parseSettings(octets: Buffer, file: string) {
  let json: unknown;
  try {
    json = JSON.parse(octets.toString('utf8'));
  } catch {
    throw new Refusal('bad-input', `${file} is no JSON.`);
  }
  const parsed = sieveSettingsSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Refusal('bad-input', `${file}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not right'}`);
}

export const sieveCommands: readonly CliCommand[] = [
  {
    words: ['sieve', 'list'],
    summary: 'scripts of an account, a domain or the site',
    args: [ACCOUNT],
    options: PLACE_OPTIONS,
    example: 'sieve list ann@example.org',
    run: list,
  },
  {
    words: ['sieve', 'show'],
    summary: 'the text of a script; without a name the one that runs',
    args: [ACCOUNT, { name: 'NAME', help: 'the script', optional: true }],
    options: {
      ...PLACE_OPTIONS,
      generated: { help: 'the script that vacation, forwards and rules of the account become' },
    },
    example: 'sieve show ann@example.org main',
    run: show,
  },
  {
    words: ['sieve', 'put'],
    summary: 'store a script from a file; one with errors is refused with their places',
    details:
      'The first script of an account runs at once. Of domains and of the site there is one script before and one after, which run as long as they are there.',
    args: [ACCOUNT, { name: 'FILE', help: 'the script', optional: true }],
    options: {
      ...PLACE_OPTIONS,
      name: { value: 'NAME', help: 'its name (default: main)' },
      activate: { help: 'run it instead of the one that runs' },
      inactive: { help: 'do not run it' },
    },
    example: 'sieve put ann@example.org filter.sieve',
    run: put,
  },
  {
    words: ['sieve', 'activate'],
    summary: 'run this script of an account instead of the one that runs',
    args: [
      { name: 'ACCOUNT', help: 'the account' },
      { name: 'NAME', help: 'the script' },
    ],
    options: {},
    example: 'sieve activate ann@example.org main',
    async run({ admin, arg }) {
      await admin.call(sieve.activate, { account: arg(0), name: arg(1) });
      return said(`The script ${plain(arg(1))} of ${plain(arg(0))} runs from now on.`);
    },
  },
  {
    words: ['sieve', 'deactivate'],
    summary: 'run none of the scripts of an account',
    args: [{ name: 'ACCOUNT', help: 'the account' }],
    options: {},
    example: 'sieve deactivate ann@example.org',
    async run({ admin, arg }) {
      await admin.call(sieve.activate, { account: arg(0), name: '' });
      return said(`No script of ${plain(arg(0))} runs any more; those of the site and the domain do.`);
    },
  },
  {
    words: ['sieve', 'rename'],
    summary: 'give a script of an account another name',
    args: [
      { name: 'ACCOUNT', help: 'the account' },
      { name: 'NAME', help: 'the script' },
      { name: 'NEW', help: 'its new name' },
    ],
    options: {},
    example: 'sieve rename ann@example.org main old',
    async run({ admin, arg }) {
      await admin.call(sieve.rename, { place: 'account', account: arg(0), name: arg(1), to: arg(2) });
      return said(`The script ${plain(arg(1))} is now ${plain(arg(2))}.`);
    },
  },
  {
    words: ['sieve', 'delete'],
    summary: 'delete a script; of an account not the one that runs',
    args: [ACCOUNT, { name: 'NAME', help: 'the script', optional: true }],
    options: PLACE_OPTIONS,
    example: 'sieve delete ann@example.org old',
    run: remove,
  },
  {
    words: ['sieve', 'settings'],
    summary: 'vacation, forwards and rules of an account as JSON, and the script they become',
    args: [{ name: 'ACCOUNT', help: 'the account' }],
    options: { from: { value: 'FILE', help: 'set them all from a file of JSON' } },
    example: 'sieve settings ann@example.org --from rules.json',
    run: settings,
  },
  ...sieveTryCommands,
];
