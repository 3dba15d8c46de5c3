import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { jsonAnswer, takesGzip } from './compress.ts';

it('compresses large answers for who takes that, and says so', async () => {
  const json = { text: 'a list of mail '.repeat(1000) };
  const small = await jsonAnswer(json, 'br, gzip;q=0.8');
  const octets = Buffer.from(await small.arrayBuffer());
  assert.equal(small.headers.get('content-encoding'), 'gzip');
  assert.ok(octets.length < 2000);
  assert.deepEqual(JSON.parse(gunzipSync(octets).toString()), json);
  const plain = await jsonAnswer(json, undefined);
  assert.equal(plain.headers.get('content-encoding'), null);
  assert.deepEqual(await plain.json(), json);
  assert.equal((await jsonAnswer({ a: 1 }, 'gzip')).headers.get('content-encoding'), null);
});

it('does not compress for who refuses it', () => {
  assert.equal(takesGzip('gzip;q=0, identity'), false);
  assert.equal(takesGzip('x-gzip-like'), false);
  assert.equal(takesGzip('deflate, GZIP'), true);
});
