/**
 * What a message costs to look at: microseconds at the median, for the scan alone and with all that is stored beside
 * it (ENVELOPE, BODYSTRUCTURE, structure as JSON). Run: node bench/mime.bench.ts
 */
import { renderBody, renderEnvelope } from '../src/mail/message/imap-text.ts';
import { scanMessage } from '../src/mail/message/scanner.ts';
import { serializeStructure } from '../src/mail/message/serialize.ts';

const received =
  'Received: from mx.example.test (mx.example.test [192.0.2.1])\r\n\tby in.example.test with ESMTPS id 4711\r\n\tfor <user@example.test>; Mon, 1 Jan 2024 00:00:00 +0000\r\n';
const header = `${received.repeat(3)}From: "A Person" <a@example.test>\r\nTo: B <b@example.test>, c@example.test\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\nDate: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@example.test>\r\nMIME-Version: 1.0\r\n`;

function text(bytes: number): string {
  const line = 'The quick brown fox jumps over the lazy dog and does it again and again.\r\n';
  return line.repeat(Math.ceil(bytes / line.length)).slice(0, bytes);
}

function base64(bytes: number): string {
  const line = `${'QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0'.slice(0, 76)}\r\n`;
  return line.repeat(Math.ceil(bytes / line.length));
}

function mixed(textBytes: number, attachmentBytes: number): Buffer {
  return Buffer.from(
    `${header}Content-Type: multipart/mixed; boundary="=_b"\r\n\r\n--=_b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text(textBytes)}\r\n--=_b\r\nContent-Type: application/pdf; name="a.pdf"\r\nContent-Disposition: attachment; filename="a.pdf"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64(attachmentBytes)}--=_b--\r\n`,
  );
}

function median(run: () => void, rounds: number): number {
  for (let i = 0; i < Math.min(rounds, 2000); i++) run();
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const before = process.hrtime.bigint();
    run();
    times.push(Number(process.hrtime.bigint() - before) / 1000);
  }
  times.sort((a, b) => a - b);
  return times[rounds >> 1] ?? 0;
}

const cases: [string, Buffer, number][] = [
  ['4 KiB plain', Buffer.from(`${header}\r\n${text(4096 - header.length)}`), 20_000],
  ['4 KiB multipart', mixed(1500, 1200), 20_000],
  ['100 KB', mixed(5000, 95_000), 2000],
  ['5 MB base64', mixed(5000, 5_000_000), 50],
];

for (const [name, message, rounds] of cases) {
  const scan = median(() => scanMessage(message), rounds);
  const all = median(() => {
    const structure = scanMessage(message);
    renderEnvelope(structure, message.subarray(0, structure.root.bodyStart));
    renderBody(structure, true);
    serializeStructure(structure);
  }, rounds);
  const rate = (message.length / scan / 1000).toFixed(2);
  console.log(
    `${name.padEnd(16)} ${message.length} octets: scan ${scan.toFixed(1)} µs (${rate} GB/s), all that is stored ${all.toFixed(1)} µs`,
  );
}
