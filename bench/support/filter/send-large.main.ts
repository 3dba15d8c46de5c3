/** A process that sends large messages one after the other: `PORT TO OCTETS COUNT KEYFILE`. Apart from the one that measures, so that it delays nobody. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.ts';
import { ProxiedClient } from './client.ts';
import { largeLetter } from './mail.ts';

const [port = '', to = '', octets = '', count = '', keyFile = ''] = process.argv.slice(2);
const privatePem = readFileSync(keyFile, 'latin1');
const random = randomBytes(2 ** 20).toString('base64');
const key = { algorithm: 'rsa-sha256', privatePem, publicKeyBase64: '' } as const;
const nowMs = systemClock.now();
const letter = await largeLetter(Number(octets), random, `${nowMs}.large`, {
  key,
  signed: 1,
  count: 1,
  nowMs,
});

process.send?.('ready');
await new Promise((resolve) => process.once('message', resolve));
const client = await ProxiedClient.open(Number(port), '198.51.100.77');
for (let n = 0; n < Number(count); n++) await client.send(to, letter);
client.close();
process.disconnect();
