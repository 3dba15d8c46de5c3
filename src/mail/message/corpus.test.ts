import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { displayAddresses } from './addresses.ts';
import { parseDate } from './dates.ts';
import { decodeTextBody } from './decode.ts';
import { readHeader } from './headers.ts';
import { renderBody, renderEnvelope } from './imap-text.ts';
import { rawParameter } from './params.ts';
import { recodeTo7bit } from './recode.ts';
import { MessageScanner, scanMessage } from './scanner.ts';
import { parseStructure, serializeStructure } from './serialize.ts';
import { eachPart, type Part } from './structure.ts';
import { baseSubject } from './subject.ts';
import { decodeWords } from './words.ts';

const shared = process.env.POSTERN_CORPUS ?? join(import.meta.dirname, '../../../../shared');
const archives = ['mail.tar.xz', 'mime.tar.xz'].map((name) => join(shared, 'corpus', name));
const missing = archives.every(existsSync) ? false : 'the mail corpus is not there (POSTERN_CORPUS)';

/** The message again from the pieces that the structure names. */
function reassemble(message: Buffer, part: Part): Buffer[] {
  const pieces = [message.subarray(part.headerStart, part.bodyStart)];
  let pos = part.bodyStart;
  for (const child of part.children) {
    assert.ok(child.headerStart >= pos, 'parts do not overlap');
    pieces.push(message.subarray(pos, child.headerStart), ...reassemble(message, child));
    pos = child.bodyEnd;
  }
  assert.ok(pos <= part.bodyEnd, 'parts stay inside');
  pieces.push(message.subarray(pos, part.bodyEnd));
  return pieces;
}

/** Reads all there is to read, as the server and a mail program would. */
function readAll(message: Buffer): void {
  const structure = scanMessage(message);
  const scanner = new MessageScanner();
  for (let pos = 0; pos < message.length; pos += 1009) scanner.push(message.subarray(pos, pos + 1009));
  assert.deepEqual(scanner.end(), structure);
  assert.ok(Buffer.concat(reassemble(message, structure.root)).equals(message));
  assert.deepEqual(parseStructure(serializeStructure(structure)), { ...structure, fields: [] });
  const header = message.subarray(0, structure.root.bodyStart);
  renderEnvelope(structure, header);
  renderBody(structure, true);
  const fields = readHeader(header);
  displayAddresses(fields.all('to').join(','));
  parseDate(fields.first('date') ?? '');
  baseSubject(decodeWords(fields.last('subject') ?? ''));
  for (const part of eachPart(structure.root)) {
    const body = message.subarray(part.bodyStart, part.bodyEnd);
    if (part.type === 'text') decodeTextBody(body, part.encoding, rawParameter(part.params, 'charset') ?? '');
  }
  const recoded = recodeTo7bit(message);
  if (recoded.kind === 'recoded') assert.equal(scanMessage(recoded.message).eightBitBody, false);
}

/** The message with a few octets dropped, doubled or replaced, the same ones at every run. */
function mutate(message: Buffer, seed: number): Buffer {
  let state = seed;
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return below === 0 ? 0 : (state >>> 8) % below;
  };
  const inserts = [
    '',
    '\r\n',
    '\n\n',
    '--',
    '\0',
    '"',
    ';',
    '(',
    '\xff',
    '=?',
    'Content-Type: message/rfc822\r\n\r\n',
  ];
  let result = message;
  for (let i = 0; i < 5; i++) {
    const at = next(result.length);
    const insert = Buffer.from(inserts[next(inserts.length)] ?? '', 'latin1');
    const from = at + (next(2) === 0 ? 0 : next(20));
    result = Buffer.concat([result.subarray(0, at), insert, result.subarray(from)]);
  }
  return result;
}

test('every message of the corpus', { skip: missing }, () => {
  const dir = mkdtempSync(join(tmpdir(), 'postern-corpus-'));
  try {
    for (const archive of archives) execFileSync('tar', ['-xJf', archive, '-C', dir]);
    let count = 0;
    let dated = 0;
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const raw = readFileSync(join(entry.parentPath, entry.name)).toString('latin1');
      const mail = raw.startsWith('From ') ? raw.slice(raw.indexOf('\n') + 1) : raw;
      readAll(Buffer.from(mail, 'latin1'));
      const crlf = Buffer.from(mail.replace(/\r?\n/g, '\r\n'), 'latin1');
      readAll(crlf);
      if (entry.parentPath.includes('mime')) {
        for (let seed = 1; seed <= 5; seed++) readAll(mutate(crlf, seed * 7919 + count));
      }
      if (parseDate(readHeader(crlf).first('date') ?? '')) dated++;
      count++;
    }
    assert.ok(count > 4000, `${count} messages`);
    assert.ok(dated > 0.94 * 4200, `${dated} dates understood`);
  } finally {
    rmSync(dir, { recursive: true });
  }
});
