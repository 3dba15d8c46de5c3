/** Real messages made ready to send: with Message-IDs of our own, a share of them signed, dots stuffed. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createBodyHasher } from '../../../src/mail/dkim/body-hash.ts';
import { type DkimKeyPair, readPrivateKey } from '../../../src/mail/dkim/keys.ts';
import { sign } from '../../../src/mail/dkim/sign.ts';
import { hashOf, SELECTOR } from './zone.ts';

export interface Letter {
  /** Reverse-path: the author's address. */
  readonly from: string;
  /** With CRLF line ends, dots stuffed, and the final dot. */
  readonly octets: Buffer;
}

export interface RawLetter {
  readonly from: string;
  readonly domain: string;
  readonly header: string;
  readonly body: string;
  /** What its folder calls it, for training; undefined elsewhere. */
  readonly label: 'ham' | 'spam' | undefined;
}

const LARGEST = 12 * 1024;

/** Messages under a folder that are small, have an author, and lines that every server takes. In an order made by chance, always the same. */
export function readLetters(folder: string, most: number): RawLetter[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && statSync(path).size <= LARGEST)
    .toSorted((a, b) => hashOf(a.slice(folder.length)) - hashOf(b.slice(folder.length)));
  const letters: RawLetter[] = [];
  for (const path of files) {
    const letter = readLetter(path);
    if (letter !== undefined) letters.push(letter);
    if (letters.length >= most) break;
  }
  return letters;
}

function readLetter(path: string): RawLetter | undefined {
  const text = readFileSync(path, 'latin1')
    .replaceAll('\r\n', '\n')
    .replace(/^From .*\n/, '');
  const end = text.indexOf('\n\n');
  if (end < 0 || text.includes('\r') || text.includes('\0') || /[^\n]{900}/.test(text)) return undefined;
  const kept = text
    .slice(0, end + 1)
    .replaceAll(/^(?:message-id|dkim-signature|return-path|delivered-to):.*\n(?:[ \t].*\n)*/gim, '');
  const from =
    /^from:.*?(\w[\w+-]{0,40}(?:\.[\w+-]{1,30}){0,3}@((?:[a-z0-9][a-z0-9-]{0,60}\.)+[a-z]{2,6}))/im.exec(
      kept,
    );
  if (from === null || !/^[A-Za-z][\w-]*:/.test(kept)) return undefined;
  const body = text.slice(end + 2).replaceAll('\n', '\r\n');
  const label = /(?:^|\/)(?:hard-)?ham\//.test(path)
    ? 'ham'
    : /(?:^|\/)spam\//.test(path)
      ? 'spam'
      : undefined;
  return {
    from: from[1] ?? '',
    domain: (from[2] ?? '').toLowerCase(),
    header: `${kept.trimEnd().replaceAll('\n', '\r\n')}\r\n`,
    body: body.endsWith('\r\n') ? body : `${body}\r\n`,
    label,
  };
}

export interface MakeOptions {
  readonly key: DkimKeyPair;
  /** Share of them that are signed, 0 to 1. */
  readonly signed: number;
  readonly count: number;
  readonly nowMs: number;
}

/** So many messages, each with a Message-ID of its own; the same ones come again when there are too few. */
export async function makeLetters(raw: readonly RawLetter[], options: MakeOptions): Promise<Letter[]> {
  const letters: Letter[] = [];
  for (let i = 0; i < options.count; i++) {
    const one = raw[i % raw.length];
    if (one !== undefined)
      letters.push(await makeLetter(one, `${options.nowMs}.${i}`, options, (i % 100) / 100));
  }
  return letters;
}

async function makeLetter(raw: RawLetter, id: string, options: MakeOptions, place: number): Promise<Letter> {
  const header = Buffer.from(`${raw.header}Message-ID: <${id}@bench.invalid>\r\n`, 'latin1');
  const body = Buffer.from(raw.body, 'latin1');
  const signature =
    place < options.signed ? await signatureOf(raw.domain, header, body, options) : Buffer.alloc(0);
  const text = Buffer.concat([signature, header, Buffer.from('\r\n'), body]).toString('latin1');
  return { from: raw.from, octets: Buffer.from(`${text.replaceAll('\r\n.', '\r\n..')}.\r\n`, 'latin1') };
}

async function signatureOf(
  domain: string,
  header: Buffer,
  body: Buffer,
  { key, nowMs }: MakeOptions,
): Promise<Buffer> {
  const hasher = createBodyHasher('relaxed');
  hasher.update(body);
  return sign({
    header,
    bodyHash: hasher.digest(),
    domain,
    selector: SELECTOR,
    key: readPrivateKey(key.privatePem, key.algorithm),
    algorithm: key.algorithm,
    nowMs,
  });
}

/** A signed message with an attachment of about so many octets, which nothing can compress. */
export async function largeLetter(
  octets: number,
  random: string,
  id: string,
  options: MakeOptions,
): Promise<Letter> {
  const pool = random.match(/.{1,76}/g) ?? [];
  const lines: string[] = [];
  for (let made = 0, i = 0; made < octets; i = (i + 1) % pool.length, made += 78) lines.push(pool[i] ?? '');
  const header =
    'From: Ann <ann@large.test>\r\nTo: alice@example.test\r\nSubject: The plans\r\nDate: Mon, 1 Jun 2026 12:00:00 +0000\r\n' +
    'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=part\r\n';
  const body =
    '--part\r\nContent-Type: text/plain\r\n\r\nDear Alice,\r\nhere are the plans.\r\n--part\r\n' +
    'Content-Type: application/zip; name=plans.zip\r\nContent-Disposition: attachment; filename=plans.zip\r\n' +
    `Content-Transfer-Encoding: base64\r\n\r\n${lines.join('\r\n')}\r\n--part--\r\n`;
  const raw: RawLetter = { from: 'ann@large.test', domain: 'large.test', header, body, label: undefined };
  return makeLetter(raw, id, options, 0);
}
