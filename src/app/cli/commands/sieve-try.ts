import { createInterface } from 'node:readline';
import { attempt, type AttemptAnswer, type AttemptMailbox } from '../../../flow/sieve/attempt.ts';
import { compile, SIEVE_LIMITS } from '../../../mail/sieve/index.ts';
import type { ScriptError } from '../../../mail/sieve/types.ts';
import { type Call, type CliCommand, type Outcome, UsageError } from '../command.ts';
import { plain, wrap } from '../plain-text.ts';
import { answerJson, answerLine, envelopeOf, wireForm } from '../sieve-batch.ts';
import { readBounded, scriptFile } from '../sieve-place.ts';

/** Octets of a message that is tried. */
const MESSAGE_BYTES = 64 * 1024 * 1024;
/** Entries of the log that are shown. */
const LOG_SHOWN = 100;

async function check({ arg }: Call): Promise<Outcome> {
  const source = await scriptFile(arg(0));
  const compiled = compile(source, { limits: SIEVE_LIMITS });
  const errors = compiled.ok ? [] : compiled.errors;
  const warnings = compiled.ok ? compiled.script.warnings : [];
  const value = {
    ok: compiled.ok,
    errors,
    warnings,
    ...(compiled.ok && { requires: compiled.script.requires }),
  };
  const lines = source.split(/\r\n|\n/);
  const verdict = compiled.ok
    ? ['The script is right.']
    : [
        `The script has ${errors.length === 1 ? 'an error' : `${errors.length} errors`}; a server would not take it.`,
      ];
  return {
    value,
    status: compiled.ok ? 0 : 1,
    text: () =>
      [
        ...errors.flatMap((error) => pointed(arg(0), lines, 'error', error)),
        ...warnings.flatMap((warning) => pointed(arg(0), lines, 'note', warning)),
        ...verdict,
      ]
        .map((line) => `${line}\n`)
        .join(''),
  };
}

/** The place, the words, and the line with a mark below it. */
function pointed(file: string, lines: readonly string[], what: string, error: ScriptError): string[] {
  const { line, column, message } = error;
  const source = plain((lines[line - 1] ?? '').replaceAll('\t', ' '));
  const shown = source.length <= 200 ? [`    ${source}`, `    ${' '.repeat(Math.max(0, column - 1))}^`] : [];
  return [`${plain(file)}:${line}:${column}: ${what}: ${plain(message)}`, ...shown];
}

async function test(call: Call): Promise<Outcome> {
  const { io, args, on } = call;
  if (on('batch')) return batch(call);
  const [file, letter] = args;
  if (file === undefined || letter === undefined)
    throw new UsageError('name a script and a message: postern sieve test FILE MESSAGE');
  const message = wireForm(await readBounded(letter, MESSAGE_BYTES, 'a message'));
  const guessed = envelopeOf(message);
  const now = call.text('now') === undefined ? io.clock.now() : Date.parse(call.text('now') ?? '');
  if (Number.isNaN(now)) throw new UsageError('--now takes a time such as 2026-12-24T18:00:00Z');
  const answer = await attempt({
    script: await scriptFile(file),
    message,
    envelope: {
      from: bare(call.text('from')) ?? guessed.from,
      to: bare(call.text('to')) ?? guessed.to,
      auth: call.text('auth'),
    },
    addresses: call.texts('address'),
    mailboxes: mailboxesOf(call.texts('mailbox')),
    flags: (call.text('flags') ?? '').split(/[ ,]+/).filter((flag) => flag !== ''),
    now,
    zoneMinutes: -new Date(now).getTimezoneOffset(),
    spamPercent: numberOption('spam', call.text('spam'), 100),
    virus: numberOption('virus', call.text('virus'), 5),
    seen: call.texts('seen'),
    personal: await scriptsOf(call.texts('include')),
    global: await scriptsOf(call.texts('global')),
    lists: {},
    environment: pairsOf('env', call.texts('env')),
    metadata: {},
    detailSeparator: '+',
  });
  return {
    value: answerJson(answer),
    status: answer.errors.length === 0 ? 0 : 1,
    text: () => answerText(answer, io.width),
  };
}

function bare(given: string | undefined): string | undefined {
  return given?.replace(/^<(.*)>$/, '$1');
}

function numberOption(name: string, given: string | undefined, max: number): number | undefined {
  if (given === undefined) return undefined;
  if (!/^\d{1,3}$/.test(given) || Number(given) > max) throw new UsageError(`--${name} takes 0 to ${max}`);
  return Number(given);
}

/** "Spam=\\Junk": a name and, where it has one, its special use. */
function mailboxesOf(given: readonly string[]): AttemptMailbox[] | undefined {
  if (given.length === 0) return undefined;
  const named = given.map((text): AttemptMailbox => {
    const [, name = text, use] = /^(.*)=(\\\w+)$/.exec(text) ?? [];
    return { name, specialUse: use };
  });
  return [{ name: 'INBOX' }, ...named];
}

