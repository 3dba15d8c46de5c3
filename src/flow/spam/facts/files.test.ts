import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { factsOf, PROGRAM, withFiles, zip } from './fixtures.ts';
import type { AttachmentFact } from './types.ts';

function file(name: string, octets: Buffer, type = 'application/octet-stream'): AttachmentFact {
  const found = factsOf(withFiles([{ name, octets, type }])).attachments[0];
  assert.ok(found !== undefined, name);
  return found;
}

const names = (fact: AttachmentFact): string[] | undefined => fact.archive?.entries.map(({ name }) => name);
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
const padded = (text: string, length = 600): Buffer => Buffer.concat([latin1(text), Buffer.alloc(length)]);

test('kinds by the first octets', () => {
  const kinds: readonly [string, string][] = [
    ['MZ\x90\0', 'pe'],
    ['\x7fELF', 'elf'],
    ['%PDF-1.7', 'pdf'],
    ['\x89PNG\r\n', 'png'],
    ['\xff\xd8\xff\xe0', 'jpeg'],
    ['GIF89a', 'gif'],
    ['\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'ole'],
    ['{\\rtf1', 'rtf'],
    ['L\0\0\0\x01\x14\x02\0', 'lnk'],
    ['\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d', 'onenote'],
  ];
  for (const [start, kind] of kinds) assert.equal(file('x', padded(start)).kind, kind, kind);
  assert.equal(file('x', latin1('<!DOCTYPE html><html>')).kind, 'html');
  assert.equal(file('x', latin1('\xef\xbb\xbf <html><head>')).kind, 'html');
  assert.equal(file('x', latin1('#!/bin/sh\n')).kind, 'script');
  assert.equal(file('x', latin1('just words\n')).kind, 'text');
  assert.equal(file('x', latin1('<svg xmlns="x"><script>1</script></svg>')).kind, 'svg');
  assert.equal(file('x', Buffer.from([1, 2, 3, 4, 200])).kind, undefined);
});

test('names in zip archives: directory, zip64, streamed in front, cut off, large', () => {
  const entries = [{ name: 'a.txt' }, { name: 'döc/b.exe', encrypted: true }];
  const plain = file('x.zip', zip(entries));
  assert.deepEqual(names(plain), ['a.txt', 'döc/b.exe']);
  assert.deepEqual([plain.archive?.complete, plain.archive?.encrypted, plain.encrypted], [true, true, true]);
  assert.deepEqual(names(file('x.zip', zip(entries, true))), ['a.txt', 'döc/b.exe']);
  assert.deepEqual(names(file('x.exe', Buffer.concat([latin1('PK00'), zip(entries)]))), [
    'a.txt',
    'döc/b.exe',
  ]);
  const whole = zip(entries);
  assert.deepEqual(
    names(file('x.zip', whole.subarray(0, whole.length - 90))),
    ['a.txt', 'döc/b.exe'],
    'local headers',
  );
  const large = zip([{ name: 'big.bin', data: Buffer.alloc(700_000, 7) }, { name: 'last.scr' }]);
  assert.deepEqual(names(file('x.zip', large)), ['big.bin', 'last.scr'], 'from the end alone');
  for (let extra = 0; extra < 5; extra++) {
    const odd = zip([{ name: 'big.bin', data: Buffer.alloc(200_000 + extra, 7) }, { name: 'last.scr' }]);
    assert.deepEqual(
      names(file('x.zip', odd)),
      ['big.bin', 'last.scr'],
      `cut in a group of base64: ${extra}`,
    );
  }
  const many = file('x.zip', zip(Array.from({ length: 1500 }, (_, i) => ({ name: `${i}.t` }))));
  assert.deepEqual(
    [many.archive?.entries.length, many.archive?.count, many.archive?.complete],
    [200, 1500, false],
  );
});

test('bombs: a claimed ratio, and files on top of each other', () => {
  assert.equal(file('x.zip', zip([{ name: 'zeros', claims: 4_000_000_000 }])).archive?.bomb, true);
  assert.equal(file('x.zip', zip([{ name: 'text', claims: 4000 }])).archive?.bomb, false);
  const overlapping = zip([{ name: 'a' }, { name: 'b' }]);
  const second = overlapping.lastIndexOf('PK\x01\x02', undefined, 'latin1');
  overlapping.writeUInt32LE(0, second + 42);
  assert.equal(file('x.zip', overlapping).archive?.bomb, true);
});

test('office documents: macros, old macro sheets, templates from elsewhere', () => {
  const ooxml = (...more: { name: string; data?: Buffer }[]): Buffer =>
    zip([{ name: '[Content_Types].xml' }, { name: '_rels/.rels' }, ...more]);
  assert.equal(file('x.docx', ooxml()).macros, undefined);
  assert.equal(file('x.docx', ooxml()).kind, 'ooxml');
  assert.equal(file('x.docm', ooxml({ name: 'word/vbaProject.bin' })).macros, 'vba');
  assert.equal(file('x.xlsm', ooxml({ name: 'xl/macrosheets/sheet1.xml' })).macros, 'xlm');
  const rels = 'Type="http://x/attachedTemplate" Target="https://evil.example/t.dotm"';
  assert.equal(
    file('x.docx', ooxml({ name: 'word/_rels/settings.xml.rels', data: latin1(rels) })).remoteTemplate,
    true,
  );
  const local = rels.replace('https://evil.example/', '');
  assert.equal(
    file('x.docx', ooxml({ name: 'word/_rels/settings.xml.rels', data: latin1(local) })).remoteTemplate,
    false,
  );
  const ole = (text: string): Buffer =>
    Buffer.concat([
      latin1('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
      Buffer.alloc(500),
      Buffer.from(text, 'utf16le'),
      Buffer.alloc(100),
    ]);
  assert.equal(file('x.doc', ole('_VBA_PROJECT')).macros, 'vba');
  assert.equal(file('x.doc', ole('WordDocument')).macros, undefined);
  assert.equal(file('x.xlsx', ole('EncryptedPackage')).encrypted, true);
  const sheet = latin1('\x85\0\x0e\0\0\0\0\0\x01\x01\x06\0Macro1');
  assert.equal(file('x.xls', Buffer.concat([ole('Workbook'), sheet, Buffer.alloc(50)])).macros, 'xlm');
  const wrong = latin1('\x85\0\x2e\0\0\0\0\0\x01\x01\x06\0Macro1');
  const alike = Buffer.concat([ole('Workbook'), wrong, Buffer.alloc(50)]);
  assert.equal(file('x.xls', alike).macros, undefined, 'octets that only resemble a sheet');
});

test('PDF, RTF, pages and drawings that do something', () => {
  assert.equal(file('x.pdf', latin1('%PDF-1.4 /OpenAction /JavaScript (x)')).activeContent, true);
  assert.equal(file('x.pdf', latin1('%PDF-1.4 /Pages')).activeContent, false);
  assert.equal(file('x.pdf', latin1('%PDF-1.4 trailer << /Encrypt 5 0 R')).encrypted, true);
  assert.equal(file('x.rtf', latin1('{\\rtf1 {\\object\\objdata 01}}')).activeContent, true);
  assert.equal(file('x.html', latin1('<html><script>1</script>')).activeContent, true);
  assert.equal(file('x.html', latin1('<html><p>hello')).activeContent, false);
});

test('tar, also in gzip, gzip names and sizes', () => {
  const header = Buffer.alloc(512);
  header.write('dir/run.exe');
  header.write('00000000005\0', 124);
  header.write('0', 156);
  header.write('ustar', 257);
  const tar = Buffer.concat([header, Buffer.alloc(512, 1), Buffer.alloc(1024)]);
  assert.deepEqual(names(file('x.tar', tar)), ['dir/run.exe']);
  assert.deepEqual(names(file('x.tgz', gzipSync(tar))), ['dir/run.exe']);
  assert.deepEqual(names(file('report.txt.gz', gzipSync(Buffer.from('words')))), ['report.txt']);
  const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024));
  assert.equal(file('x.gz', bomb).archive?.bomb, true);
});

