import assert from 'node:assert/strict';
import { test } from 'node:test';
import { qrModules, qrSvg } from './qr.ts';

/** Reads a symbol back by the standard, without error correction: a reader of its own, for what `qr.ts` writes. */
function read(modules: readonly (readonly boolean[])[]): string {
  const size = modules.length;
  const version = (size - 17) / 4;
  const along = version === 1 ? 0 : Math.floor(version / 7) + 2;
  const step = along === 0 ? 0 : Math.ceil((version * 4 + 4) / (along * 2 - 2)) * 2;
  const centres = along === 0 ? [] : [6, ...Array.from({ length: along - 1 }, (_, i) => size - 7 - i * step)];
  const near = (x: number, y: number): boolean =>
    centres.some((cx) =>
      centres.some((cy) => {
        const finder =
          [cx, cy].every((c) => c === 6) || (cx === 6 && cy === size - 7) || (cx === size - 7 && cy === 6);
        return !finder && Math.abs(cx - x) <= 2 && Math.abs(cy - y) <= 2;
      }),
    );
  const reserved = (x: number, y: number): boolean =>
    x === 6 ||
    y === 6 ||
    (x < 9 && y < 9) ||
    (x < 9 && y >= size - 8) ||
    (x >= size - 8 && y < 9) ||
    (version >= 7 && ((x < 6 && y >= size - 11) || (y < 6 && x >= size - 11))) ||
    near(x, y);
  const bits: number[] = [];
  for (let right = size - 1, up = true; right > 0; right -= 2, up = !up) {
    if (right === 6) right = 5;
    for (let i = 0; i < size; i++) {
      const y = up ? size - 1 - i : i;
      for (const x of [right, right - 1])
        if (!reserved(x, y)) bits.push(Number(modules[y]?.[x] !== ((x + y) % 2 === 0)));
    }
  }
  const octet = (at: number): number => Number.parseInt(bits.slice(at, at + 8).join(''), 2);
  // One block: 4 bits of mode, 8 of length, the text.
  assert.deepEqual(bits.slice(0, 4), [0, 1, 0, 0]);
  const length = octet(4);
  return Buffer.from(Array.from({ length }, (_, i) => octet(12 + 8 * i))).toString('utf8');
}

test('what is written can be read, in the smallest version that has room', () => {
  for (const [length, version] of [
    [1, 1],
    [14, 1],
    [15, 2],
    [26, 2],
    [42, 3],
  ] as const) {
    const text = 'otpauth://totp/x?secret=ABCDEFGHIJKLMNOPQRSTUVWXYZ'.slice(0, length);
    const modules = qrModules(text);
    assert.equal(modules?.length, version * 4 + 17);
    assert.equal(read(modules ?? []), text);
  }
});

test('the format says level M and mask 0, at both places (ISO/IEC 18004 annex C)', () => {
  const modules = qrModules('x') ?? [];
  const size = modules.length;
  const at = (x: number, y: number): number => Number(modules[y]?.[x]);
  const first =
    [0, 1, 2, 3, 4, 5, 7].map((x) => at(x, 8)).join('') +
    [8, 7, 5, 4, 3, 2, 1, 0].map((y) => at(8, y)).join('');
  const second =
    [1, 2, 3, 4, 5, 6, 7].map((i) => at(8, size - i)).join('') +
    [8, 7, 6, 5, 4, 3, 2, 1].map((i) => at(size - i, 8)).join('');
  assert.deepEqual([first, second], ['101010000010010', '101010000010010']);
});

test('the picture is plain SVG; too long a text has none', () => {
  const svg = qrSvg('otpauth://totp/mail.example.test:alice?secret=ABC') ?? '';
  assert.match(
    svg,
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"[^>]*><rect [^>]*\/><path d="[Mhvz\d -]+" fill="#000"\/><\/svg>$/,
  );
  assert.equal(qrSvg('x'.repeat(700)), undefined);
  assert.ok(qrSvg('x'.repeat(660)));
});