function pairsOf(option: string, given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new UsageError(`--${option} takes NAME=VALUE`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}

async function scriptsOf(given: readonly string[]): Promise<Record<string, string>> {
  const scripts: Record<string, string> = {};
  for (const [name, file] of Object.entries(pairsOf('include', given)))
    scripts[name] = await scriptFile(file);
  return scripts;
}

/** Answers in the order of the requests, each as soon as it is there. */
async function batch({ io }: Call): Promise<Outcome> {
  let failed = 0;
  for await (const line of createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (line.trim() === '') continue;
    const answer = await answerLine(line, io.clock.now());
    if (answer.includes('"problem"')) failed += 1;
    io.out(`${answer}\n`);
  }
  return { value: { failed }, printed: true, status: 0, text: () => '' };
}

/** What would happen, then why. */
function answerText({ actions, stored, sent, errors, warnings, log }: AttemptAnswer, width: number): string {
  const lines: string[] = [];
  for (const { script, line, column, message } of errors) {
    const name = script === '' ? '' : ` of ${plain(script)}`;
    lines.push(`Error at line ${line}, column ${column}${name}: ${plain(message)}`);
  }
  const happens = [
    ...stored.map(({ folder, flags, line, missing }) => {
      const where = missing === undefined ? folder : `${folder}, for ${missing} does not exist`;
      const marked = flags.length === 0 ? '' : `, with the flags ${flags.join(' ')}`;
      return `It goes into ${where}${marked}${atLine(line)}.`;
    }),
    ...sent.map(({ kind, to, line }) => `${SENT[kind]} ${to}${atLine(line)}.`),
    ...actions.flatMap((action) => {
      if (action.kind === 'discard') return [`It is thrown away${atLine(action.line)}.`];
      if (action.kind === 'reject')
        return [
          `It is refused with these words${atLine(action.line)}: ${action.reason.replaceAll(/\s+/g, ' ')}`,
        ];
      return [];
    }),
  ];
  if (happens.length === 0) happens.push('Nothing: a server would not run it.');
  lines.push('What happens', ...happens.flatMap((line) => bullet(line, width)));
  if (log.length > 0) {
    lines.push('', 'Why');
    for (const { line, script, text } of log.slice(0, LOG_SHOWN)) {
      const where = script === '' ? `line ${line}` : `line ${line} of ${script}`;
      lines.push(...bullet(`${where}: ${text}`, width));
    }
    if (log.length > LOG_SHOWN) lines.push(`  ... and ${log.length - LOG_SHOWN} more; --json has all`);
  }
  for (const { line, column, message } of warnings)
    lines.push('', `Note: line ${line}, column ${column}: ${plain(message)}`);
  return lines.map((line) => `${line}\n`).join('');
}

const SENT = {
  redirect: 'It is sent on to',
  vacation: 'An answer goes to',
  notify: 'A notification goes to',
} as const;

function atLine(line: number): string {
  return line === 0 ? ', because nothing else was decided' : ` (line ${line})`;
}

function bullet(text: string, width: number): string[] {
  return wrap(plain(text), width - 4).map((part, i) => (i === 0 ? `  - ${part}` : `    ${part}`));
}

export const sieveTryCommands: readonly CliCommand[] = [
  {
    words: ['sieve', 'check'],
    summary: 'whether a script in a file is right; works without a server',
    args: [{ name: 'FILE', help: 'the script' }],
    options: {},
    example: 'sieve check filter.sieve',
    offline: true,
    run: check,
  },
  {
    words: ['sieve', 'test'],
    summary: 'what a script would do with a message, and why; works without a server',
    details:
      'Nothing is stored or sent. With --batch requests come as JSON lines on the standard input (script, message, envelope {from, to}, mailboxes, flags, spam, include, ...), and for each one a line is answered.',
    args: [
      { name: 'FILE', help: 'the script', optional: true },
      { name: 'MESSAGE', help: 'a message in a file', optional: true },
    ],
    options: {
      from: { value: 'ADDRESS', help: 'envelope sender (default: Return-Path or From of the message)' },
      to: { value: 'ADDRESS', help: 'envelope recipient (default: Delivered-To or To of the message)' },
      auth: { value: 'NAME', help: 'who had logged in to send it' },
      address: { value: 'ADDRESS', help: 'an address of the owner', many: true },
      mailbox: {
        value: 'NAME',
        help: 'a mailbox that exists (NAME=\\Junk: with its special use)',
        many: true,
      },
      flags: { value: 'FLAGS', help: 'flags that the message has where the script sets none' },
      spam: { value: 'PERCENT', help: 'how sure the filter is that it is spam, 0 to 100' },
      virus: { value: 'LEVEL', help: 'what the virus scanner says, 0 to 5' },
      seen: { value: 'KEY', help: 'what "duplicate" has seen before', many: true },
      include: { value: 'NAME=FILE', help: 'a script of the owner to include', many: true },
      global: { value: 'NAME=FILE', help: 'a script of the site to include', many: true },
      env: { value: 'NAME=VALUE', help: 'an item of "environment"', many: true },
      now: { value: 'TIME', help: 'as if it were this time (default: now)' },
      batch: { help: 'read requests as JSON lines, answer each with a line' },
    },
    example: 'sieve test filter.sieve message.eml --from ann@example.net',
    offline: true,
    run: test,
  },
];
