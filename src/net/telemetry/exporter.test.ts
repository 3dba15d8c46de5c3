import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, it } from 'node:test';
import { testClock } from '../../../test/support/clock.ts';
import { createLogger } from '../../base/log.ts';
import { createExporter } from './exporter.ts';
import type { EndedSpan } from './tracer.ts';

const span: EndedSpan = {
  context: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) },
  parentId: undefined,
  name: 'x',
  kind: 'internal',
  startedAt: 1n,
  endedAt: 2n,
  attributes: new Map<string, string | number | boolean>([
    ['whole', 3],
    ['part', 0.5],
    ['yes', true],
  ]),
  failure: undefined,
};

const server = createServer((request, response) => {
  let body = '';
  request.on('data', (piece: Buffer) => void (body += piece.toString()));
  request.on('end', () => {
    requests.push(body);
    response.writeHead(status).end();
  });
});
const requests: string[] = [];
let status = 503;
before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
after(() => server.close());

it('what a collector does not take waits, is tried again, and is dropped and counted; told of once', async () => {
  const clock = testClock();
  const lines: { level: string; msg: string }[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as { level: string; msg: string });
  const counts = { sent: 0, dropped: 0 };
  const exporter = createExporter({
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/traces`),
    headers: {},
    resource: { 'service.name': 'postern' },
    version: '1',
    clock,
    logger: createLogger({ level: 'debug', pretty: false, write }),
    count: (outcome, count) => (counts[outcome] += count),
  });
  // The answer of the collector comes by the real network.
  clock.settleWith(async () => {
    for (let i = 0, seen = -1; i < 200 && (seen !== requests.length || i < 5); i++) {
      seen = requests.length;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  });
  for (let i = 0; i < 5000; i++) exporter.add(span);
  assert.equal(counts.dropped, 5000 - 4096, 'no more than so many wait');
  await clock.advance(120_000);
  assert.ok(requests.length >= 3 && requests.length < 20, `${requests.length} requests`);
  assert.ok(counts.dropped > 5000 - 4096, 'a batch is given up');
  assert.equal(counts.sent, 0);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn'],
  );
  status = 200;
  await clock.advance(600_000);
  assert.equal(counts.sent + counts.dropped, 5000);
  assert.ok(counts.sent > 3000);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ['warn', 'info'],
  );
  const told = JSON.parse(requests.at(-1) ?? '').resourceSpans[0].scopeSpans[0].spans[0];
  assert.deepEqual(told.attributes, [
    { key: 'whole', value: { intValue: '3' } },
    { key: 'part', value: { doubleValue: 0.5 } },
    { key: 'yes', value: { boolValue: true } },
  ]);
  await exporter.stop();
  exporter.add(span);
  assert.equal(counts.dropped + counts.sent, 5001, 'nothing is kept when it has ended');
});
