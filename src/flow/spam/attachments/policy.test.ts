import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factsOf, type File, PROGRAM, withFiles, zip } from '../facts/fixtures.ts';
import { categories } from './categories.ts';
import { type AttachmentPolicy, defaultAttachmentPolicy, judgeAttachments } from './policy.ts';

const judge = (files: readonly File[], policy?: AttachmentPolicy): ReturnType<typeof judgeAttachments> =>
  judgeAttachments(factsOf(withFiles(files)), policy);
const text = (content: string): Buffer => Buffer.from(content, 'latin1');

test('out of the box programs go to Junk and nothing is refused', () => {
  const verdict = judge([
    { name: 'a.txt', octets: text('x') },
    { name: 'setup.exe', octets: PROGRAM },
  ]);
  assert.equal(verdict.action, 'junk');
  assert.deepEqual(verdict.findings, [
    { category: 'executable', action: 'junk', name: 'setup.exe', reason: '"setup.exe" is a program' },
  ]);
  assert.equal(
    judge([{ name: 'x.zip', octets: zip([{ name: 'run.scr' }]) }]).findings[0]?.reason,
    '"x.zip" is an archive with a program in it: "run.scr"',
  );
  for (const category of categories) assert.ok(!defaultAttachmentPolicy.refuse.includes(category));
});

test('each category is told by content as well as by name', () => {
  const cases: readonly [string, Buffer, string][] = [
    ['photo.jpg', PROGRAM, 'executable'],
    ['empty.scr', text(''.padEnd(9, 'x')), 'executable'],
    ['x.vbs', text('MsgBox 1'), 'script'],
    ['x.docm', text('anything'), 'macro-document'],
    ['x.docx', zip([{ name: '[Content_Types].xml' }, { name: 'word/vbaProject.bin' }]), 'macro-document'],
    ['x.zip', zip([{ name: 'a.txt', encrypted: true }]), 'encrypted-archive'],
    ['x.zip', zip([{ name: 'deep/er/b.lnk' }]), 'executable-in-archive'],
    ['x.zip', zip([{ name: 'invoice.js' }]), 'executable-in-archive'],
    ['x.iso', text('anything'), 'disk-image'],
    ['readme', text('L\0\0\0\x01\x14\x02\0'), 'shortcut'],
  ];
  for (const [name, octets, category] of cases) {
    assert.deepEqual(
      judge([{ name, octets }]).findings.map((one) => one.category),
      [category],
      name,
    );
  }
});

test('what people send each other falls into none', () => {
  const harmless: readonly File[] = [
    { name: 'report.pdf', octets: text('%PDF-1.4') },
    { name: 'photo.jpg', octets: text('\xff\xd8\xff\xe0') },
    { name: 'letter.docx', octets: zip([{ name: '[Content_Types].xml' }, { name: 'word/document.xml' }]) },
    { name: 'build.sh', octets: text('#!/bin/sh\n') },
    { name: 'main.py', octets: text('print(1)\n') },
    { name: 'app.js', type: 'text/javascript', octets: text('x()\n') },
    {
      name: 'project.zip',
      octets: zip([{ name: 'src/a.js' }, { name: 'src/b.js' }, { name: 'src/c.js' }, { name: 'run.sh' }]),
    },
    { name: 'www.example.com', octets: text('<p>x') },
    { name: 'invite.ics', type: 'text/calendar', octets: text('BEGIN:VCALENDAR') },
    {
      name: 'signature.asc',
      type: 'application/pgp-signature',
      octets: text('-----BEGIN PGP SIGNATURE-----'),
    },
  ];
  assert.deepEqual(judge(harmless), { action: 'accept', findings: [] });
});

test('a site decides, the gravest decision counts and comes first', () => {
  const policy: AttachmentPolicy = { refuse: ['macro-document'], junk: ['encrypted-archive'] };
  const files = [
    { name: 'run.exe', octets: PROGRAM },
    { name: 'x.zip', octets: zip([{ name: 'a.txt', encrypted: true }]) },
    { name: 'x.docm', octets: text('x') },
  ];
  const verdict = judge(files, policy);
  assert.equal(verdict.action, 'refuse');
  assert.deepEqual(
    verdict.findings.map(({ action, category }) => [action, category]),
    [
      ['refuse', 'macro-document'],
      ['junk', 'encrypted-archive'],
      ['note', 'executable'],
    ],
  );
  assert.equal(judge(files, { refuse: [], junk: [] }).action, 'accept');
});