test('RAR 4 and 5: names, passwords', () => {
  const block = (type: number, flags: number, body: Buffer, data = Buffer.alloc(0)): Buffer => {
    const head = Buffer.alloc(7);
    head[2] = type;
    head.writeUInt16LE(flags, 3);
    head.writeUInt16LE(7 + body.length, 5);
    return Buffer.concat([head, body, data]);
  };
  const entry = (name: string, flags: number): Buffer => {
    const body = Buffer.alloc(25);
    body.writeUInt32LE(4, 0);
    body.writeUInt32LE(9, 4);
    body.writeUInt16LE(name.length, 19);
    return block(0x74, 0x8000 | flags, Buffer.concat([body, latin1(name)]), Buffer.alloc(4));
  };
  const start = latin1('Rar!\x1a\x07\0');
  const archive = (flags: number): Buffer =>
    Buffer.concat([
      start,
      block(0x73, 0, Buffer.alloc(6)),
      entry('one.txt', 0),
      entry('two.exe', flags),
      block(0x7b, 0, Buffer.alloc(0)),
    ]);
  const open = file('x.rar', archive(0));
  assert.deepEqual(names(open), ['one.txt', 'two.exe']);
  assert.deepEqual([open.archive?.complete, open.encrypted], [true, false]);
  assert.equal(file('x.rar', archive(4)).encrypted, true);
  assert.equal(
    file('x.rar', Buffer.concat([start, block(0x73, 0x80, Buffer.alloc(6)), Buffer.alloc(50, 9)])).encrypted,
    true,
  );

  const five = latin1('Rar!\x1a\x07\x01\0');
  // CRC, size, type 2, flags (data follows), data size; then flags, size, attributes, compression, system, name.
  const body = Buffer.concat([Buffer.from([2, 2, 3, 0, 9, 0, 0, 0, 8]), latin1('evil.scr')]);
  const v5 = Buffer.concat([five, Buffer.alloc(4), Buffer.from([body.length]), body, Buffer.alloc(3)]);
  assert.deepEqual(names(file('x.rar', Buffer.concat([v5, Buffer.alloc(4), Buffer.from([2, 5, 0])]))), [
    'evil.scr',
  ]);
  assert.equal(
    file('x.rar', Buffer.concat([five, Buffer.alloc(4), Buffer.from([3, 4, 0, 0]), Buffer.alloc(50)]))
      .encrypted,
    true,
  );
});

