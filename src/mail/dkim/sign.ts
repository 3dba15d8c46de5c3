import { createHash, sign as cryptoSign, type KeyObject } from 'node:crypto';
import { Refusal } from '../../base/errors.ts';
import { canonicalField, FieldSelector, MAX_FIELDS, splitFields } from './fields.ts';
import { isDomainName } from './names.ts';
import type { SigningAlgorithm } from './signature.ts';

/**
 * Signed as often as they occur and once more, so that one added later breaks the signature (RFC 6376 section 8.15):
 * what a reader sees and what decides how the body is read.
 */
const OVERSIGNED = [
  'From',
  'To',
  'Cc',
  'Subject',
  'Date',
  'Reply-To',
  'Message-ID',
  'In-Reply-To',
  'References',
  'MIME-Version',
  'Content-Type',
  'Content-Transfer-Encoding',
] as const;

/** Signed as often as they occur; forwarders and lists may rightly add their own. */
const SIGNED_WHEN_PRESENT = [
  'Sender',
  'Resent-Date',
  'Resent-From',
  'Resent-Sender',
  'Resent-To',
  'Resent-Cc',
  'Resent-Message-ID',
  'Content-ID',
  'Content-Description',
  'Content-Disposition',
  'Content-Language',
  'List-Id',
  'List-Help',
  'List-Unsubscribe',
  'List-Unsubscribe-Post',
  'List-Subscribe',
  'List-Post',
  'List-Owner',
  'List-Archive',
  'Auto-Submitted',
  'Feedback-ID',
  'Require-Recipient-Valid-Since',
] as const;

/** Columns a line of the field is folded at (RFC 5322 section 2.1.1 asks for 78 with the CRLF apart). */
const FOLD_COLUMNS = 76;

export interface SignInput {
  /** The header section; the empty line that ends it may be there or not. CRLF line ends. */
  readonly header: Buffer;
  /** Digest of a relaxed `createBodyHasher` that saw the whole body. The same serves both algorithms. */
  readonly bodyHash: Buffer;
  /** `d=`, A-labels. */
  readonly domain: string;
  /** `s=`, A-labels. */
  readonly selector: string;
  readonly key: KeyObject;
  readonly algorithm: SigningAlgorithm;
  /** For `t=`. */
  readonly nowMs: number;
  /** For `x=`: milliseconds the signature is good for. Absent: for ever. */
  readonly lifetimeMs?: number;
}

/** Several signatures of one message, e.g. RSA and Ed25519. */
export interface SignAllInput extends Pick<SignInput, 'header' | 'bodyHash' | 'nowMs' | 'lifetimeMs'> {
  readonly keys: readonly Pick<SignInput, 'domain' | 'selector' | 'key' | 'algorithm'>[];
}

/** The names we list in `h=`: what is there, and once more what must not be added. */
export function namesToSign(selector: FieldSelector): string[] {
  const names: string[] = [];
  const add = (list: readonly string[], extra: number): void => {
    for (const name of list) {
      const times = selector.count(name.toLowerCase()) + extra;
      for (let i = 0; i < times; i++) names.push(name);
    }
  };
  add(OVERSIGNED, 1);
  add(SIGNED_WHEN_PRESENT, 0);
  return names;
}

/** Append `pieces` to the last line, going to a new one where the next would pass the fold column. */
function fold(lines: string[], pieces: readonly string[]): void {
  for (const piece of pieces) {
    const last = lines.length - 1;
    const line = lines[last] ?? '';
    if (line.length + piece.length > FOLD_COLUMNS && line.trim() !== '') lines.push(`\t${piece.trimStart()}`);
    else lines[last] = line + piece;
  }
}

