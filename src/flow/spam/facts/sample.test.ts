import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scanMessage } from '../../../mail/message/scanner.ts';
import { extractFacts } from './extract.ts';
import { base64Lines, message, withFiles, zip } from './fixtures.ts';
import { factLimits } from './limits.ts';
import { type Sample, sampleOf, sampleOfBuffer } from './sample.ts';

function sizeOf(sample: Sample): number {
  const parts = sample.parts.reduce((sum, { head, tail }) => sum + head.length + (tail?.length ?? 0), 0);
  return sample.header.length + sample.structure.length + parts;
}

test('a sample of a file read in places is that of the message in memory', async () => {
  const octets = withFiles([
    {
      name: 'a.zip',
      type: 'application/zip',
      octets: zip(Array.from({ length: 3000 }, (_, i) => ({ name: `file-${i}.txt` }))),
    },
    {
      name: 'b.pdf',
      type: 'application/pdf',
      octets: Buffer.concat([Buffer.from('%PDF-1.4'), Buffer.alloc(500_000, 65)]),
    },
  ]);
  const structure = scanMessage(octets);
  const reads: number[] = [];
  const sample = await sampleOf(
    structure,
    octets.subarray(0, structure.root.bodyStart),
    async (start, end) => {
      reads.push(end - start);
      return octets.subarray(start, end);
    },
  );
  assert.deepEqual(sample, sampleOfBuffer(octets));
  assert.ok(reads.reduce((sum, one) => sum + one, 0) <= factLimits.sampleBytes);
  assert.deepEqual(extractFacts(structuredClone(sample)), extractFacts(sample));
});

test('a message of 50 MB is never read whole', async () => {
  const size = 50 * 1024 * 1024;
  const head = message({
    header: ['Content-Type: application/zip; name=x.zip', 'Content-Transfer-Encoding: base64'],
    body: '',
  });
  const structure = scanMessage(Buffer.concat([head, Buffer.from('UEsDBA==')]));
  structure.root.bodyEnd = size;
  structure.size = size;
  let read = 0;
  const sample = await sampleOf(structure, head, (start, end) => {
    read += end - start;
    return Buffer.alloc(end - start, 65);
  });
  assert.ok(read <= factLimits.sampleBytes);
  assert.ok(sample.parts[0]?.tail !== undefined, 'the end of an archive is read too');
  assert.equal(sample.parts[0]?.size, size - structure.root.bodyStart);
});

test('a sample stays below 512 KiB whatever the message is made of', () => {
  const part = (i: number): string =>
    `--b\r\nContent-Type: text/plain; charset="${'x'.repeat(900)}"; name="${'n'.repeat(900)}${i}"\r\nContent-ID: <${'i'.repeat(900)}>\r\n\r\n${'word '.repeat(400)}\r\n`;
  const many = Array.from({ length: 990 }, (_, i) => part(i)).join('');
  const header = ['Content-Type: multipart/mixed; boundary=b', `X-Long: ${'y'.repeat(200_000)}`];
  const octets = message({ header, body: `${many}--b--\r\n` });
  const sample = sampleOfBuffer(octets);
  assert.ok(sizeOf(sample) <= factLimits.sampleBytes, String(sizeOf(sample)));
  const facts = extractFacts(sample);
  assert.ok(facts.parts.length >= 50 && facts.parts.length <= factLimits.parts);
  assert.match(facts.text, /^word word/);
});

test('decoys in front do not keep the archive behind them from being read', () => {
  const decoy = { name: 'decoy.zip', octets: Buffer.alloc(300_000, 1) };
  const large = zip([{ name: 'big.bin', data: Buffer.alloc(200_000) }, { name: 'run.exe' }]);
  const files = [
    decoy,
    decoy,
    decoy,
    decoy,
    decoy,
    { name: 'real.zip', type: 'application/zip', octets: large },
  ];
  const facts = extractFacts(sampleOfBuffer(withFiles(files)));
  const names = facts.attachments.at(-1)?.archive?.entries.map(({ name }) => name);
  assert.deepEqual(names, ['big.bin', 'run.exe']);
});

test('all octets of a sample are in one buffer, so that it can be handed over without copies', () => {
  const sample = sampleOfBuffer(withFiles([{ name: 'x.png', octets: Buffer.alloc(100) }]));
  const buffers = new Set([sample.header.buffer, ...sample.parts.map(({ head }) => head.buffer)]);
  assert.equal(buffers.size, 1);
  const [buffer] = buffers;
  assert.equal(
    buffer?.byteLength,
    sample.header.length + sample.parts.reduce((sum, { head }) => sum + head.length, 0),
  );
});

test('base64 lines of the fixture are what mailers write', () => {
  assert.match(base64Lines(Buffer.alloc(100)), /^A{76}\r\n/);
});
