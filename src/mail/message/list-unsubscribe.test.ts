import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { unsubscribeWays } from './list-unsubscribe.ts';

const B = Buffer.alloc(64, 7).toString('base64');
const PASS = [
  {
    method: 'dkim',
    result: 'pass',
    properties: [
      ['header.d', 'list.example'],
      ['header.s', 'sel'],
      ['header.b', B.slice(0, 8)],
    ] as const,
  },
];

function signature(h: string, d = 'list.example'): string {
  const bh = Buffer.alloc(32, 1).toString('base64');
  return `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${d}; s=sel; h=${h}; bh=${bh}; b=${B}\r\n`;
}

const COVERED = 'from:list-unsubscribe:list-unsubscribe-post';
const LINKS =
  'List-Unsubscribe: <mailto:leave@list.example?subject=out%20id1>,\r\n <https://list.example/u?x=1>\r\n';
const POST = 'List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n';
const FROM = 'From: a@list.example\r\n';
const ways = (header: string, results: Parameters<typeof unsubscribeWays>[1] = PASS) =>
  unsubscribeWays(Buffer.from(`${header}\r\n`), results);
const kinds = (header: string, results = PASS) =>
  ways(header, results as typeof PASS).map(({ kind }) => kind);

describe('ways to leave a list', () => {
  it('one click where a signature that holds covers both fields', () => {
    const found = ways(signature(COVERED) + FROM + LINKS + POST);
    assert.deepEqual(found, [
      { kind: 'one-click', url: 'https://list.example/u?x=1' },
      { kind: 'mail', to: 'leave@list.example', subject: 'out id1', body: 'unsubscribe' },
    ]);
  });

  it('no click without a signature, one that fails, covers less, or is somebody else’s', () => {
    const rest = FROM + LINKS + POST;
    const none = ['mail', 'page'];
    assert.deepEqual(kinds(rest), none);
    assert.deepEqual(kinds(signature(COVERED) + rest, []), none);
    const failed = PASS.map((each) => ({ ...each, result: 'fail' }));
    assert.deepEqual(kinds(signature(COVERED) + rest, failed), none);
    assert.deepEqual(kinds(signature('from:list-unsubscribe') + rest), none);
    assert.deepEqual(kinds(signature(COVERED, 'evil.example') + rest), none);
  });

  it('no click without the field that asks for it, over http, or where a field is there twice', () => {
    assert.deepEqual(kinds(signature(COVERED) + FROM + LINKS), ['mail', 'page']);
    const plain = 'List-Unsubscribe: <http://list.example/u>\r\n';
    assert.deepEqual(kinds(signature(COVERED) + FROM + plain + POST), ['page']);
    assert.deepEqual(kinds(signature(COVERED) + FROM + LINKS + POST + POST), ['mail', 'page']);
    assert.deepEqual(kinds(signature(COVERED) + FROM + LINKS + LINKS + POST), []);
  });

  it('takes nothing that is no such link, and no line end into a header', () => {
    assert.deepEqual(
      ways(`${FROM}List-Unsubscribe: <javascript:alert(1)>, <ftp://x.example/>, nonsense\r\n`),
      [],
    );
    const [way] = ways(`${FROM}List-Unsubscribe: <mailto:a@b.example?subject=x%0d%0aBcc:%20c@d.example>\r\n`);
    assert.ok(way?.kind === 'mail');
    assert.equal(way.subject, 'x Bcc: c@d.example');
    assert.deepEqual(ways(`${FROM}List-Unsubscribe: <mailto:nobody>\r\n`), []);
  });
});
