import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { scanMessage } from '../message/scanner.ts';
import { sieveFields, sieveMessage } from './message.ts';

const MESSAGE = Buffer.from(
  [
    'X-Mixed-Case : one\r\n two ',
    'Subject: s\xfc\xdf',
    'not a field',
    'Content-Type: multipart/mixed; boundary=b',
    '',
    '--b',
    'Content-Type: text/plain; charset=iso-8859-1',
    '',
    'gr\xfc\xdfe',
    '--b',
    'Content-Type: image/png',
    'Content-Transfer-Encoding: base64',
    '',
    'AAECAw==',
    '--b--',
    '',
  ].join('\r\n'),
  'latin1',
);

describe('a message for scripts', () => {
  it('has its fields as they are written, unfolded', () => {
    assert.deepEqual(sieveFields(MESSAGE), [
      { name: 'X-Mixed-Case', value: 'one two' },
      { name: 'Subject', value: 's\xfc\xdf' },
      { name: 'Content-Type', value: 'multipart/mixed; boundary=b' },
    ]);
  });

  it('reads bodies and the headers of parts only when somebody asks', async () => {
    const asked: [number, number][] = [];
    const structure = scanMessage(MESSAGE);
    const header = MESSAGE.subarray(0, structure.root.bodyStart);
    const read = (start: number, end: number): Buffer => {
      asked.push([start, end]);
      return MESSAGE.subarray(start, end);
    };
    const { root, size } = await sieveMessage(structure, read, header);
    assert.equal(size, MESSAGE.length);
    assert.deepEqual(asked, []);
    const [text, image] = root.children;
    assert.equal(text?.fields.length, 0);
    await text?.load?.();
    await text?.load?.();
    assert.equal(asked.length, 1);
    assert.equal(text?.fields[0]?.value, 'text/plain; charset=iso-8859-1');
    assert.equal(await text?.text(100), 'grüße');
    assert.equal(await text?.text(2), 'gr');
    assert.deepEqual(await image?.octets(100), Buffer.from([0, 1, 2, 3]));
    assert.deepEqual(await image?.octets(2), Buffer.from([0, 1]));
    assert.deepEqual(await image?.raw(4), Buffer.from('AAEC'));
    assert.equal(await root.text(100), '');
  });

  it('reads a large body in pieces, and no more of it than is asked for', async () => {
    const body = Buffer.alloc(1_000_000, 'x');
    const message = Buffer.concat([Buffer.from('Subject: large\r\n\r\n'), body]);
    let largest = 0;
    let sum = 0;
    const { root } = await sieveMessage(scanMessage(message), (start, end) => {
      largest = Math.max(largest, end - start);
      sum += end - start;
      return message.subarray(start, end);
    });
    sum = 0;
    assert.equal((await root.text(1000)).length, 1000);
    assert.ok(sum <= 128 * 1024 && largest <= 64 * 1024);
  });
});
