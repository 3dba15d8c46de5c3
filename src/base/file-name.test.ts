import assert from 'node:assert/strict';
import { test } from 'node:test';
import { savedName } from './file-name.ts';

test('names of files neither lead away nor hide nor lie', () => {
  const cases: [given: string, saved: string][] = [
    ['report.pdf', 'report.pdf'],
    ['Bericht für Ö 2026.pdf', 'Bericht für Ö 2026.pdf'],
    ['報告.pdf', '報告.pdf'],
    ['../../etc/passwd', '__.._etc_passwd'],
    ['..\\..\\x.exe', '__.._x.exe'],
    ['C:\\x', 'C_x'],
    ['.htaccess', '_htaccess'],
    ['photo\u202egpj.exe', 'photo_gpj.exe'],
    ['a\r\nSet-Cookie: x', 'a_Set-Cookie_ x'],
    ['a\0b', 'a_b'],
    ['\ud83d', '_'],
    ['', 'file'],
    ['  ', 'file'],
  ];
  for (const [given, saved] of cases) assert.equal(savedName(given), saved, JSON.stringify(given));
  const long = savedName(`${'😀'.repeat(5000)}.exe`);
  assert.ok(long.length <= 200 && long.isWellFormed(), long);
  assert.ok(savedName(`${'n'.repeat(300)}.pdf`).endsWith('n.pdf'));
});
