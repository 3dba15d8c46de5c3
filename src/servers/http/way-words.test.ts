import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { literalsIn } from '../../../test/support/literals.ts';
import { wayTexts } from './way-texts.ts';
import { wayRemedy, waySentences, wayWords } from './way-words.ts';

/** Every sentence about Amazon SES, routes, bans and holds has a name, and every name a sentence. */

const ROOT = resolve(import.meta.dirname, '../../..');
const SES = [
  'src/flow/ses-setup/{account,dns,events,identity,lines,queues,receiving,status}.ts',
  'src/mail/ses-template/records.ts',
];
const PROBE = ['src/flow/outbound/transports/probe.ts', 'src/flow/outbound/routing/caps.ts'];
/** Put together of parts: what they come to is in `MADE`. */
const OF_PARTS =
  /^(?:Events go to SNS|The account is in the sandbox\.X1|X1 is not found in DNS|(?:not )?signed with DNSSEC$|mail for X1|there are no TLSA|X1 is not signed|X1 X1: X1)/;
/** Of a record that is proposed and not checked. */
const NOT_SHOWN = 'Our own host receives mail of the domain first.';
const MADE = [
  'The account is in the sandbox.',
  'The account is in the sandbox. The last request was denied.',
  'Events go to SNS.',
  'Events go to SNS; mail leaves only over TLS.',
  'mail.a.example is not found in DNS (PENDING): SES refuses mail of the domain until it is.',
  'mail.a.example is not found in DNS (PENDING): SES uses its own sender until it is.',
  'mail for a.example goes to mx.a.example [192.0.2.1] (signed with DNSSEC)',
  'mail for a.example goes to mx.a.example [192.0.2.1] (not signed with DNSSEC)',
  'no DANE: there are no TLSA records',
  'no DANE: the domain is not signed with DNSSEC',
  'no DANE: the host is not signed with DNSSEC',
  'refused everywhere since 2026-01-01T10:00Z (reputation: 550 no)',
  'refused by a.example since 2026-01-01T10:00Z (reputation: 550 no)',
  'it takes 10 octets, the message has 20',
  '20 failed logins within 10 min',
  '20 failed logins within 1 h from places it does not know',
  'outgoing mail held: it sent 9 messages within an hour that look like spam',
  'outgoing mail held: the filter is sure that it is spam',
  'the try-out does not send mail; start it with --relay HOST:PORT',
  'held by ann@a.example',
  'only if its zone is signed with DNSSEC',
  'queue of new mail',
  'queue of events',
  'queue of dead letters',
  'bucket mail',
  'topic mail',
];
/** Where they are made; the literals above come from there. */
const MAKERS = [
  'src/flow/outbound/routing/plan.ts',
  'src/data/bans/guard.ts',
  'src/data/holds/types.ts',
  'src/flow/submission/outgoing.ts',
  'src/flow/outbound/transports/probe.ts',
];

function literals(...files: readonly string[]): string[] {
  return globSync([...files], { cwd: ROOT }).flatMap((file) =>
    literalsIn(readFileSync(resolve(ROOT, file), 'utf8')),
  );
}

const ofSes = literals(...SES).filter((text) => /^(?:[A-Z]|X1 ).*[a-z]{2}.* .*[.:)]$/.test(text));
const ofProbe = literals(...PROBE).filter(
  (text) => /^(?:"?X1"?|[a-zA-Z]+) [a-zX].* /.test(text) && !text.endsWith(':'),
);

test('every sentence has a name', () => {
  assert.ok(ofSes.length > 70 && ofProbe.length > 10);
  const nameless = [...ofSes, ...ofProbe, ...MADE].filter(
    (text) =>
      text !== NOT_SHOWN && !OF_PARTS.test(text) && waySentences(text).some(({ code }) => code === ''),
  );
  assert.deepEqual(nameless, []);
});

test('every name is that of a sentence', () => {
  const all = literals(...SES, ...PROBE, ...MAKERS, 'src/flow/outbound/routing/suppressed.ts');
  const used = new Set([...all, ...MADE].flatMap(waySentences).map(({ code }) => code));
  const codes = all.map((text) => wayWords.of(text).code);
  const unused = Object.keys(wayTexts).filter(
    (key) => !used.has(`ways.${key}`) && !codes.includes(`ways.${key}`),
  );
  assert.deepEqual(unused, []);
});

test('facts are told as such; a command stays to be copied', () => {
  const [ban] = waySentences('20 failed logins within 10 min');
  assert.deepEqual(ban?.args?.['span'], { ms: 600_000, text: '10 min' });
  const [held] = waySentences('outgoing mail held: the filter is sure that it is spam');
  const reason = held?.args?.['reason'];
  assert.ok(typeof reason === 'object' && 'code' in reason);
  assert.equal(reason.code, 'ways.holdSure');
  assert.deepEqual(wayRemedy('aws sesv2 get-account'), { command: 'aws sesv2 get-account' });
  assert.equal(wayRemedy('Try again: postern ses status').said?.[0]?.code, 'ways.sesTryAgain');
  assert.deepEqual(waySentences('the police asked for it'), [{ code: '', text: 'the police asked for it' }]);
});
