import { hash } from 'node:crypto';
import { checksum, plainBody } from './body.ts';
import type { Answer, Core, Incoming, Prepared, ServiceModule } from './internal.ts';
import { malformed, ServiceError } from './internal.ts';
import { byOctets, listObjects, S3_NAMESPACE } from './s3-list.ts';
import type { S3Control } from './types.ts';
import { document, element } from './xml.ts';

export interface S3Object {
  readonly body: Buffer;
  readonly etag: string;
  readonly modifiedAt: number;
  readonly contentType: string;
  /** x-amz-meta-*, as they came. */
  readonly metadata: Readonly<Record<string, string>>;
}

export type Bucket = Map<string, S3Object>;

interface Address {
  readonly bucket: string;
  readonly key: string;
}

type Operation = (address: Address, request: Incoming) => Answer;

/** S3, path style and virtual-host style (bucket.s3.…, bucket.localhost). */
export function createS3(core: Core): {
  control: S3Control;
  module: ServiceModule;
  buckets: Map<string, Bucket>;
} {
  const buckets = new Map<string, Bucket>();
  const bucketOf = (name: string): Bucket => {
    const bucket = buckets.get(name);
    if (bucket === undefined)
      throw new ServiceError(404, 'NoSuchBucket', 'The specified bucket does not exist');
    return bucket;
  };
  const policies = new Map<string, string>();
  const operations = createOperations(core, buckets, bucketOf, policies);
  const control: S3Control = {
    createBucket: (name) => void (buckets.has(name) || buckets.set(name, new Map())),
    put(bucket, key, body, options = {}) {
      control.createBucket(bucket);
      const bytes = Buffer.from(body as Buffer);
      bucketOf(bucket).set(key, {
        body: bytes,
        etag: etagOf(bytes),
        modifiedAt: options.modifiedAt ?? Date.now(),
        contentType: options.contentType ?? 'application/octet-stream',
        metadata: {},
      });
    },
    get: (bucket, key) => buckets.get(bucket)?.get(key)?.body,
    keys: (bucket, prefix = '') =>
      [...(buckets.get(bucket)?.keys() ?? [])].filter((key) => key.startsWith(prefix)).toSorted(byOctets),
    setPolicy: (bucket, policy) => void policies.set(bucket, policy),
    remove: (bucket, key) => void buckets.get(bucket)?.delete(key),
  };
  const module: ServiceModule = {
    prepare(request): Prepared {
      const address = addressOf(request);
      const name = operationOf(request, address);
      return {
        operation: name,
        resource: address.key === '' ? address.bucket : address.key,
        run() {
          const operation = operations[name];
          if (operation === undefined) {
            throw malformed('NotImplemented', `${request.method} ${request.path} is not emulated`, 501);
          }
          return operation(address, request);
        },
      };
    },
    renderError(error, requestId, request) {
      const headers = { 'content-type': 'application/xml', 'x-amz-request-id': requestId };
      if (request.method === 'HEAD') return { status: error.status, headers };
      const body = element('Error', {
        Code: error.code,
        Message: error.message,
        Resource: request.path,
        RequestId: requestId,
      });
      return { status: error.status, headers, body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}` };
    },
  };
  return { control, module, buckets };
}

function etagOf(body: Buffer): string {
  return `"${hash('md5', body)}"`;
}

function addressOf(request: Incoming): Address {
  const host = (request.headers.host ?? '').split(':')[0] ?? '';
  const path = decodeURIComponent(request.path.slice(1));
  const dot = host.search(/\.(?:s3[.-]|localhost$)/);
  if (dot > 0) return { bucket: host.slice(0, dot), key: path };
  const slash = path.indexOf('/');
  return slash === -1
    ? { bucket: path, key: '' }
    : { bucket: path.slice(0, slash), key: path.slice(slash + 1) };
}

function operationOf(request: Incoming, { bucket, key }: Address): string {
  const { method, query } = request;
  if (bucket === '') return 'ListBuckets';
  const target = key === '' ? 'Bucket' : 'Object';
  if (method === 'GET' && target === 'Bucket') {
    if (query.has('policy')) return 'GetBucketPolicy';
    return query.get('list-type') === '2' ? 'ListObjectsV2' : 'Unknown';
  }
  if (method === 'POST') return query.has('delete') && key === '' ? 'DeleteObjects' : 'Unknown';
  if (method === 'PUT') {
    if (target === 'Bucket') return query.size === 0 ? 'CreateBucket' : 'Unknown';
    const copy = request.headers['x-amz-copy-source'] !== undefined;
    if (query.has('uploadId') || query.has('partNumber')) return 'Unknown';
    return copy ? 'CopyObject' : 'PutObject';
  }
  const verb = { GET: 'Get', HEAD: 'Head', DELETE: 'Delete' }[method];
  return verb === undefined ? 'Unknown' : `${verb}${target}`;
}

function createOperations(
  core: Core,
  buckets: Map<string, Bucket>,
  bucketOf: (name: string) => Bucket,
  policies: ReadonlyMap<string, string>,
): Record<string, Operation | undefined> {
  const objectOf = ({ bucket, key }: Address): S3Object => {
    const object = bucketOf(bucket).get(key);
    if (object === undefined) throw new ServiceError(404, 'NoSuchKey', 'The specified key does not exist.');
    return object;
  };
  const store = (address: Address, request: Incoming, body: Buffer): S3Object => {
    const object: S3Object = {
      body,
      etag: etagOf(body),
      modifiedAt: Date.now(),
      contentType: request.headers['content-type'] ?? 'binary/octet-stream',
      metadata: Object.fromEntries(
        Object.entries(request.headers).flatMap(([name, value]) =>
          name.startsWith('x-amz-meta-') && typeof value === 'string' ? [[name, value]] : [],
        ),
      ),
    };
    bucketOf(address.bucket).set(address.key, object);
    return object;
  };
  return {
    ListBuckets: () => xml('ListAllMyBucketsResult', { Buckets: { Bucket: [...buckets.keys()].map(named) } }),
    CreateBucket({ bucket }) {
      if (buckets.has(bucket)) {
        throw new ServiceError(409, 'BucketAlreadyOwnedByYou', 'You already own this bucket.');
      }
      buckets.set(bucket, new Map());
      return { status: 200, headers: { location: `/${bucket}` } };
    },
    GetBucketPolicy({ bucket }) {
      bucketOf(bucket);
      const body = policies.get(bucket);
      if (body === undefined) {
        throw new ServiceError(404, 'NoSuchBucketPolicy', 'The bucket policy does not exist');
      }
      return { status: 200, headers: { 'content-type': 'application/json' }, body };
    },
    HeadBucket({ bucket }) {
      bucketOf(bucket);
      return { status: 200, headers: { 'x-amz-bucket-region': core.region } };
    },
    ListObjectsV2: ({ bucket }, request) => listObjects(bucket, bucketOf(bucket), request),
    PutObject(address, request) {
      const bucket = bucketOf(address.bucket);
      checkLength(request);
      const condition = request.headers['if-none-match'];
      if (condition !== undefined && condition !== '*') {
        throw malformed('NotImplemented', 'If-None-Match takes nothing but *', 501);
      }
      if (condition === '*' && bucket.has(address.key)) throw preconditionFailed();
      const object = store(address, request, plainBody(request.headers, request.body));
      return {
        status: 200,
        headers: {
          etag: object.etag,
          'x-amz-checksum-crc32': checksum('x-amz-checksum-crc32', object.body) ?? '',
          'x-amz-checksum-type': 'FULL_OBJECT',
        },
      };
    },
    CopyObject(address, request) {
      const source = decodeURIComponent(String(request.headers['x-amz-copy-source'])).replace(/^\//, '');
      const slash = source.indexOf('/');
      if (slash < 1) throw malformed('InvalidArgument', 'Copy Source must mention the source bucket and key');
      const from = objectOf({ bucket: source.slice(0, slash), key: source.slice(slash + 1) });
      if (request.headers['if-none-match'] === '*' && bucketOf(address.bucket).has(address.key)) {
        throw preconditionFailed();
      }
      const object = { ...from, modifiedAt: Date.now() };
      bucketOf(address.bucket).set(address.key, object);
      const LastModified = new Date(object.modifiedAt).toISOString();
      return xml('CopyObjectResult', { ETag: object.etag, LastModified });
    },
    GetObject: (address, request) => answerObject(objectOf(address), request),
    HeadObject(address, request) {
      const answer = answerObject(objectOf(address), request);
      return { status: answer.status, headers: { ...answer.headers } };
    },
    DeleteObject(address) {
      bucketOf(address.bucket).delete(address.key);
      return { status: 204 };
    },
    DeleteObjects({ bucket }, request) {
      const objects = bucketOf(bucket);
      const body = plainBody(request.headers, request.body).toString('utf8');
      const keys = [...body.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => unescapeXml(key));
      if (keys.length === 0 || keys.length > 1000)
        throw malformed('MalformedXML', 'The XML is not well-formed');
      for (const key of keys) objects.delete(key);
      const quiet = body.includes('<Quiet>true</Quiet>');
      return xml('DeleteResult', { Deleted: quiet ? [] : keys.map((Key) => ({ Key })) });
    },
  };
}

function named(Name: string): { Name: string; CreationDate: string } {
  return { Name, CreationDate: '2026-01-01T00:00:00.000Z' };
}

function xml(name: string, value: Parameters<typeof document>[2]): Answer {
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    body: document(name, S3_NAMESPACE, value),
  };
}

function unescapeXml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
}

function checkLength(request: Incoming): void {
  const { headers } = request;
  if ((headers['content-length'] ?? headers['x-amz-decoded-content-length']) === undefined) {
    throw malformed('MissingContentLength', 'You must provide the Content-Length HTTP header.', 411);
  }
}

function preconditionFailed(): ServiceError {
  return new ServiceError(
    412,
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
  );
}

function answerObject(object: S3Object, request: Incoming): Answer {
  const headers: Record<string, string> = {
    etag: object.etag,
    'last-modified': new Date(object.modifiedAt).toUTCString(),
    'accept-ranges': 'bytes',
    'content-type': object.contentType,
    ...object.metadata,
  };
  const match = request.headers['if-match'];
  if (match !== undefined && match !== object.etag && match !== '*') throw preconditionFailed();
  const range = request.headers.range;
  if (range === undefined) {
    headers['content-length'] = String(object.body.length);
    if (request.headers['x-amz-checksum-mode'] === 'ENABLED') {
      headers['x-amz-checksum-crc32'] = checksum('x-amz-checksum-crc32', object.body) ?? '';
      headers['x-amz-checksum-type'] = 'FULL_OBJECT';
    }
    return { status: 200, headers, body: object.body };
  }
  const [start, end] = rangeOf(range, object.body.length);
  headers['content-range'] = `bytes ${start}-${end - 1}/${object.body.length}`;
  headers['content-length'] = String(end - start);
  return { status: 206, headers, body: object.body.subarray(start, end) };
}

/** First octet and the one after the last, of "bytes=0-99", "bytes=100-", "bytes=-50". */
function rangeOf(range: string, size: number): readonly [number, number] {
  const match = /^bytes=(\d*)-(\d*)$/.exec(range);
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) throw malformed('InvalidArgument', `Range ${range}`);
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1);
  if (start >= end) throw new ServiceError(416, 'InvalidRange', 'The requested range is not satisfiable');
  return [start, end];
}
