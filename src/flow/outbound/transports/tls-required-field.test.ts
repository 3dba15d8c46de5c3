import assert from 'node:assert/strict';
import { it } from 'node:test';
import { waivesTls } from './tls-required-field.ts';

function waives(text: string, piece = 5, read: { octets: number } = { octets: 0 }): Promise<boolean> {
  return waivesTls({
    size: text.length,
    async *open() {
      for (let at = 0; at < text.length; at += piece) {
        read.octets = at + piece;
        yield Buffer.from(text.slice(at, at + piece), 'latin1');
      }
    },
  });
}

it('"No" in the header, whatever its case, folding and pieces', async () => {
  for (const field of ['TLS-Required: No', 'tls-required:no', 'TLS-Required:\r\n No ', 'Tls-Required: NO'])
    for (const piece of [1, 2, 3, 7, 1000])
      assert.equal(
        await waives(`A: b\r\n${field}\r\nC: d\r\n\r\nbody\r\n`, piece),
        true,
        `${field} ${piece}`,
      );
});

it('nothing else, twice, or in the body', async () => {
  for (const text of [
    'A: b\r\n\r\nTLS-Required: No\r\n',
    'TLS-Required: Yes\r\n\r\n',
    'TLS-Required: No, really\r\n\r\n',
    'TLS-Required: No\r\nTLS-Required: No\r\n\r\n',
    'TLS-Required: No\r\nTLS-Required: Yes\r\n\r\n',
    'X: y\r\n TLS-Required: No\r\n\r\n',
    '',
  ])
    assert.equal(await waives(text), false, text);
});

it('reads no further than the header, and no more than that may be long', async () => {
  const read = { octets: 0 };
  await waives(`A: b\r\n\r\n${'x'.repeat(1_000_000)}`, 1000, read);
  assert.equal(read.octets, 1000);
  await waives(`A: ${'b'.repeat(2_000_000)}`, 1000, read);
  assert.ok(read.octets < 400_000);
});
