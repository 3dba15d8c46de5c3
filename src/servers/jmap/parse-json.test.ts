import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { JMAP_LIMITS } from './limits.ts';
import { parseJson } from './parse-json.ts';

/** Text that is too long for the engine to be asked. */
const PAD = ' '.repeat(70_000);

function outcome(parse: () => unknown): unknown {
  try {
    return parse();
  } catch (error) {
    assert.ok(error instanceof SyntaxError);
    return 'no JSON';
  }
}

async function both(text: string): Promise<void> {
  const wanted = outcome(() => JSON.parse(text));
  for (const padded of [text, PAD + text, text + PAD]) {
    const got = await parseJson(padded).catch((error: unknown) => {
      assert.ok(error instanceof SyntaxError, String(error));
      return 'no JSON';
    });
    assert.deepEqual(got, wanted, text.slice(0, 200));
  }
}

describe('JSON of requests', () => {
  it('has no name twice in one object, however it is written', async () => {
    for (const text of ['{"a":1,"a":2}', '{"x":[{"b":1,"\\u0062":1}]}', '{"__proto__":1,"__proto__":2}'])
      await assert.rejects(parseJson(text), SyntaxError, text);
    assert.deepEqual(await parseJson('[{"a":1},{"a":2}]'), [{ a: 1 }, { a: 2 }]);
  });

  it('has long strings with whatever in them, wherever they are cut, and others have their turn meanwhile', async () => {
    for (const unit of ['x', '\\\\', '\\"', '\\u00e9', '\u00e9\\n', '\ud83d\ude00', '\\ud83d\\ude00'])
      for (const before of ['', 'a', 'ab', 'abc', 'abcd', 'abcde']) {
        const string = `"${before}${unit.repeat(300_000 / unit.length)}"`;
        const text = `{"a":${string},${string}: 1}`;
        let turns = 0;
        let over = false;
        const others = (async () => {
          for (; !over; turns++) await new Promise((resolve) => setImmediate(resolve));
        })();
        const got = await parseJson(text);
        over = true;
        await others;
        assert.ok(turns >= 4, `${turns} turns`);
        assert.ok(JSON.stringify(got) === JSON.stringify(JSON.parse(text)), before + unit);
      }
    for (const bad of ['', '\\', '\\x"', '\\u00e', '\n"', '\\\\\\"'])
      await assert.rejects(parseJson(`"${'x'.repeat(300_000)}${bad}`), SyntaxError, bad);
  });

  it('passes over much white space with turns for others', async () => {
    let turns = 0;
    let over = false;
    const others = (async () => {
      for (; !over; turns++) await new Promise((resolve) => setImmediate(resolve));
    })();
    assert.deepEqual(await parseJson(`{"a"${' '.repeat(400_000)}:1}`), { a: 1 });
    over = true;
    await others;
    assert.ok(turns >= 4, `${turns} turns`);
  });

  it('is what the engine says it is', async () => {
    for (const text of [
      '1',
      '-0.5e+3',
      '"x"',
      '"a\\"b\\\\"',
      '"\\u00e9\\n"',
      'true',
      'null',
      '[]',
      '{}',
      ' [ 1 , [ ] , { "a" : [ null , false ] , "b" : "]}" } ] ',
      '{"__proto__":{"x":1},"constructor":2}',
      '',
      '[',
      '{',
      '[1,]',
      '[,1]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      '{a:1}',
      '[1 2]',
      '1 2',
      '01',
      '+1',
      '1.',
      '.5',
      'NaN',
      'truex',
      "'x'",
      '"a\nb"',
      '"\\x"',
      '"open',
      '"open\\"',
      ']',
      '[}',
      '{]',
      '\u00a01',
    ])
      await both(text);
  });

  it('whatever is changed in it', async () => {
    const text = JSON.stringify({
      using: ['a', 'b'],
      calls: [['Email/get', { ids: ['M1'], n: [1.5, -2e9, null] }, '0']],
    });
    for (let at = 0; at < text.length; at++) {
      await both(text.slice(0, at) + text.slice(at + 1));
      await both(`${text.slice(0, at)},${text.slice(at)}`);
      await both(`${text.slice(0, at)}"${text.slice(at)}`);
    }
  });

  it('has no more values, nor names in one object, than anybody needs', async () => {
    const { valuesInRequest, namesInObject } = JMAP_LIMITS;
    const names = (n: number): string => `{${Array.from({ length: n }, (_, i) => `"n${i}":0`).join()}}`;
    const list = (n: number): string => `[${'0,'.repeat(n - 1)}0]`;
    await parseJson(names(namesInObject));
    await parseJson(list(valuesInRequest - 1));
    for (const text of [names(namesInObject + 1), list(valuesInRequest), `[${'[],'.repeat(3_000_000)}0]`])
      await assert.rejects(parseJson(text), { type: 'limit', limit: 'maxSizeRequest', status: 413 });
  });

  it('is not nested without end', async () => {
    await parseJson('['.repeat(200) + ']'.repeat(200));
    await assert.rejects(parseJson('['.repeat(201) + ']'.repeat(201)), SyntaxError);
    await assert.rejects(parseJson('['.repeat(5_000_000)), SyntaxError);
    await assert.rejects(parseJson(`${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`), SyntaxError);
  });

  it('leaves others their turn, however much of it there is', async () => {
    const many = `[${`"${'x'.repeat(40)}\\n",`.repeat(200_000)}0]`;
    let turns = 0;
    let over = false;
    const others = (async () => {
      while (!over) {
        await new Promise((resolve) => setImmediate(resolve));
        turns++;
      }
    })();
    const value = (await parseJson(many)) as unknown[];
    over = true;
    await others;
    assert.equal(value.length, 200_001);
    assert.ok(turns > 100, `${turns} turns`);
  });
});
