import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { literalsFrom } from '../../../test/support/literals.ts';
import { domainRecords } from '../../mail/dns-records.ts';
import { problems } from './problem-texts.ts';
import { setupTexts } from './setup-texts.ts';
import { setupWords } from './setup-words.ts';
import { codeOf, inputSaid, problemSaid } from './problems.ts';

/** Every refusal of the APIs has a name, and every name a refusal. */

const ROOT = resolve(import.meta.dirname, '../../..');
/** What the account, auth and admin APIs are made of. */
const SOURCES = [
  'src/servers/http/{account,auth,admin}/**/*.ts',
  'src/servers/http/api.ts',
  'src/servers/request-login.ts',
  'src/mail/sasl/refusals.ts',
  'src/data/{access,account,directory,sieve,spam,sharing,mailstore,queue,vault,bans}/**/*.ts',
  'src/flow/sieve/**/*.ts',
];
/** Of these pages show the most, not all: a backup can fail in many ways. */
const FURTHER = [
  'src/data/{backup,holds,suppression}/**/*.ts',
  'src/flow/{backup,dns-plan,ses-inbound}/**/*.ts',
  'src/app/{admin-hooks,acme/keeper}.ts',
];
/** What is wrong with the values of settings: a name, and what stands in schemas. */
const VALUES = [
  'it takes 20 or more',
  'it takes 30 or less',
  'it takes at most 10 characters',
  'it takes at most 10 entries',
  'it takes a number',
  'it takes a whole number',
  'it takes a text',
  'it takes true or false',
  'it takes a list in JSON, such as ["one", "two"]; [] for none',
  'it takes an object in JSON',
  'it takes one of off, all',
  'it is missing',
  'it must not be empty',
  'it is missing or of no kind that is known',
  'it is a group of settings; name one of them ("postern filter show" lists all)',
  'it takes the ARN of a topic',
  'it takes a URL such as https://example.org/path',
  'there is no transport "out"; add it first',
];
const SCHEMAS = [
  'src/flow/**/settings.ts',
  'src/flow/{alerts,backup,doctor,dns-plan,lookup,ses-inbound,spam}/*.ts',
  'src/data/{certificates,housekeeping,journal,lookup,backup}/*.ts',
  'src/flow/outbound/**/*.ts',
];

function values(): string[] {
  const own = globSync(SCHEMAS, { cwd: ROOT })
    .filter((file) => !file.includes('.test.') && !file.includes('.contract.'))
    .flatMap((file) => [
      ...readFileSync(resolve(ROOT, file), 'utf8').matchAll(
        /(?:error|message): '(it (?:takes|needs) [^']*|there are two [^']*)'/g,
      ),
    ])
    .flatMap(([, text]) => text ?? []);
  return [...own, ...VALUES].map((text) => `a.name: ${text}`);
}

/** Refusals that no API gives: of starting the server, of other protocols. */
const NOT_THEIRS =
  /^src\/servers\/http\/admin\/socket|^src\/servers\/http\/auth\/oauth\.ts|^src\/data\/sharing\/annotations|\.contract\.|\.test\.|fixtures/;
