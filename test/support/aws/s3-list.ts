import type { Answer, Incoming } from './internal.ts';
import { malformed } from './internal.ts';
import type { Bucket } from './s3.ts';
import { encodeRfc3986 } from './signature.ts';
import { document } from './xml.ts';

export const S3_NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

const MEMBERS = new Set([
  'list-type',
  'prefix',
  'start-after',
  'continuation-token',
  'max-keys',
  'delimiter',
  'encoding-type',
  'fetch-owner',
  'x-id',
]);

/** S3 answers at most so many keys. */
const MAX_KEYS = 1000;

/** ListObjectsV2. */
export function listObjects(name: string, bucket: Bucket, request: Incoming): Answer {
  const { query } = request;
  for (const member of query.keys()) {
    if (!MEMBERS.has(member)) throw malformed('InvalidArgument', `Unknown parameter ${member}`);
  }
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : readToken(token);
  const maxKeys = Math.min(MAX_KEYS, Number(query.get('max-keys') ?? MAX_KEYS));
  const encode = query.get('encoding-type') === 'url' ? encodePath : (text: string) => text;
  const keys = [...bucket.keys()].filter((key) => key.startsWith(prefix)).toSorted(byOctets);
  const contents: { Key: string; LastModified: string; ETag: string; Size: number; StorageClass: string }[] =
    [];
  const groups: string[] = [];
  let last = '';
  let truncated = false;
  for (const key of keys) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const group = cut === -1 ? undefined : key.slice(0, cut + delimiter.length);
    if (byOctets(group ?? key, after) <= 0 || (group !== undefined && group === groups.at(-1))) continue;
    if (contents.length + groups.length === maxKeys) {
      truncated = true;
      break;
    }
    last = group ?? key;
    const object = bucket.get(key);
    if (group !== undefined) groups.push(group);
    else if (object !== undefined) {
      contents.push({
        Key: encode(key),
        LastModified: new Date(object.modifiedAt).toISOString(),
        ETag: object.etag,
        Size: object.body.length,
        StorageClass: 'STANDARD',
      });
    }
  }
  const body = document('ListBucketResult', S3_NAMESPACE, {
    Name: name,
    Prefix: encode(prefix),
    StartAfter: query.has('start-after') ? encode(query.get('start-after') ?? '') : undefined,
    ContinuationToken: token ?? undefined,
    NextContinuationToken: truncated ? Buffer.from(last).toString('base64url') : undefined,
    KeyCount: contents.length + groups.length,
    MaxKeys: maxKeys,
    Delimiter: delimiter === '' ? undefined : encode(delimiter),
    EncodingType: query.get('encoding-type') ?? undefined,
    IsTruncated: truncated,
    Contents: contents,
    CommonPrefixes: groups.map((group) => ({ Prefix: encode(group) })),
  });
  return { status: 200, headers: { 'content-type': 'application/xml' }, body };
}

function readToken(token: string): string {
  const after = Buffer.from(token, 'base64url').toString();
  if (after === '') throw malformed('InvalidArgument', 'The continuation token provided is incorrect');
  return after;
}

function encodePath(text: string): string {
  return text.split('/').map(encodeRfc3986).join('/');
}

/** UTF-8 order, as S3 lists. */
export function byOctets(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
