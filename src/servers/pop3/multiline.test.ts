import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DotStuffer } from './multiline.ts';

/** What a client makes of a multi-line response (RFC 1939 section 3). */
function unstuffed(response: string): string {
  // A client that takes LF for the end of a line sees the same.
  const lines = response.split('\r\n');
  assert.deepEqual(
    response.split('\n').map((line) => line.replace(/\r$/, '')),
    lines,
  );
  const end = lines.indexOf('.');
  assert.equal(end, lines.length - 2, `the end is not where it should be: ${JSON.stringify(response)}`);
  return lines
    .slice(0, end)
    .map((line) => (line.startsWith('.') ? line.slice(1) : line))
    .join('\r\n');
}

function stuffed(text: string, cuts: readonly number[], bodyLines?: number): string {
  const stuffer = new DotStuffer(bodyLines);
  const octets = Buffer.from(text, 'latin1');
  const out: Buffer[] = [];
  let from = 0;
  for (const cut of [...cuts.filter((at) => at < octets.length).toSorted((a, b) => a - b), octets.length]) {
    out.push(...stuffer.push(octets.subarray(from, cut)));
    from = cut;
  }
  return Buffer.concat(out).toString('latin1') + stuffer.end();
}

/** What is told of a text: its lines end in CRLF. */
function inLines(text: string): string {
  return text.replaceAll(/\r?\n/g, '\r\n');
}

const texts = fc
  .array(fc.constantFrom('a', '.', '..', '\r\n', '\r\n.', '\r\n\r\n', '\r', '\n', 'word', ' '), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''));
const cuts = fc.array(fc.nat(120), { maxLength: 12 });

test('a message is what the client had read out of it, wherever the pieces are cut', () => {
  fc.assert(
    fc.property(texts, cuts, (text, at) => {
      const told = inLines(text);
      const ended = told === '' || told.endsWith('\r\n') ? told : `${told}\r\n`;
      assert.equal(`${unstuffed(stuffed(text, at))}${ended === '' ? '' : '\r\n'}`, ended);
    }),
    { numRuns: 2000 },
  );
});

test('TOP gives the header, the empty line and so many lines', () => {
  fc.assert(
    fc.property(texts, texts, cuts, fc.nat(6), (header, rest, at, lines) => {
      const body = inLines(rest);
      const clean = inLines(header)
        .replaceAll(/(\r\n)+/g, '\r\n')
        .replace(/^[\r\n]+|[\r\n]+$/g, '');
      if (clean === '' || clean.includes('\r\n\r\n')) return;
      const text = `${clean}\r\n\r\n${rest}`;
      const wanted = [clean, '', ...body.split('\r\n').slice(0, lines)].join('\r\n');
      assert.equal(
        unstuffed(stuffed(text, at, lines)).replace(/(\r\n)+$/, ''),
        wanted.replace(/(\r\n)+$/, ''),
      );
    }),
    { numRuns: 2000 },
  );
});
