import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parsedProperties } from './large.ts';
import { emailWish, messageProperties, PARSE_PROPERTIES } from './properties.ts';
import { octetSource } from './source.ts';

it('a large message is read beside the event loop, and tells what a small one would', async () => {
  const part = `--b\r\nContent-Type: text/plain\r\n\r\n${'A line of text.\r\n'.repeat(2000)}\r\n`;
  const octets = Buffer.from(
    `From: a@else.test\r\nSubject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n${part.repeat(200)}--b--\r\n`,
  );
  const wish = () => emailWish({ fetchTextBodyValues: true, maxBodyValueBytes: 100 }, PARSE_PROPERTIES);
  let turns = 0;
  let over = false;
  const others = (async () => {
    while (!over) {
      await new Promise((resolve) => setImmediate(resolve));
      turns++;
    }
  })();
  const asked = wish();
  const told = await parsedProperties(octets, 'U1', asked);
  over = true;
  await others;
  const mine = wish();
  assert.deepEqual(told, await messageProperties(octetSource(octets, 'U1'), mine, undefined));
  assert.equal(told['subject'], 'large');
  assert.equal(asked.left, mine.left, 'what was read counts');
  assert.ok(turns > 5, `${turns} turns`);
});
