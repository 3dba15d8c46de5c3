import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pictureQueue } from './pictures.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('pictures leave connections for the rest of the pages, and come in their turn', async () => {
  const asked: { url: string; answer: (response: Response) => void; fail: (error: Error) => void }[] = [];
  const show = pictureQueue(
    ({ url }) => new Promise((answer, fail) => asked.push({ url: url.slice(-1), answer, fail })),
  );
  const gone = new AbortController();
  const wanted = (n: number, signal?: AbortSignal): Promise<Response> =>
    show(new Request(`https://mail.example.test/account/v1/image?url=${n}`, signal && { signal }));
  const all = [wanted(1), wanted(2), wanted(3), wanted(4, gone.signal), wanted(5), wanted(6)];
  const [first, second, , fourth, fifth] = all.map((each) => each.then(({ status }) => status));
  const refused = [assert.rejects(second ?? assert.fail()), assert.rejects(fourth ?? assert.fail())];
  await turn();
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['1', '2', '3'],
    'three of six',
  );
  // Somebody goes to another message; then one is answered, and one fails.
  gone.abort();
  asked[0]?.answer(new Response('', { status: 200 }));
  asked[1]?.fail(new Error('broken off'));
  assert.equal(await first, 200);
  await Promise.all(refused);
  await turn();
  assert.deepEqual(
    asked.map(({ url }) => url),
    ['1', '2', '3', '5', '6'],
    'what nobody waits for is left out',
  );
  asked[3]?.answer(new Response('', { status: 404 }));
  assert.equal(await fifth, 404);
});
