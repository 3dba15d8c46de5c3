/**
 * Random scripts and mutations of the conformance set: nothing throws, errors stand inside the script, work is bounded.
 * `POSTERN_FUZZ_RUNS` says how many of each (300 unless told).
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import fc from 'fast-check';
import { scanMessage } from '../../src/mail/message/scanner.ts';
import { find, matchGlob, parseGlob } from '../../src/mail/sieve/glob.ts';
import {
  applyEdits,
  compile,
  evaluate,
  SIEVE_EXTENSIONS,
  SIEVE_LIMITS,
  sieveMessage,
} from '../../src/mail/sieve/index.ts';
import { COMMANDS } from '../../src/mail/sieve/commands.ts';
import type { Spec } from '../../src/mail/sieve/spec.ts';
import { TESTS } from '../../src/mail/sieve/tests.ts';
import type { SieveWorld } from '../../src/mail/sieve/types.ts';

const HERE = import.meta.dirname;
const numRuns = Number(process.env.POSTERN_FUZZ_RUNS ?? 300);
const limits = { ...SIEVE_LIMITS, steps: 3000 };

const messages = readdirSync(join(HERE, 'messages')).map((name) =>
  readFileSync(join(HERE, 'messages', name)),
);
const scripts = readdirSync(HERE, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((entry) =>
    readdirSync(join(HERE, entry.name))
      .filter((name) => name.endsWith('.sieve'))
      .map((name) => readFileSync(join(HERE, entry.name, name), 'utf8')),
  );

/** Counts the questions: each costs a step at least. */
function countingWorld(included: string): { readonly world: SieveWorld; readonly asked: () => number } {
  let asked = 0;
  const answer = async <T>(value: T): Promise<T> => {
    asked++;
    return value;
  };
  const world: SieveWorld = {
    now: 1_772_600_000_000,
    zoneMinutes: 60,
    addresses: ['ann@example.org'],
    environment: { domain: 'example.org' },
    spam: { tested: true, level: 3, percent: 20 },
    virus: { tested: false, level: 0 },
    detailSeparator: '+',
    mailboxExists: (name) => answer(name.length % 2 === 0),
    mailboxIdExists: () => answer(true),
    specialUseExists: () => answer(true),
    metadata: (_mailbox, name) => answer(name.length % 2 === 0 ? 'value' : undefined),
    seen: () => answer(false),
    include: () => answer(included),
    listHas: () => answer(true),
    listExists: () => answer(true),
  };
  return { world, asked: () => asked };
}

async function survives(
  source: string,
  octets: Buffer,
  included = 'keep;',
): Promise<'errors' | 'failed' | 'ran'> {
  const compiled = compile(source, { limits });
  if (!compiled.ok) {
    assert.ok(compiled.errors.length > 0 && compiled.errors.length <= 20);
    const lines = source.split('\n');
    for (const { line, column, message } of compiled.errors) {
      assert.ok(line >= 1 && line <= lines.length, `line ${line}`);
      assert.ok(
        column >= 1 && column <= [...(lines[line - 1] ?? '')].length + 1,
        `column ${column} of line ${line}`,
      );
      assert.ok(message.length > 0 && message.length < 500);
    }
    return 'errors';
  }
  const { world, asked } = countingWorld(included);
  const message = await sieveMessage(scanMessage(octets), (start, end) => octets.subarray(start, end));
  const envelope = { from: 'bob@example.com', to: 'ann@example.org', auth: undefined };
  const plan = await evaluate(compiled.script, message, envelope, world, limits);
  assert.ok(asked() <= limits.steps + 10);
  assert.ok(plan.actions.length > 0 && plan.actions.length <= limits.actions + 1);
  assert.ok(plan.log.length <= 301);
  for (const { edits } of plan.actions) if (edits !== undefined) applyEdits(octets, edits);
  if (plan.error === undefined) return 'ran';
  assert.equal(plan.actions.length, 1);
  assert.equal(plan.actions[0]?.kind, 'keep');
  assert.deepEqual(plan.remember, []);
  return 'failed';
}

const message = fc.constantFrom(...messages);

