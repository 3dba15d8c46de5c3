import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { ServiceError } from './internal.ts';

/** Keys by which requests may be signed. */
export interface KeyRing {
  find(accessKeyId: string): { secret: string; sessionToken?: string; expiresAt?: number } | undefined;
}

export interface Scope {
  readonly accessKeyId: string;
  /** "20260102" */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

/** Read the Authorization field of Signature Version 4; undefined: there is none, or another one. */
export function readAuthorization(header: string | undefined): Scope | undefined {
  if (header === undefined || !header.startsWith('AWS4-HMAC-SHA256 ')) return undefined;
  const parts = new Map(
    header
      .slice('AWS4-HMAC-SHA256 '.length)
      .split(',')
      .map((part) => {
        const [name = '', ...value] = part.trim().split('=');
        return [name, value.join('=')] as const;
      }),
  );
  const credential = (parts.get('Credential') ?? '').split('/');
  const [date = '', region = '', service = '', end = ''] = credential.slice(-4);
  const accessKeyId = credential.slice(0, -4).join('/');
  const signature = parts.get('Signature') ?? '';
  const signedHeaders = (parts.get('SignedHeaders') ?? '').split(';').filter((name) => name !== '');
  if (end !== 'aws4_request' || signature === '' || accessKeyId === '') return undefined;
  return { accessKeyId, date, region, service, signedHeaders, signature };
}

export interface Judging {
  readonly keys: KeyRing;
  readonly regions: readonly string[];
  readonly skewMs: number;
  /** SHA-256 of the body as it was on the wire, hex. */
  readonly bodyHash: string;
}

/** Throws the service's own error when the signature, its date, its key or its token is wrong. */
export function checkSignature(scope: Scope, request: IncomingMessage, judging: Judging): void {
  const family = scope.service === 's3' ? 's3' : isJson(request) ? 'json' : 'query';
  const fail = (what: keyof typeof CODES.s3, message: string): ServiceError => {
    const code = CODES[family][what];
    return new ServiceError(STATUS[code] ?? 403, code, message);
  };
  const key = judging.keys.find(scope.accessKeyId);
  if (key === undefined) throw fail('key', 'The security token included in the request is invalid.');
  const token = request.headers['x-amz-security-token'];
  if (key.sessionToken !== token)
    throw fail('token', 'The security token included in the request is invalid.');
  if (key.expiresAt !== undefined && key.expiresAt <= Date.now()) {
    throw fail('expired', 'The security token included in the request is expired');
  }
  if (!judging.regions.includes(scope.region)) {
    throw fail('region', `Credential should be scoped to a valid region, not '${scope.region}'.`);
  }
  const date = String(request.headers['x-amz-date'] ?? '');
  const at = amzDate(date);
  if (Number.isNaN(at) || !date.startsWith(scope.date)) {
    throw fail('region', 'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date');
  }
  if (Math.abs(Date.now() - at) > judging.skewMs) {
    throw fail('skew', family === 's3' ? SKEW_S3 : `Signature expired: ${date} is too far from now`);
  }
  checkHeaders(scope, request, fail);
  const declared = request.headers['x-amz-content-sha256'];
  if (typeof declared === 'string' && /^[0-9a-f]{64}$/.test(declared) && declared !== judging.bodyHash) {
    throw new ServiceError(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  }
  const payload = typeof declared === 'string' ? declared : judging.bodyHash;
  const expected = signatureOf(scope, key.secret, date, canonicalRequest(scope, request, payload));
  if (!equal(expected, scope.signature)) throw fail('signature', MISMATCH);
}

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.';
const SKEW_S3 = 'The difference between the request time and the current time is too large.';

/** What each family of services calls it. */
const CODES = {
  s3: {
    key: 'InvalidAccessKeyId',
    token: 'InvalidToken',
    expired: 'ExpiredToken',
    region: 'AuthorizationHeaderMalformed',
    skew: 'RequestTimeTooSkewed',
    headers: 'AccessDenied',
    signature: 'SignatureDoesNotMatch',
  },
  query: {
    key: 'InvalidClientTokenId',
    token: 'InvalidClientTokenId',
    expired: 'ExpiredToken',
    region: 'SignatureDoesNotMatch',
    skew: 'SignatureDoesNotMatch',
    headers: 'SignatureDoesNotMatch',
    signature: 'SignatureDoesNotMatch',
  },
  json: {
    key: 'UnrecognizedClientException',
    token: 'UnrecognizedClientException',
    expired: 'ExpiredTokenException',
    region: 'InvalidSignatureException',
    skew: 'InvalidSignatureException',
    headers: 'InvalidSignatureException',
    signature: 'InvalidSignatureException',
  },
} as const;

const STATUS: Record<string, number> = {
  ExpiredToken: 400,
  InvalidToken: 400,
  AuthorizationHeaderMalformed: 400,
};

function isJson(request: IncomingMessage): boolean {
  return request.headers['x-amz-target'] !== undefined || (request.url ?? '').startsWith('/v2/');
}

/** Headers that must be signed: the host, the date, and for S3 every field of Amazon's. */
function checkHeaders(
  scope: Scope,
  request: IncomingMessage,
  fail: (what: 'headers', message: string) => ServiceError,
): void {
  const needed = ['host', 'x-amz-date'];
  if (scope.service === 's3') {
    const own = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'));
    needed.push(...own.filter((name) => !UNSIGNED.has(name)));
    if (request.headers['x-amz-content-sha256'] === undefined) {
      throw new ServiceError(
        400,
        'InvalidRequest',
        'Missing required header for this request: x-amz-content-sha256',
      );
    }
  }
  for (const name of needed) {
    if (!scope.signedHeaders.includes(name)) {
      throw fail('headers', `There were headers present in the request which were not signed: ${name}`);
    }
  }
}

const UNSIGNED = new Set(['x-amz-user-agent']);

function canonicalRequest(scope: Scope, request: IncomingMessage, payload: string): string {
  const url = request.url ?? '/';
  const cut = url.indexOf('?');
  const path = cut === -1 ? url : url.slice(0, cut);
  const query = cut === -1 ? '' : url.slice(cut + 1);
  // S3 signs the path as it is on the wire, the others encode it a second time.
  const canonicalPath = scope.service === 's3' ? path : path.split('/').map(encodeRfc3986).join('/');
  const headers = scope.signedHeaders.map((name) => `${name}:${headerValue(request, name)}\n`).join('');
  return [
    request.method ?? 'GET',
    canonicalPath,
    canonicalQuery(query),
    headers,
    scope.signedHeaders.join(';'),
    payload,
  ].join('\n');
}

function headerValue(request: IncomingMessage, name: string): string {
  const values = request.headersDistinct[name] ?? [];
  return values.map((value) => value.trim().replaceAll(/ +/g, ' ')).join(',');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const cut = pair.indexOf('=');
      const [name, value] = cut === -1 ? [pair, ''] : [pair.slice(0, cut), pair.slice(cut + 1)];
      return [encodeRfc3986(decodeURIComponent(name)), encodeRfc3986(decodeURIComponent(value))] as const;
    })
    .toSorted(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function signatureOf(scope: Scope, secret: string, date: string, canonical: string): string {
  const name = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', date, name, hash('sha256', canonical)].join('\n');
  const key = signingKey(scope, secret);
  return hmac(key, toSign).toString('hex');
}

/** Derived keys, by secret and scope: the same for a whole day. */
const derived = new Map<string, Buffer>();

function signingKey({ date, region, service }: Scope, secret: string): Buffer {
  const name = `${secret} ${date}/${region}/${service}`;
  let key = derived.get(name);
  if (key === undefined) {
    key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request');
    derived.set(name, key);
  }
  return key;
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

/** "20260102T030405Z" as milliseconds, or NaN. */
function amzDate(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) return Number.NaN;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0);
}
