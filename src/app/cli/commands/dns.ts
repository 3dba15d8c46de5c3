import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { ANY_ZONE, type ProviderSettings, providerSchema } from '../../../flow/dns-plan/settings.ts';
import { type UndoFile, undoSchema } from '../../../flow/dns-plan/undo.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type Call, type CliCommand, type Outcome, said, UsageError } from '../command.ts';
import { plain, table, wrap } from '../plain-text.ts';
import { confirm } from '../prompt.ts';
import { valueOf } from '../settings-words.ts';
import { fileWords } from '../file-words.ts';

const { dns } = operations;

type Plan = z.output<typeof dns.plan.output>;
type Line = Plan['elsewhere'][number];
type Done = z.output<typeof dns.apply.output>;

const SIGNS: Readonly<Record<Line['state'], string>> = {
  there: '=',
  add: '+',
  remove: '-',
  'by-hand': '!',
  left: '.',
};

/** Spaces in front of notes. */
const INDENT = 6;

function linesOf({ state, name, type, value, note }: Line, width: number): string[] {
  const notes = note === undefined ? [] : wrap(plain(note), Math.max(20, width - INDENT));
  return [
    `  ${SIGNS[state]} ${plain(name)} ${plain(type)} ${plain(value)}`,
    ...notes.map((part) => `${' '.repeat(INDENT)}${part}`),
  ];
}

function count(plan: Plan, state: Line['state']): number {
  return [...plan.zones.flatMap(({ lines }) => lines), ...plan.elsewhere].filter(
    (line) => line.state === state,
  ).length;
}

function planText(plan: Plan, width: number): string {
  const parts = plan.zones.flatMap(({ zone, kind, lines }) => [
    `Zone ${plain(zone)} (${kind})`,
    ...lines.flatMap((line) => linesOf(line, width)),
    '',
  ]);
  if (plan.elsewhere.length > 0)
    parts.push(
      'Not at a provider that is set up',
      ...plan.elsewhere.flatMap((line) => linesOf(line, width)),
      '',
    );
  const [add, remove, byHand] = [count(plan, 'add'), count(plan, 'remove'), count(plan, 'by-hand')];
  const hand = byHand === 0 ? '' : ` ${byHand} by hand (!).`;
  parts.push(
    add + remove === 0 ? `Nothing to change.${hand}` : `To add: ${add} (+). To remove: ${remove} (-).${hand}`,
  );
  return parts.map((line) => `${line}\n`).join('');
}

const BESIDE: CliCommand['options'] = {
  beside: { help: 'add MX, addresses and SRV also where others have some, which stay' },
};
const YES: CliCommand['options'] = { yes: { help: 'without asking' } };
const DOMAIN = { name: 'DOMAIN', help: 'one of our domains' };

const plan: CliCommand = {
  words: ['dns', 'plan'],
  summary: "what would be changed at the DNS provider so that a domain's records are published",
  details:
    'Changes nothing. Signs: + is added, - is removed (only what this server wrote), = is there, ! is for you to do by hand, . is left out.',
  args: [DOMAIN],
  options: BESIDE,
  example: 'dns plan example.org',
  async run({ admin, arg, on, io }) {
    const value = await admin.call(dns.plan, { domain: arg(0), beside: on('beside') });
    return { value, text: () => planText(value, io.width) };
  },
};

/** Show a plan, ask, and do it. */
async function afterAsking({ io, on }: Call, shown: Plan, act: () => Promise<Done>): Promise<Outcome> {
  const changes = count(shown, 'add') + count(shown, 'remove');
  const report = on('json') ? '' : planText(shown, io.width);
  if (changes === 0) return { value: { added: 0, removed: 0 }, text: () => report };
  if (report !== '') io.err(report);
  if (!on('yes') && !(await confirm(io, 'Do this?')))
    return { ...said('Nothing was changed.', { added: 0, removed: 0 }), status: 1 };
  const value = await act();
  const back =
    value.undoFile === undefined ? '' : `\nTo take it back: postern dns undo ${plain(value.undoFile)}`;
  return said(`Added ${value.added}, removed ${value.removed}.${back}`, value);
}

const apply: CliCommand = {
  words: ['dns', 'apply'],
  summary: 'do what "dns plan" shows, after asking',
  details:
    'Before anything is changed a file is written that takes it back. When the zone changes between the plan and your answer nothing is done.',
  args: [DOMAIN],
  options: { ...BESIDE, ...YES },
  example: 'dns apply example.org --yes',
  async run(call) {
    const input = { domain: call.arg(0), beside: call.on('beside') };
    const shown = await call.admin.call(dns.plan, input);
    const { digest } = shown;
    return afterAsking(call, shown, () => call.admin.call(dns.apply, { ...input, digest }));
  },
};

async function readUndo(path: string): Promise<UndoFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Refusal('not-found', `${path} cannot be read: ${fileWords(error)}`);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  const file = undoSchema.safeParse(json);
  if (!file.success) throw new Refusal('bad-input', `${path} is no file that "postern dns apply" wrote.`);
  return file.data;
}

