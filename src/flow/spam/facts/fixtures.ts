/** Messages and files for the tests of the content filter. */
import { extractFacts } from './extract.ts';
import { sampleOfBuffer } from './sample.ts';
import type { MessageFacts } from './types.ts';

export interface Draft {
  /** Header lines without line ends; replace those of the same name in the default header, an empty value removes one. */
  readonly header?: readonly string[];
  readonly body?: string;
}

const DEFAULT_HEADER = [
  'Received: from mail.sender.example (mail.sender.example [192.0.2.7]) by mx.here.example with ESMTPS id 1; Tue, 3 Mar 2026 10:00:05 +0000',
  'From: Ann Sender <ann@sender.example>',
  'To: bob@here.example',
  'Subject: Minutes of Tuesday',
  'Date: Tue, 3 Mar 2026 10:00:00 +0000',
  'Message-ID: <1234@sender.example>',
  'MIME-Version: 1.0',
  'User-Agent: Some Mailer 1.0',
];

export const ORDINARY_TEXT =
  'Hello Bob,\r\n\r\nhere are the minutes of our meeting on Tuesday. We agreed that Carla writes the report and that we meet again in two weeks.\r\n\r\nBest wishes\r\nAnn\r\n';

const nameOf = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase();

/** A message of an ordinary header and what the draft changes. Text is UTF-8. */
export function message({ header = [], body = ORDINARY_TEXT }: Draft = {}): Buffer {
  const changed = new Set(header.map(nameOf));
  const kept = DEFAULT_HEADER.filter((line) => !changed.has(nameOf(line)));
  const lines = [
    ...kept,
    ...header.filter((line) => line.slice(line.indexOf(':') + 1).trim() !== '' || line.endsWith(': ')),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'utf8');
}

export function factsOf(octets: Buffer): MessageFacts {
  return extractFacts(sampleOfBuffer(octets));
}

export function facts(draft: Draft = {}): MessageFacts {
  return factsOf(message(draft));
}

/** A message whose body is HTML. */
export function htmlFacts(html: string, header: readonly string[] = []): MessageFacts {
  return facts({ header: ['Content-Type: text/html; charset=utf-8', ...header], body: html });
}

export interface File {
  readonly name: string;
  readonly type?: string;
  readonly octets: Buffer;
}

export function base64Lines(octets: Buffer): string {
  return octets.toString('base64').replace(/.{76}/g, '$&\r\n');
}

/** A message with a text and files. */
export function withFiles(
  files: readonly File[],
  text = ORDINARY_TEXT,
  header: readonly string[] = [],
): Buffer {
  const parts = files.map(
    ({ name, type = 'application/octet-stream', octets }) =>
      `--b\r\nContent-Type: ${type}\r\nContent-Disposition: attachment; filename="${name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${base64Lines(octets)}\r\n`,
  );
  return message({
    header: ['Content-Type: multipart/mixed; boundary=b', ...header],
    body: `--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n${parts.join('')}--b--\r\n`,
  });
}

export interface ZipEntry {
  readonly name: string;
  readonly data?: Buffer;
  readonly encrypted?: boolean;
  /** Claimed size when unpacked. */
  readonly claims?: number;
}

/** A zip with stored entries; `zip64` puts the counts into a zip64 end record. */
export function zip(entries: readonly ZipEntry[], zip64 = false): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let at = 0;
  for (const { name, data = Buffer.from('x'), encrypted = false, claims = data.length } of entries) {
    const bytes = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE((encrypted ? 1 : 0) | 0x800, 2);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(claims, 18);
    common.writeUInt16LE(bytes.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), common, bytes, data]);
    const central = Buffer.alloc(46);
    central.write('PK\x01\x02', 0, 'latin1');
    common.copy(central, 6);
    central.writeUInt32LE(at, 42);
    locals.push(local);
    centrals.push(Buffer.concat([central, bytes]));
    at += local.length;
  }
  const directory = Buffer.concat(centrals);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(zip64 ? 0xffff : entries.length, 8);
  end.writeUInt16LE(zip64 ? 0xffff : entries.length, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directory.length, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : at, 16);
  return Buffer.concat([
    ...locals,
    directory,
    zip64 ? zip64End(entries.length, directory.length, at) : Buffer.alloc(0),
    end,
  ]);
}

function zip64End(count: number, length: number, at: number): Buffer {
  const record = Buffer.alloc(56);
  record.write('PK\x06\x06', 0, 'latin1');
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(length), 40);
  record.writeBigUInt64LE(BigInt(at), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 0, 'latin1');
  locator.writeBigUInt64LE(BigInt(at + length), 8);
  return Buffer.concat([record, locator]);
}

export const PROGRAM = Buffer.concat([Buffer.from('MZ\x90\0', 'latin1'), Buffer.alloc(200)]);
