import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { askAgain, fetchPatiently, Silence, SILENCE_MS, slowness } from './patience.ts';

type Answer = 'silence' | 'stall' | Response;

describe('patience with a server', () => {
  const real = globalThis.fetch;
  let answers: Answer[] = [];
  let asked = 0;
  beforeEach(() => {
    asked = 0;
    mock.timers.enable({ apis: ['setTimeout'] });
    globalThis.fetch = (_url, init) => {
      asked++;
      const answer = answers.shift() ?? 'silence';
      if (answer instanceof Response) return Promise.resolve(answer);
      const ends = (end: (error: unknown) => void): void =>
        init?.signal?.addEventListener('abort', () => end(new DOMException('aborted', 'AbortError')));
      if (answer === 'silence') return new Promise((_done, failed) => ends(failed));
      const body = new ReadableStream({
        start(controller) {
          controller.enqueue(new Uint8Array([1]));
          ends((error) => controller.error(error));
        },
      });
      return Promise.resolve(new Response(body));
    };
  });
  afterEach(() => {
    globalThis.fetch = real;
    mock.timers.reset();
  });
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise((done) => setImmediate(done));
  };
  const pass = async (ms: number): Promise<void> => {
    await turns();
    mock.timers.tick(ms);
    await turns();
  };

  it('asks again what may be asked twice, once', async () => {
    answers = ['silence', new Response('here')];
    const answer = fetchPatiently('/x', {}, { repeatable: true });
    await pass(SILENCE_MS + 1);
    assert.equal(await (await answer).text(), 'here');
    answers = [];
    asked = 0;
    const refused = assert.rejects(fetchPatiently('/x', {}, { repeatable: true }), Silence);
    await pass(SILENCE_MS + 1);
    await pass(SILENCE_MS + 1);
    await refused;
    assert.equal(asked, 2);
  });

  it('asks nothing twice that might be done twice', async () => {
    answers = [];
    const refused = assert.rejects(fetchPatiently('/x', { method: 'POST', body: '{}' }), Silence);
    await pass(SILENCE_MS + 1);
    await refused;
    assert.equal(asked, 1);
  });

  it('gives up an answer that stops in the middle', async () => {
    answers = ['stall'];
    const refused = assert.rejects(fetchPatiently('/x', {}), Silence);
    await pass(SILENCE_MS + 1);
    await refused;
  });

  it('tells that it takes long, and asks anew at once when told to', async () => {
    answers = ['silence', new Response('here')];
    const answer = fetchPatiently('/x', {}, { repeatable: true });
    await pass(7000);
    assert.equal(slowness.value, 'askable');
    askAgain();
    assert.equal(await (await answer).text(), 'here');
    assert.equal(slowness.value, 'none');
  });

  it('leaves a request that somebody ended alone', async () => {
    const ends = new AbortController();
    const refused = assert.rejects(
      fetchPatiently('/x', { signal: ends.signal }, { repeatable: true }),
      (error: unknown) => error instanceof DOMException && error.name === 'AbortError',
    );
    await turns();
    ends.abort();
    await refused;
    assert.equal(asked, 1);
  });
});
