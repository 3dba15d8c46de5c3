import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { createSelfSigned } from '../../src/net/tls-self-signed.ts';
import { type Dialogue, type Directives, playDialogue, readDialogues } from '../dialogues/dialogue.ts';
import { type LineClient, lineClient } from '../support/smtp-client.ts';
import { type TestRelay, testRelay } from './harness.ts';

/**
 * What aws-smtp-relay's users know it to say, as dialogues (the language is that of test/dialogues).
 *
 * SERVER settings: flags=-x;value;… (";" between arguments), any NAME=value in capitals is an environment variable, and
 * tls (a certificate is given).
 */
const folder = mkdtempSync(join(tmpdir(), 'postern-relay-'));
after(() => rmSync(folder, { recursive: true }));
const pair = createSelfSigned({
  commonName: 'relay.example',
  names: ['relay.example'],
  notBefore: Date.UTC(2020, 0, 1),
  notAfter: Date.UTC(2049, 0, 1),
});
writeFileSync(join(folder, 'cert.pem'), pair.cert);
writeFileSync(join(folder, 'key.pem'), pair.key);

function relayFor({ settings }: Dialogue): Promise<TestRelay> {
  const tls = 'tls' in settings ? ['-c', join(folder, 'cert.pem'), '-k', join(folder, 'key.pem')] : [];
  const given = settings['flags']?.split(';') ?? [];
  const env = Object.fromEntries(Object.entries(settings).filter(([name]) => /^[A-Z]/.test(name)));
  return testRelay([...tls, ...given], env, { reverseName: 'client.example' });
}

function directivesFor({ aws, lines, clock, relay }: TestRelay, client: LineClient): Directives {
  return {
    /** FAULT kind json: the next call of SES fails so. */
    FAULT: (json) => void aws.fault({ service: 'ses' }, JSON.parse(json)),
    /** CONFIGSET name: SES has this configuration set. */
    CONFIGSET: (name) => aws.ses.createConfigurationSet(name),
    /** SENT n: SES has so many messages. */
    SENT: (count) => assert.equal(aws.ses.sent.length, Number(count)),
    /** LAST json: of the last message that SES has. */
    LAST: (json) => {
      const { raw: _, ...last } = aws.ses.sent.at(-1) ?? assert.fail('nothing was sent');
      assert.partialDeepStrictEqual(last, JSON.parse(json));
    },
    /** BODY text: it ends in this, with escapes as in JSON. */
    BODY: (text) => {
      const raw = aws.ses.sent.at(-1)?.raw.toString('latin1') ?? '';
      const end: string = JSON.parse(`"${text}"`);
      assert.equal(raw.slice(-end.length), end);
    },
    /** RECEIVED text: the Received field of the last message, ids and dates as "*". */
    RECEIVED: (text) => {
      const raw = aws.ses.sent.at(-1)?.raw.toString('latin1') ?? '';
      const field = /^Received: (?:.*\r\n[ \t])*.*/.exec(raw)?.[0] ?? '';
      const plain = field.replaceAll(/\r\n[ \t]+/g, ' ').replace(/ id \w+/, ' id *');
      assert.equal(plain.replace(/; .*/, '; *'), text);
    },
    /** LOG line: the next line of the log, byte for byte. */
    LOG: (line) => assert.equal(lines.shift(), `${line}\n`),
    /** NOLOG: there is none. */
    NOLOG: () => assert.deepEqual(lines, []),
    /** METRIC line: one of the metrics. */
    METRIC: async (line) => {
      const text = await relay.metrics.text();
      assert(text.split('\n').includes(line), `got ${text.match(/^aws_.*$/gm)?.join('\n')}`);
    },
    /** CRAM user password: answer the challenge. */
    CRAM: async (words) => {
      const [user = '', password = ''] = words.split(' ');
      const challenge = Buffer.from((await client.line())?.replace('334 ', '') ?? '', 'base64');
      assert.match(challenge.toString(), /^<[^<>@\s]+@relay\.example>$/);
      const digest = createHmac('md5', password).update(challenge).digest('hex');
      client.send(`${Buffer.from(`${user} ${digest}`).toString('base64')}\r\n`);
    },
    /** ADVANCE seconds: time passes. */
    ADVANCE: async (seconds) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      clock.advance(Number(seconds) * 1000);
    },
  };
}

for (const dialogue of readDialogues(join(import.meta.dirname, 'dialogues'))) {
  test(`relay dialogue ${dialogue.name}`, async () => {
    await using relay = await relayFor(dialogue);
    const implicit = dialogue.settings['flags']?.includes('-t') === true;
    const client = await lineClient(relay.relay.port, { tls: implicit });
    try {
      await playDialogue(dialogue, client, directivesFor(relay, client));
      assert.deepEqual(relay.aws.violations, []);
    } finally {
      client.close();
    }
  });
}