const undo: CliCommand = {
  words: ['dns', 'undo'],
  summary: 'take back what "dns apply" did, after asking',
  args: [{ name: 'FILE', help: 'as "dns apply" named it' }],
  options: YES,
  example: 'dns undo /var/lib/postern/dns-undo/example.org-0f2k3.json --yes',
  async run(call) {
    const file = await readUndo(resolve(call.io.cwd, call.arg(0)));
    const shown = await call.admin.call(dns.undoPlan, { file });
    const { digest } = shown;
    return afterAsking(call, shown, () => call.admin.call(dns.undo, { file, digest }));
  },
};

const KINDS = providerSchema.options.map(({ shape }) => shape.kind.value).join(', ');

const use: CliCommand = {
  words: ['dns', 'use'],
  summary: 'say who serves a zone, and where the credentials are',
  details: `Kinds: ${KINDS}. The zone may also be a name above several zones, or "*" for all that have no entry of their own; the longest zone of the account that a name lies in is changed. docs/guides/dns-providers.md says what each wants in its file.`,
  args: [
    { name: 'ZONE', help: 'example.org, or "*"' },
    { name: 'KIND', help: 'of provider' },
  ],
  options: {
    credentials: { value: 'FILE', help: 'with the token or key, readable to the server' },
    server: { value: 'HOST', help: 'rfc2136: the primary name server' },
    port: { value: 'PORT', help: 'rfc2136: its port (53)' },
    endpoint: { value: 'URL', help: "another address of the provider's API" },
  },
  example: 'dns use example.org desec --credentials /etc/postern/desec',
  async run({ admin, arg, text, io }) {
    const file = text('credentials');
    if (file === undefined) throw new UsageError('--credentials FILE is needed');
    const [server, port, endpoint] = [text('server'), text('port'), text('endpoint')];
    const value: Record<string, string | number> = {
      kind: arg(1),
      credentials_file: resolve(io.cwd, file),
      ...(server !== undefined && { server }),
      ...(port !== undefined && { port: Number(port) }),
      ...(endpoint !== undefined && { endpoint }),
    };
    const answer = await admin.call(dns.set, { name: `zones.${arg(0).toLowerCase()}`, value });
    const what = arg(0) === ANY_ZONE ? 'All other zones are' : `${plain(arg(0))} is`;
    return said(
      `${what} changed at ${plain(arg(1))} from now on. Look first: postern dns plan DOMAIN`,
      answer,
    );
  },
};

const forget: CliCommand = {
  words: ['dns', 'forget'],
  summary: 'no longer change a zone; what stands in it stays',
  args: [{ name: 'ZONE', help: 'as "dns show" names it' }],
  options: {},
  example: 'dns forget example.org',
  async run({ admin, arg }) {
    const answer = await admin.call(dns.set, { name: `zones.${arg(0)}`, value: null });
    return said(`${plain(arg(0))} is not changed any more.`, answer);
  },
};

const set: CliCommand = {
  words: ['dns', 'set'],
  summary: 'change a setting: ttl, signed',
  args: [
    { name: 'NAME', help: 'ttl (seconds), or signed (zones with DNSSEC, a list in JSON)' },
    { name: 'VALUE', help: 'the new value; "default" brings the default back' },
  ],
  options: {},
  example: 'dns set ttl 600',
  async run({ admin, arg }) {
    const value = arg(1) === 'default' ? null : valueOf(arg(1));
    const answer = await admin.call(dns.set, { name: arg(0), value: value as null });
    return said(`${plain(arg(0))} is ${plain(JSON.stringify(value))} from now on.`, answer);
  },
};

function placeText(provider: ProviderSettings): string {
  if (provider.kind === 'rfc2136') return `${provider.server} port ${provider.port}`;
  return provider.endpoint ?? '';
}

const show: CliCommand = {
  words: ['dns', 'show'],
  summary: 'who serves which zones',
  args: [],
  options: {},
  example: 'dns show',
  async run({ admin, io }) {
    const value = await admin.call(dns.show, {});
    const { zones, ttl, signed } = value.settings;
    const rows = Object.entries(zones).map(([zone, provider]) => {
      return [zone, provider.kind, placeText(provider), provider.credentials_file];
    });
    const columns = [
      { title: 'ZONE', whole: true },
      { title: 'KIND' },
      { title: 'AT' },
      { title: 'CREDENTIALS' },
    ];
    const more = `ttl ${ttl}; signed with DNSSEC: ${signed.length === 0 ? 'none' : signed.join(', ')}\n`;
    const none = 'No provider is set up: postern dns use ZONE KIND --credentials FILE\n';
    return {
      value,
      text: () => (rows.length === 0 ? none : table(columns, rows, io.width)) + plain(more.trim()) + '\n',
    };
  },
};

export const dnsCommands: readonly CliCommand[] = [plan, apply, undo, show, use, forget, set];
