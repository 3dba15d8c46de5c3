import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';

/** Where the mail to test against lies; it is no part of the repository. */
const CORPUS = process.env.POSTERN_CORPUS ?? resolve(import.meta.dirname, '../../../shared');

/** The messages of the MIME collection; beside them lie expectations, attachments and licences. */
const MIME_MESSAGE = /\.(eml|msg)$|\/sample_output_multipart$/;

export interface CorpusMessage {
  /** Archive and path in it. */
  readonly name: string;
  /** As it goes over the wire: the mbox `From ` line gone, each LF made CRLF; a bare CR stays. */
  readonly octets: Buffer;
}

function folder(): string {
  const inner = join(CORPUS, 'corpus');
  return existsSync(inner) ? inner : CORPUS;
}

/** For the `skip` option of a test: why there is no corpus, or false. */
export function skipWithoutCorpus(): string | false {
  if (existsSync(join(folder(), 'mail.tar.xz')) && existsSync(join(folder(), 'mime.tar.xz'))) return false;
  return `no mail.tar.xz and mime.tar.xz in ${folder()} (set POSTERN_CORPUS to where they are)`;
}

/** All messages of an archive, or its first `limit` ones, in the order of their paths. */
export function corpusMessages(archive: 'mail' | 'mime', limit = Number.POSITIVE_INFINITY): CorpusMessage[] {
  const directory = mkdtempSync(join(tmpdir(), 'postern-corpus-'));
  try {
    execFileSync('tar', ['-xJf', join(folder(), `${archive}.tar.xz`), '-C', directory]);
    const messages: CorpusMessage[] = [];
    for (const path of filesUnder(directory)) {
      if (messages.length >= limit) break;
      if (archive === 'mime' && !MIME_MESSAGE.test(path)) continue;
      messages.push({
        name: `${archive}/${relative(directory, path)}`,
        octets: onTheWire(readFileSync(path)),
      });
    }
    return messages;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function filesUnder(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** Octets as latin1 throughout: a character each. */
function onTheWire(file: Buffer): Buffer {
  let text = file.toString('latin1');
  if (text.startsWith('From ')) text = text.slice(text.indexOf('\n') + 1);
  text = text.replaceAll(/\r?\n/g, '\r\n');
  if (text !== '' && !text.endsWith('\r\n')) text += '\r\n';
  return Buffer.from(text, 'latin1');
}

/** Made-up mail for machines without the corpus: all different, some with octets over 127 and lines that begin with dots. */
export function generatedMessages(count: number): CorpusMessage[] {
  return Array.from({ length: count }, (_, i) => {
    const filler = `line ${i} `.repeat((i % 9) + 1);
    const text = [
      `From: "Sender ${i % 7}" <sender${i % 7}@remote.test>`,
      'To: bob@example.test',
      `Subject: =?utf-8?q?generated_message_${i}?=`,
      `Date: ${new Date(Date.UTC(2024, 0, 1) + i * 3_600_000).toUTCString().replace('GMT', '+0000')}`,
      `Message-ID: <generated-${i}@remote.test>`,
      'MIME-Version: 1.0',
      'Content-Type: text/plain; charset=utf-8',
      'Content-Transfer-Encoding: 8bit',
      '',
      ...Array.from({ length: (i % 40) + 1 }, () => filler.trim()),
      '.a line that begins with a dot',
      'caf\u00e9',
      '',
    ];
    return { name: `generated/${i}`, octets: Buffer.from(text.join('\r\n'), 'utf8') };
  });
}