test('RAR 5: a file with a password of its own', () => {
  // flags: extra area and data follow; the record in the extra area has type 1
  const extra = Buffer.from([3, 1, 0, 0]);
  const body = Buffer.concat([
    Buffer.from([2, 3, extra.length, 3, 0, 9, 0, 0, 0, 5]),
    latin1('x.exe'),
    extra,
  ]);
  const start = Buffer.concat([latin1('Rar!\x1a\x07\x01\0'), Buffer.alloc(4), Buffer.from([body.length])]);
  const locked = file('x.rar', Buffer.concat([start, body, Buffer.alloc(20)]));
  assert.deepEqual([names(locked), locked.encrypted], [['x.exe'], true]);
  body[body.length - 3] = 2; // a record of another type
  assert.equal(file('x.rar', Buffer.concat([start, body, Buffer.alloc(20)])).encrypted, false);
});

test('7z: names where they stand open, passwords', () => {
  const list = Buffer.concat([Buffer.from([0]), Buffer.from('a.txt\0run.exe\0', 'utf16le')]);
  const header = Buffer.concat([Buffer.from([1, 5, 2, 0x11, list.length]), list, Buffer.from([0, 0])]);
  const build = (data: Buffer): Buffer => {
    const start = Buffer.alloc(32);
    start.write("7z\xbc\xaf'\x1c\0\x04", 0, 'latin1');
    start.writeBigUInt64LE(10n, 12);
    start.writeBigUInt64LE(BigInt(data.length), 20);
    return Buffer.concat([start, Buffer.alloc(10), data]);
  };
  assert.deepEqual(names(file('x.7z', build(header))), ['a.txt', 'run.exe']);
  assert.equal(file('x.7z', build(Buffer.from([0x17, 5, 0xf1, 7, 1, 0]))).encrypted, false);
  assert.equal(file('x.7z', build(Buffer.from([0x17, 6, 6, 0xf1, 7, 1, 0]))).encrypted, true);
});

