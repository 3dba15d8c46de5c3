import assert from 'node:assert/strict';
import { it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { jsonAnswer } from './compress.ts';
import type { Json, JsonObject } from './json.ts';
import { jsonOctets, jsonPieces } from './json-pieces.ts';

const LONG = `${'"\\\u0001'.repeat(30_000)}\u{1f600}`;
const LARGE: Record<string, Json> = {
  numbers: Array.from({ length: 60_000 }, (_, i) => i),
  'a string': [`${'\u{1f600}'.repeat(100_000)}`, `x${'\u{1f600}'.repeat(100_000)}`, LONG.repeat(3), '\ud800'],
  'an object': Object.fromEntries(Array.from({ length: 9000 }, (_, i) => [`a"${i}`, { b: [i, null, true] }])),
  'large ones among small ones': [
    1,
    'x'.repeat(200_000),
    2,
    ['y'.repeat(200_000)],
    {},
    { z: LONG.repeat(4) },
    3,
  ],
  names: JSON.parse(`{"__proto__":{"x":1},"constructor":2,"text":"${'x'.repeat(200_000)}"}`) as Json,
  nothing: [],
};

it('an answer in pieces is the text that it is at once', async () => {
  for (const value of [...Object.values(LARGE), LARGE, { a: undefined, b: [LARGE, undefined as never] }]) {
    const pieces: Buffer[] = [];
    for await (const piece of jsonPieces(value as Json)) pieces.push(piece);
    assert.ok(
      Buffer.concat(pieces).toString() === JSON.stringify(value),
      JSON.stringify(value).slice(0, 100),
    );
    for (const piece of pieces) assert.ok(piece.length < 2_000_000, `${piece.length}`);
  }
  assert.equal((await jsonOctets({ a: 1 })).toString(), '{"a":1}');
});

it('a large answer is written with turns for others, and reads the same compressed', async () => {
  const json: JsonObject = { list: Array.from({ length: 100 }, () => LONG) };
  for (const accepted of [undefined, 'gzip']) {
    let turns = 0;
    let over = false;
    const others = (async () => {
      for (; !over; turns++) await new Promise((resolve) => setImmediate(resolve));
    })();
    const octets = Buffer.from(await (await jsonAnswer(json, accepted)).arrayBuffer());
    over = true;
    await others;
    assert.ok(turns > 20, `${turns} turns`);
    assert.deepEqual(JSON.parse(String(accepted === undefined ? octets : gunzipSync(octets))), json);
  }
});

it('an answer that nobody reads to its end goes away quietly', async () => {
  for (const accepted of [undefined, 'gzip']) {
    const { body } = await jsonAnswer({ list: Array.from({ length: 300 }, () => LONG) }, accepted);
    assert.ok(body);
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
  }
  await new Promise((resolve) => setImmediate(resolve));
});
