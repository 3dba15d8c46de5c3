import { createHash, hash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { ServiceError, malformed } from './internal.ts';

/** Octets of a request; SES takes 40 MB, which is 54 MB in base64. */
const MAX_BODY = 80 * 1024 * 1024;

/** The body and its SHA-256 (hex), hashed as it comes so that large ones do not hold up the loop at the end. */
export async function readBody(request: IncomingMessage): Promise<{ body: Buffer; sha256: string }> {
  const chunks: Buffer[] = [];
  const sha256 = createHash('sha256');
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY) throw new ServiceError(413, 'RequestEntityTooLarge', 'Request body is too large');
    sha256.update(chunk);
    chunks.push(chunk);
  }
  return { body: Buffer.concat(chunks), sha256: sha256.digest('hex') };
}

/** The object's octets: aws-chunked coding taken off, length and checksums (fields or trailers) proven. */
export function plainBody(headers: IncomingHttpHeaders, body: Buffer): Buffer {
  const payload = headers['x-amz-content-sha256'];
  let plain = body;
  const checks = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('x-amz-checksum-') && typeof value === 'string') checks.set(name, value);
  }
  if (typeof payload === 'string' && payload.startsWith('STREAMING-')) {
    if (payload !== 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
      throw new ServiceError(501, 'NotImplemented', `${payload} is not emulated`);
    }
    if (!String(headers['content-encoding'] ?? '').includes('aws-chunked')) {
      throw malformed('InvalidRequest', 'A streaming payload needs content-encoding: aws-chunked');
    }
    plain = decodeChunks(body, headers['x-amz-trailer'], checks);
    const length = headers['x-amz-decoded-content-length'];
    if (length !== String(plain.length)) {
      throw malformed(
        'IncompleteBody',
        `x-amz-decoded-content-length ${String(length)} is not ${plain.length}`,
      );
    }
  }
  for (const [name, value] of checks) checkSum(name, value, plain);
  const md5 = headers['content-md5'];
  if (md5 !== undefined && md5 !== hash('md5', plain, 'base64')) {
    throw new ServiceError(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
  }
  return plain;
}

function decodeChunks(
  body: Buffer,
  trailerNames: string | string[] | undefined,
  checks: Map<string, string>,
): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const end = body.indexOf('\r\n', at);
    const size = end === -1 ? Number.NaN : Number.parseInt(body.toString('latin1', at, end), 16);
    if (Number.isNaN(size))
      throw malformed('IncompleteBody', 'A chunk of the streaming payload is malformed');
    at = end + 2;
    if (size === 0) break;
    parts.push(body.subarray(at, at + size));
    at += size;
    if (body.toString('latin1', at, at + 2) !== '\r\n') {
      throw malformed('IncompleteBody', 'A chunk of the streaming payload does not end where it says');
    }
    at += 2;
  }
  for (const line of body.toString('latin1', at).split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) checks.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  if (typeof trailerNames === 'string' && !checks.has(trailerNames)) {
    throw malformed('MalformedTrailerError', `The trailer ${trailerNames} is missing`);
  }
  return Buffer.concat(parts);
}

function checkSum(name: string, value: string, body: Buffer): void {
  const actual = checksum(name, body);
  if (actual !== undefined && actual !== value) {
    throw new ServiceError(400, 'BadDigest', `The ${name} you specified did not match what we received.`);
  }
}

/** Base64 of the checksum a header of S3's names; undefined: not known here. */
export function checksum(header: string, body: Buffer): string | undefined {
  switch (header) {
    case 'x-amz-checksum-crc32': {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(crc32(body));
      return bytes.toString('base64');
    }
    case 'x-amz-checksum-sha1':
      return hash('sha1', body, 'base64');
    case 'x-amz-checksum-sha256':
      return hash('sha256', body, 'base64');
    default:
      return undefined;
  }
}
