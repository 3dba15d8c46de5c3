import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { literalsIn } from '../../../test/support/literals.ts';
import { checkTexts } from './check-texts.ts';
import { foundWords, remedyWords, subjectWords } from './check-words.ts';
import { setupWords } from './setup-words.ts';

/** Every sentence of the doctor has a name, and every name a sentence. */

const ROOT = resolve(import.meta.dirname, '../../..');
/** Put together of parts: what they come to is in `MADE`. */
const OF_PARTS: readonly RegExp[] = [
  /^"?X1(?:\.\.\.)?"?$/,
  /^The resolver still has another answerX1:/,
  /^X1 (?:X1 not listed|X1 not answer for the zone:.*|X1)\.$/,
  /^Our clock is X1 s X1 X1\.$/,
  /^X1 (?:That is less than|New mail is put off|But the record does not|Hosts that keep to it)/,
  /^Nothing listens there\.X1$/,
  /^It answers, and X1 came in X1\.$/,
  /^X1 passesX1\.$/,
  /^It X1\.$/,
];
const MADE = [
  'It leads to 10 mx.example. The resolver still has another answer: others see the change only later.',
  'It leads to 10 mx.example. The resolver still has another answer for up to 300 s more: others see the change only later.',
  'The policy cannot be read: "v=DMARC1; p=x. y". It has no effect.',
  'The policy cannot be read: "v=DMARC1; p=x". It counts as p=none.',
  'It leads to 192.0.2.9, which is not an address of this machine (none of this kind).',
  '192.0.2.7 is listed (127.0.0.2).',
  '192.0.2.7 is listed (127.0.0.2). It says "Ask. https://list.example/".',
  '192.0.2.7 is not listed.',
  '192.0.2.7, 192.0.2.8 are not listed.',
  'Our clock is 3 s behind pool.ntp.org.',
  'Our clock is 3 s ahead of pool.ntp.org.',
  'No time server answered (none is set).',
  'Nobody could be asked: no domain is set.',
  'No time server answered (pool.ntp.org has no address).',
  '1 MiB of 100 MiB are free. That is less than the reserve: new mail is put off.',
  '1 MiB of 100 MiB are free. New mail is put off below 10 MiB.',
  'Nothing listens there.',
  'Nothing listens there. It needs a certificate.',
  'It answers, and 192.0.2.9 came in within the last hour.',
  'It answers, and 192.0.2.9 came in 5 h ago.',
  '_imaps._tcp.a.example leads to nowhere:0; _jmap._tcp.a.example leads to b.example:1.',
  '192.0.2.7 passes. 2001:db8::7 passes (as DNS knows our address).',
  '192.0.2.7 passes. But the record does not say what others may not do: it ends in "?all", not in "-all" or "~all".',
  'The policy (testing) names no host, but not mx.example. Hosts that keep to it do not deliver.',
  'ns1.example does not answer for the zone: a part of the questions about it goes unanswered.',
  'ns1.example, ns2.example do not answer for the zone: a part of the questions about it goes unanswered.',
  'ns1.example answers.',
  'ns1.example, ns2.example answer.',
];

function texts(): string[] {
  return globSync(['src/flow/doctor/checks/*.ts', 'src/flow/doctor/{doctor,zones}.ts'], { cwd: ROOT })
    .filter((file) => !file.includes('.test.'))
    .flatMap((file) => literalsIn(readFileSync(resolve(ROOT, file), 'utf8')));
}

test('every sentence of the checks has a name', () => {
  const nameless = texts()
    .filter((text) => /^(?:[A-Z"].*|X1.* [a-z]+.*)[.:]$/s.test(text) && text.includes(' '))
    .filter((text) => !OF_PARTS.some((each) => each.test(text)))
    .filter((text) => setupWords.find(text) === undefined)
    .filter((text) => foundWords(text).some(({ code }) => code === ''));
  nameless.push(...MADE.filter((text) => foundWords(text).some(({ code }) => code === '')));
  assert.deepEqual(nameless, []);
});

/** Codes in it, at any depth. */
function codesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const inner = Object.values(value).flatMap(codesIn);
  return 'code' in value ? [String(value.code), ...inner] : inner;
}

test('every name is that of a sentence', () => {
  const used = new Set(
    [...texts(), ...MADE].flatMap((text) => [
      ...codesIn(foundWords(text)),
      ...codesIn(remedyWords(text)),
      ...codesIn(subjectWords(text)),
    ]),
  );
  assert.deepEqual(
    Object.keys(checkTexts).filter((key) => !used.has(`checks.${key}`)),
    [],
  );
});

test('sentences that stand together are told apart, with the facts of each', () => {
  assert.deepEqual(
    foundWords('192.0.2.7 is listed (127.0.0.2). It says "Ask. See https://list.example/".').map(
      ({ code, args }) => [code, args],
    ),
    [
      ['checks.listed', { ip: '192.0.2.7', codes: '127.0.0.2' }],
      ['checks.itSays', { text: '"Ask. See https://list.example/"' }],
    ],
  );
  const [several] = foundWords('No time server answered (a.example has no address; b.example: timeout).');
  assert.deepEqual(several?.args?.['reasons'], {
    list: [
      { code: 'checks.hasNoAddress', args: { name: 'a.example' }, text: 'a.example has no address' },
      { code: '', text: 'b.example: timeout' },
    ],
    text: 'a.example has no address; b.example: timeout',
  });
  const [none] = foundWords('No time server answered (none is set).');
  assert.deepEqual(none?.args?.['reasons'], { code: 'checks.noneSet', text: 'none is set' });
});

test('a command is told from what is said of it', () => {
  assert.deepEqual(remedyWords('dig a.example MX'), { command: 'dig a.example MX' });
  const { command, said } = remedyWords(
    'curl https://icanhazip.com   # on this machine, then: dig -x ADDRESS',
  );
  assert.equal(command, 'curl https://icanhazip.com');
  assert.deepEqual(said?.[0]?.args, { command: 'dig -x ADDRESS' });
  assert.equal(remedyWords('Wait, then ask again: postern doctor').command, undefined);
});

test('what strangers write takes no time to look at', () => {
  assert.equal(foundWords(`It says ${'. "'.repeat(50_000)}.`).length, 1);
  assert.equal(foundWords('a '.repeat(100_000))[0]?.code, '');
});

test('reasons are said one by one', () => {
  const [said] = foundWords(
    'Nobody could be asked: DNS knows no mail host of a.example; DNS knows no mail host of b.example.',
  );
  const reasons = said?.args?.['reasons'];
  assert.ok(typeof reasons === 'object' && 'list' in reasons);
  assert.deepEqual(
    reasons.list.map(({ code, args }) => [code, args?.['domain']]),
    [
      ['checks.knowsNoHost', 'a.example'],
      ['checks.knowsNoHost', 'b.example'],
    ],
  );
});