/** The field up to and with "b=", folded. */
function unsignedField(input: SignInput, names: readonly string[]): string[] {
  const seconds = Math.floor(input.nowMs / 1000);
  const expires =
    input.lifetimeMs === undefined
      ? []
      : [` x=${Math.max(seconds + 1, Math.floor((input.nowMs + input.lifetimeMs) / 1000))};`];
  const lines = [`DKIM-Signature: v=1; a=${input.algorithm}; c=relaxed/relaxed;`];
  fold(lines, [` d=${input.domain};`, ` s=${input.selector};`, ` t=${seconds};`, ...expires]);
  const listed = names.map((name, i) => (i === names.length - 1 ? `${name};` : `${name}:`));
  lines.push('\th=');
  fold(lines, listed);
  lines.push(`\tbh=${input.bodyHash.toString('base64')};`, '\tb=');
  return lines;
}

/** RSA signs the octets (RSASSA-PKCS1-v1_5 over SHA-256), Ed25519 their SHA-256 (RFC 8463 section 3). In a thread of libuv. */
function signOctets(pieces: readonly Buffer[], key: KeyObject, algorithm: SigningAlgorithm): Promise<Buffer> {
  let data: Buffer;
  if (algorithm === 'rsa-sha256') {
    data = Buffer.concat(pieces);
  } else {
    const hash = createHash('sha256');
    for (const piece of pieces) hash.update(piece);
    data = hash.digest();
  }
  return new Promise((resolve, reject) => {
    cryptoSign(algorithm === 'rsa-sha256' ? 'sha256' : null, data, key, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });
}

function checkInput(input: SignInput, selector: FieldSelector): void {
  const wanted = input.algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
  if (input.key.type !== 'private' || input.key.asymmetricKeyType !== wanted) {
    throw new TypeError(`a private ${wanted} key is needed for ${input.algorithm}`);
  }
  if (!isDomainName(input.domain.toLowerCase(), 2) || !isDomainName(input.selector.toLowerCase(), 1)) {
    throw new TypeError('the domain or the selector of a DKIM key is not a name in A-labels');
  }
  if (input.bodyHash.length !== 32) throw new TypeError('the body hash is not a SHA-256');
  if (selector.count('from') === 0) {
    throw new Refusal('bad-input', 'The message has no From field, so it cannot be signed.');
  }
}

function readHeader(header: Buffer): FieldSelector {
  const fields = splitFields(header);
  if (fields.length > MAX_FIELDS) {
    throw new Refusal(
      'too-large',
      `The message has more than ${MAX_FIELDS} header fields, so it cannot be signed.`,
    );
  }
  return new FieldSelector(fields);
}

async function signSelected(input: SignInput, selector: FieldSelector): Promise<Buffer> {
  checkInput(input, selector);
  const names = namesToSign(selector);
  const pieces = selector.select(
    names.map((name) => name.toLowerCase()),
    'relaxed',
  );
  const lines = unsignedField(input, names);
  const raw = Buffer.from(lines.join('\r\n'), 'latin1');
  const own = { name: 'dkim-signature', raw, valueStart: raw.indexOf(':') + 1 };
  const value = await signOctets(
    [...pieces, canonicalField(own, 'relaxed')], // its own field last, without CRLF (RFC 6376 section 3.7)
    input.key,
    input.algorithm,
  );
  const base64 = value.toString('base64');
  const chunks: string[] = [];
  for (let at = 0; at < base64.length; at += FOLD_COLUMNS - 4)
    chunks.push(base64.slice(at, at + FOLD_COLUMNS - 4));
  return Buffer.concat([raw, Buffer.from(`${chunks.join('\r\n\t ')}\r\n`, 'latin1')]);
}

/**
 * Sign a message (RFC 6376 section 5), relaxed/relaxed. Resolves to the DKIM-Signature field, folded, with its CRLF, to be put
 * before the header. Rejects with a `Refusal` when there is no From (bad-input) or more than 4,000 fields (too-large); a TypeError for a key, domain or selector
 * that cannot be used.
 */
export async function sign(input: SignInput): Promise<Buffer> {
  return signSelected(input, readHeader(input.header));
}

/** `sign` with each key, the header read once. Resolves to the fields one after another, in the order of `keys`. */
export async function signAll(input: SignAllInput): Promise<Buffer> {
  const selector = readHeader(input.header);
  const { keys, ...message } = input;
  return Buffer.concat(await Promise.all(keys.map((key) => signSelected({ ...message, ...key }, selector))));
}