/** Texts that are no refusals, or refusals that no API gives. */
const NONE: ReadonlySet<string> = new Set([
  'Malformed X1 message: X1',
  'The text of a table that is kept here',
  'This message shows that X1 can send mail.\n\nNobody needs to answer it.\n',
]);
/** Refusals whose text stands in a table, or comes out of a function. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  'badRecipient',
  'otherSite',
  'requestOver',
  'noAppPassword',
  'noSession',
  'noGranted',
  'tooManyFailed',
]);

/** Texts that stand as the message in `new Refusal(...)` and `new Fault(...)`, or as `const text = ...` before one. */
function messagesIn(source: string): string[] {
  const found: string[] = [];
  for (const start of source.matchAll(/new (?:Refusal|Fault)\(|const text =|notEnough\(/g)) {
    found.push(...literalsFrom(source, start.index + start[0].length).filter((text) => /\S \S/.test(text)));
  }
  return found;
}

function everyMessage(sources = SOURCES): { file: string; text: string }[] {
  return globSync(sources, { cwd: ROOT })
    .filter((file) => !NOT_THEIRS.test(file))
    .flatMap((file) => messagesIn(readFileSync(resolve(ROOT, file), 'utf8')).map((text) => ({ file, text })))
    .filter(({ text }) => !NONE.has(text));
}

test('every refusal of the account, auth and admin APIs has a name', () => {
  const nameless = everyMessage().filter(({ text }) => problemSaid(text) === undefined);
  assert.deepEqual(
    nameless.map(({ file, text }) => `${file}: ${text}`),
    [],
  );
});

test('what is wrong with the value of a setting has a name, one thing or several', () => {
  const nameless = values().filter(
    (text) => !/^problems\.(?:value|trueOrFalse)/.test(problemSaid(text)?.code ?? ''),
  );
  assert.deepEqual(nameless, []);
  const said = problemSaid('trash_days: it takes 0 or more; mode: it takes one of off, all');
  const several = said?.args?.['list'];
  assert.ok(typeof several === 'object' && 'list' in several);
  assert.deepEqual(
    several.list.map(({ code }) => code),
    ['problems.valueLeast', 'problems.valueOneOf'],
  );
});

test('every name is that of a refusal', () => {
  const texts = [...everyMessage(), ...everyMessage(FURTHER)].map(({ text }) => text);
  const used = new Set([...texts, ...values()].map((text) => problemSaid(text)?.code));
  const unused = Object.keys(problems).filter(
    (key) =>
      !/^(?:input|kind)[A-Z]|^(?:inside|several)$/.test(key) &&
      !ELSEWHERE.has(key) &&
      !used.has(`problems.${key}`),
  );
  assert.deepEqual(unused, []);
});

test('a name comes with the facts of its sentence', () => {
  assert.deepEqual(codeOf({ message: 'There is no account ann@example.test.' }), {
    code: 'problems.noAccount',
    args: { address: 'ann@example.test' },
  });
  assert.equal(codeOf({ message: 'Something that nobody has foreseen.' }), undefined);
});

test('input that its schema does not take is told by its field', () => {
  const schema = z.strictObject({ name: z.string().min(3).max(5), count: z.number().min(1).optional() });
  const said = (input: unknown): unknown => {
    const { error } = schema.safeParse(input);
    return error && inputSaid(error);
  };
  assert.deepEqual(said({}), { code: 'problems.inputMissing', args: { field: 'name' } });
  assert.deepEqual(said({ name: 'a' }), { code: 'problems.inputShort', args: { field: 'name', least: 3 } });
  assert.deepEqual(said({ name: 'abcdef' }), {
    code: 'problems.inputLong',
    args: { field: 'name', most: 5 },
  });
  assert.deepEqual(said({ name: 'abcd', count: 0 }), {
    code: 'problems.inputSmall',
    args: { field: 'count', least: 1 },
  });
  assert.deepEqual(said({ name: 'abcd', more: 1 }), {
    code: 'problems.inputUnknown',
    args: { field: 'more' },
  });
});

test('why a record or a check matters, and what setup says of its steps, is known by its words', () => {
  const texts = globSync(['src/mail/dns-records.ts', 'src/flow/doctor/**/*.ts'], { cwd: ROOT })
    .filter((file) => !file.includes('.test.'))
    .flatMap((file) => {
      const source = readFileSync(resolve(ROOT, file), 'utf8');
      return [...source.matchAll(/\bwhy(?::| =)(?=[^;,]{0,80}['"`])/g)].flatMap((found) =>
        literalsFrom(source, found.index + found[0].length).slice(0, 2),
      );
    })
    // What differs from service to service has a sentence for each: they are among the records.
    .filter((text) => /^[A-Z].* .* .*[.]$/.test(text) && !text.endsWith(' (X1).'));
  const records = domainRecords({
    domain: 'a.example',
    hostname: 'mx.a.example',
    addresses: ['192.0.2.1'],
    dkim: [],
    adminAddress: 'ann@a.example',
    discovery: true,
  });
  texts.push(...records.map(({ why }) => why));
  assert.ok(texts.length > 30, `only ${texts.length} were found`);
  assert.deepEqual(
    texts.filter((text) => setupWords.find(text) === undefined),
    [],
  );
  const setup = readFileSync(resolve(ROOT, 'src/servers/http/admin/setup.ts'), 'utf8');
  for (const text of Object.values(setupTexts).slice(0, 6)) assert.ok(setup.includes(`'${text}'`), text);
});