/** Text with what strings of scripts have. */
const word = fc.oneof(
  fc.constantFrom(
    'subject',
    'from',
    'x-tag',
    'INBOX',
    'a@example.com',
    '*',
    '?',
    '${a}',
    '${1}',
    '${unicode:41}',
    'year',
    'mailto:a@example.com',
    '\\Seen',
    'i;octet',
    'gt',
    '',
  ),
  fc.string({ maxLength: 12, unit: 'binary' }),
);
const quoted = word.map((text) => `"${text.replace(/[\\"]/g, '\\$&')}"`);
const list = fc.array(quoted, { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`);
const number = fc.integer({ min: 0, max: 2000 }).map(String);

/** Arguments as a row asks for them, now and then others. */
function argumentsFor(spec: Spec): fc.Arbitrary<string> {
  const value = (type: 'string' | 'strings' | 'number'): fc.Arbitrary<string> =>
    type === 'number' ? number : type === 'string' ? quoted : fc.oneof(quoted, list);
  const tags = Object.entries(spec.tags ?? {}).map(([name, row]) =>
    row.value === undefined
      ? fc.constant(`:${name}`)
      : value(row.value.type).map((text) => `:${name} ${text}`),
  );
  const some = tags.length === 0 ? fc.constant([]) : fc.array(fc.oneof(...tags), { maxLength: 3 });
  const args = fc.tuple(...(spec.args ?? []).map((arg) => value(arg.type)));
  return fc.tuple(some, args).map(([first, rest]) => [...first, ...rest].join(' '));
}

const { test } = fc.letrec<{ test: string; tests: string }>((tie) => ({
  test: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'tests' },
    ...Object.entries(TESTS)
      .filter(([, spec]) => spec.tests === undefined)
      .map(([name, spec]) => argumentsFor(spec).map((args) => `${name} ${args}`)),
    tie('test').map((inner) => `not ${inner}`),
    tie('tests').map((inner) => `anyof (${inner})`),
    tie('tests').map((inner) => `allof (${inner})`),
  ),
  tests: fc
    .array(tie('test'), { minLength: 1, maxLength: 3, depthIdentifier: 'tests' })
    .map((all) => all.join(', ')),
}));

const { block } = fc.letrec<{ block: string; command: string }>((tie) => ({
  command: fc.oneof(
    { maxDepth: 3, depthIdentifier: 'blocks' },
    ...Object.entries(COMMANDS)
      .filter(([name, spec]) => !spec.block && name !== 'require')
      .map(([name, spec]) => argumentsFor(spec).map((args) => `${name} ${args};`)),
    fc.tuple(test, tie('block')).map(([condition, inner]) => `if ${condition} { ${inner} }`),
    fc
      .tuple(test, tie('block'), tie('block'))
      .map(([condition, a, b]) => `if ${condition} { ${a} } else { ${b} }`),
    tie('block').map((inner) => `foreverypart { ${inner} }`),
  ),
  block: fc
    .array(tie('command'), { minLength: 1, maxLength: 4, depthIdentifier: 'blocks' })
    .map((all) => all.join('\n')),
}));

const header = `require [${SIEVE_EXTENSIONS.map((name) => `"${name}"`).join(', ')}];\n`;
/** Without ihave wrong commands are errors at once; with it they wait for the run. */
const strictHeader = header.replace('"ihave", ', '');

it('scripts of the right shape run, fail or are refused, and nothing throws', async (t) => {
  const seen = { errors: 0, failed: 0, ran: 0 };
  const script = fc.tuple(fc.constantFrom(header, strictHeader), block).map(([head, body]) => head + body);
  await fc.assert(
    fc.asyncProperty(script, message, fc.boolean(), async (source, octets, again) => {
      seen[await survives(source, octets, again ? source : 'keep;')]++;
    }),
    { numRuns },
  );
  t.diagnostic(JSON.stringify(seen));
});

it('mutated scripts of the conformance set never throw', async (t) => {
  const seen = { errors: 0, failed: 0, ran: 0 };
  const piece = fc.oneof(
    fc.constantFrom(
      '"',
      '{',
      '}',
      '(',
      ')',
      ';',
      ',',
      ':',
      '[',
      ']',
      '/*',
      '#',
      'text:\n',
      '\n',
      '${',
      '\\',
      '\0',
      'if',
      'not',
      '9G',
    ),
    fc.string({ maxLength: 4, unit: 'binary' }),
  );
  const mutation = fc.record({ at: fc.nat(), cut: fc.nat({ max: 12 }), piece });
  /** Another text in one of the strings, so that what is mutated often can be read still. */
  const restring = (source: string, at: number, text: string): string => {
    const strings = [...source.matchAll(/"(?:[^"\\]|\\.)*"/g)];
    const chosen = strings.length === 0 ? undefined : strings[at % strings.length];
    if (chosen === undefined) return source;
    return source.slice(0, chosen.index) + text + source.slice(chosen.index + chosen[0].length);
  };
  const restrung = fc
    .tuple(fc.constantFrom(...scripts), fc.array(fc.tuple(fc.nat(), quoted), { minLength: 1, maxLength: 3 }))
    .map(([source, changes]) => changes.reduce((text, [at, other]) => restring(text, at, other), source));
  const mutated = fc
    .tuple(fc.constantFrom(...scripts), fc.array(mutation, { minLength: 1, maxLength: 3 }))
    .map(([source, changes]) =>
      changes.reduce((text, { at, cut, piece: added }) => {
        const start = text.length === 0 ? 0 : at % text.length;
        return text.slice(0, start) + added + text.slice(start + cut);
      }, source),
    );
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, restrung), message, async (source, octets) => {
      seen[await survives(source, octets)]++;
    }),
    { numRuns: numRuns * 3 },
  );
  t.diagnostic(JSON.stringify(seen));
});

it('any text is a script or has errors', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ maxLength: 200, unit: 'binary' }), message, async (source, octets) => {
      await survives(source, octets);
    }),
    { numRuns },
  );
});

it('any message can be tested, taken apart and changed', async () => {
  const source = `${header}
    foreverypart { if header :mime :anychild :param "name" :matches "content-type" "*" { set "a" "\${1}"; } extracttext "b"; replace "x"; }
    if anyof (address :all :matches ["from", "to"] "*@*", body :text :contains "q", body :content "" :contains "q", date "date" "year" "1") { addheader "X" "\${1}"; }
    deleteheader :index 1 "to"; enclose :subject "s" "t"; keep;`;
  const lines = fc.array(
    fc.oneof(
      fc.constantFrom(
        'From: a@b',
        'To: <',
        'Content-Type: multipart/mixed; boundary=x',
        'Content-Type: text/html',
        '--x',
        '--x--',
        '',
        'Content-Transfer-Encoding: base64',
        'Subject: =?utf-8?q?=ff?=',
      ),
      fc.string({ maxLength: 20, unit: 'binary' }),
    ),
    { maxLength: 25 },
  );
  await fc.assert(
    fc.asyncProperty(lines, async (all) => {
      assert.notEqual(await survives(source, Buffer.from(all.join('\r\n'))), 'errors');
    }),
    { numRuns },
  );
});

/** A matcher that is slow and plainly right. */
function slowMatch(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern;
  if (pattern === '') return text === '';
  if (first === '*')
    return slowMatch(rest.join(''), text) || (text !== '' && slowMatch(pattern, text.slice(1)));
  if (text === '') return false;
  if (first === '\\' && rest.length > 0)
    return rest[0] === text[0] && slowMatch(rest.slice(1).join(''), text.slice(1));
  return (first === '?' || first === text[0]) && slowMatch(rest.join(''), text.slice(1));
}

it('wildcards match what the definition says, and what they took makes up the text', () => {
  const pattern = fc
    .array(fc.constantFrom('a', 'b', '*', '?', '\\*', '\\\\'), { maxLength: 8 })
    .map((all) => all.join(''));
  const text = fc.array(fc.constantFrom('a', 'b', '*', '\\'), { maxLength: 10 }).map((all) => all.join(''));
  fc.assert(
    fc.property(pattern, text, (glob, value) => {
      const same = (one: string): string => one;
      const matched = matchGlob(
        parseGlob(glob, same),
        { text: value, origin: undefined },
        value,
        () => undefined,
      );
      assert.equal(matched !== undefined, slowMatch(glob, value));
      if (matched === undefined) return;
      let index = 1;
      const rebuilt = glob.replace(/\\(.)|[*?]/g, (whole, char) =>
        whole.length > 1 ? char : (matched[index++] ?? '!'),
      );
      assert.equal(rebuilt, value);
    }),
    { numRuns: numRuns * 5 },
  );
});

it('long pieces are found where indexOf finds them', () => {
  const letters = (max: number): fc.Arbitrary<string> =>
    fc.array(fc.constantFrom('a', 'b'), { minLength: 17, maxLength: max }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters(40), letters(40), fc.nat({ max: 60 }), (wanted, more, times) => {
      const text = `${more.repeat(times)}${wanted.slice(0, -1)}`.repeat(3) + wanted;
      assert.equal(find(text, wanted, times), text.indexOf(wanted, times));
    }),
    { numRuns },
  );
});