test('ISO images and cabinets', () => {
  const iso = Buffer.alloc(60_000);
  iso.write('\x01CD001', 0x8000, 'latin1');
  iso.writeUInt32LE(20, 0x8000 + 158);
  iso.writeUInt32LE(2048, 0x8000 + 166);
  const at = 20 * 2048;
  const name = 'RUN.EXE;1';
  iso[at] = 34 + name.length;
  iso[at + 32] = name.length;
  iso.write(name, at + 33, 'latin1');
  const found = file('x.iso', iso);
  assert.equal(found.kind, 'iso');
  assert.deepEqual(names(found), ['RUN.EXE']);
  const cab = Buffer.alloc(100);
  cab.write('MSCF');
  cab.writeUInt32LE(44, 16);
  cab.writeUInt16LE(1, 28);
  cab.write('setup.exe', 60);
  assert.deepEqual(names(file('x.cab', cab)), ['setup.exe']);
});

test('file names and what they pretend', () => {
  const pick = ({ name, extension, doubleExtension, bidiName, oddName }: AttachmentFact): unknown[] => [
    name,
    extension,
    doubleExtension,
    bidiName,
    oddName,
  ];
  assert.deepEqual(pick(file('report.pdf', PROGRAM)), ['report.pdf', 'pdf', false, false, false]);
  assert.deepEqual(pick(file('invoice.pdf.exe', PROGRAM)), ['invoice.pdf.exe', 'exe', true, false, false]);
  assert.deepEqual(pick(file('invoice.pdf                         .exe', PROGRAM)).slice(1, 3), [
    'exe',
    true,
  ]);
  assert.deepEqual(pick(file('archive.tar.gz', PROGRAM)).slice(1, 3), ['gz', false]);
  assert.deepEqual(pick(file('jquery.min.js', PROGRAM)).slice(1, 3), ['js', false]);
  assert.deepEqual(pick(file('v1.2.3.zip', PROGRAM)).slice(1, 3), ['zip', false]);
  assert.deepEqual(pick(file('../../etc/x.txt', PROGRAM)), ['x.txt', 'txt', false, false, true]);
  assert.deepEqual(pick(file('a\u202efdp.exe', PROGRAM)), ['afdp.exe', 'exe', false, true, false]);
});

test('disguises are seen, honest mix-ups are not', () => {
  assert.equal(file('photo.jpg', PROGRAM).disguised, true);
  assert.equal(file('x', PROGRAM, 'image/png').disguised, true);
  assert.equal(file('page.pdf', latin1('<html><body>')).disguised, true);
  assert.equal(file('paper.pdf', zip([{ name: 'x' }])).disguised, true);
  assert.equal(file('setup.exe', PROGRAM).disguised, false);
  assert.equal(file('photo.jpg', padded('\x89PNG\r\n'), 'image/jpeg').disguised, false);
  assert.equal(file('letter.doc', latin1('{\\rtf1')).disguised, false);
  assert.equal(file('list.xls', latin1('<html><table>')).disguised, false);
});
