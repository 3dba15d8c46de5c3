import { createHash, createHmac } from 'node:crypto';

/** Signature Version 4 of Amazon, for requests whose path and query are written as they are signed. */

export interface AwsKey {
  readonly accessKeyId: string;
  readonly secret: string;
}

export interface SignedRequest {
  readonly method: string;
  readonly url: URL;
  readonly body: string;
  readonly region: string;
  readonly service: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SIGNED = 'host;x-amz-date';

/** Fields that have to go with the request. */
export function signV4(key: AwsKey, request: SignedRequest): Record<string, string> {
  const { method, url, body, region, service, now } = request;
  const date = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = date.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const canonical = [
    method,
    url.pathname.split('/').map(encoded).join('/'),
    canonicalQuery(url.searchParams),
    `host:${url.host}\nx-amz-date:${date}\n`,
    SIGNED,
    sha256(body),
  ].join('\n');
  const dayKey = hmac(`AWS4${key.secret}`, day);
  const signing = hmac(hmac(hmac(dayKey, region), service), 'aws4_request');
  const signature = hmac(signing, [ALGORITHM, date, scope, sha256(canonical)].join('\n')).toString('hex');
  const credential = `Credential=${key.accessKeyId}/${scope}`;
  return {
    'X-Amz-Date': date,
    Authorization: `${ALGORITHM} ${credential}, SignedHeaders=${SIGNED}, Signature=${signature}`,
  };
}

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return pairs.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join('&');
}

/** RFC 3986 section 2.3: all but unreserved characters. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
