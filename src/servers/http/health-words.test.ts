import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { literalsIn } from '../../../test/support/literals.ts';
import { healthTexts } from './health-texts.ts';
import { healthSentences } from './health-words.ts';

/** Every sentence of the alerts and of the advice on reports has a name, and every name a sentence. */

const ROOT = resolve(import.meta.dirname, '../../..');
/** Said by their names where they are made. */
const SAYERS = ['src/servers/http/admin/{overview,findings}.ts'];
const SOURCES = ['src/flow/alerts/checks.ts', 'src/mail/reports/advice.ts'];
/** Put together of parts: what they come to is in `MADE`. */
const OF_PARTS =
  /^(?:Mail to X1 does not arrive:|This is your own mail host,|Forwarded or through|X1 of X1 failed,|Failed X1 times;|Unknown source|The last good backup)/;
const MADE = [
  'Mail to gmail.com does not arrive: in the last hour 5 recipients were refused, 1 wait, 0 got it. It says: 550 5.7.1 No. See https://a.example',
  'The last good backup is 40 hours old. The last try failed: the disk is full. Nothing was written',
  'There is no good backup, for 3 days now. The last try failed: no route',
  'This is your own mail host, and 3 of its 5 messages failed. 2 of these were refused or put into Junk. Compare the SPF and DKIM records of a.example with "postern domain records a.example".',
  'Forwarded or through a mailing list, and known as that where it arrived: 3 failed. All of it was refused or put into Junk. Nothing to do.',
  '3 of 5 failed, the others are yours. Some of it is not signed, or was changed on its way: look at what 192.0.2.9 sends and at lists it passes.',
  'Failed 3 times; it was really sent by b.example. If that is a service of yours, have it sign as a.example; if it is a mailing list, nothing to do; else somebody uses your name.',
  'Unknown source 192.0.2.9 failed 3 times: somebody sends in your name, or a service of yours is not in the SPF record of a.example and does not sign. All of it was refused or put into Junk.',
  'A backup could not be restored when that was tried: mail.db is damaged. Row 5',
  'This is what an alert would come like. Nothing is wrong.',
  'mx.a.example failed; the report does not say how.',
];

function sources(...files: readonly string[]): string[] {
  return globSync([...files], { cwd: ROOT }).map((file) => readFileSync(resolve(ROOT, file), 'utf8'));
}

/** Whole sentences; of failures of TLS what follows the name of the host. */
function texts(): string[] {
  return sources(...SOURCES)
    .flatMap(literalsIn)
    .filter((text) => / \S+ /.test(text))
    .map((text) => text.trim())
    .flatMap((text) =>
      /^(?:did|showed|could|has|failed) /.test(text)
        ? [`X1 ${text}`]
        : /^(?:[A-Z]|X1 [a-z]).*[.]/.test(text)
          ? [text]
          : [],
    );
}

test('every sentence of the alerts and of the advice has a name', () => {
  const nameless = [...texts().filter((text) => !OF_PARTS.test(text)), ...MADE].filter((text) =>
    healthSentences(text).some(({ code }) => code === ''),
  );
  assert.deepEqual(nameless, []);
});

test('every name is that of a sentence', () => {
  const used = new Set([...texts(), ...MADE].flatMap(healthSentences).map(({ code }) => code));
  const said = sources(...SAYERS).join('\n');
  const unused = Object.keys(healthTexts).filter(
    (key) => !used.has(`health.${key}`) && !said.includes(`'${key}'`),
  );
  assert.deepEqual(unused, []);
});

test('spans are told as such, and reasons that have words of their own', () => {
  const [ends] = healthSentences('The certificate of mx.a.example ends in 3 days.');
  assert.deepEqual(ends?.args?.['span'], { ms: 3 * 86_400_000, text: '3 days' });
  const reply = healthSentences(MADE[0] ?? '');
  assert.deepEqual(reply[1]?.args, { reply: '550 5.7.1 No. See https://a.example' });
});
