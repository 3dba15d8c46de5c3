import type * as S3 from '@aws-sdk/client-s3';
import type { Clock } from '../../base/clock.ts';
import { told } from './errors.ts';
import { lazily, type SdkBase } from './sdk.ts';
import { AwsError, type ObjectFacts, type ObjectStore } from './types.ts';

/** Milliseconds without an octet after which an object's stream is given up. */
const STALLED_MS = 60_000;
/** Objects of one page. S3 gives no more. */
const PAGE = 1000;

interface Client {
  readonly s3: typeof S3;
  readonly made: S3.S3Client;
}

/** S3. */
export function createObjectStore({ config, clock }: SdkBase): ObjectStore {
  const client = lazily(async (): Promise<Client> => {
    const s3 = await import('@aws-sdk/client-s3');
    const made = new s3.S3Client({
      ...config,
      followRegionRedirects: true,
      // An emulator or a VPC endpoint has no host name for each bucket.
      forcePathStyle: config.endpoint !== undefined,
      // What SES has put there carries no checksum, and TLS guards the way.
      responseChecksumValidation: 'WHEN_REQUIRED',
      requestChecksumCalculation: 'WHEN_REQUIRED',
    });
    return { s3, made };
  });
  return {
    get(bucket, key) {
      const what = `S3 GetObject ${bucket}/${key}`;
      return told(what, async () => get(await client(), clock, what, bucket, key));
    },
    list: (bucket, prefix, after) =>
      told(`S3 ListObjectsV2 ${bucket}/${prefix}`, async () => page(await client(), bucket, prefix, after)),
    async put(bucket, key, octets, { onlyNew = false } = {}) {
      try {
        await told(`S3 PutObject ${bucket}/${key}`, async () =>
          put(await client(), bucket, key, octets, onlyNew),
        );
        return true;
      } catch (error) {
        // 409: somebody else is putting it at this moment.
        if (onlyNew && isCode(error, 'PreconditionFailed', 'ConditionalRequestConflict')) return false;
        throw error;
      }
    },
    async remove(bucket, key) {
      try {
        await told(`S3 DeleteObject ${bucket}/${key}`, async () => {
          const { s3, made } = await client();
          await made.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key: key }));
        });
      } catch (error) {
        if (!isCode(error, 'NoSuchKey')) throw error;
      }
    },
  };
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof AwsError && error.code !== undefined && codes.includes(error.code);
}

async function get(
  { s3, made }: Client,
  clock: Clock,
  what: string,
  bucket: string,
  key: string,
): ReturnType<ObjectStore['get']> {
  const found = await made.send(new s3.GetObjectCommand({ Bucket: bucket, Key: key }));
  const { Body: body, ContentLength: size } = found;
  if (body === undefined || size === undefined)
    throw new AwsError('server', `${what}: an answer without a body`);
  return { size, body: octets(body as unknown as Source, size, clock, what) };
}

async function put(
  { s3, made }: Client,
  bucket: string,
  key: string,
  content: Uint8Array,
  onlyNew: boolean,
): Promise<void> {
  await made.send(
    new s3.PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: content,
      ContentLength: content.length,
      ...(onlyNew && { IfNoneMatch: '*' }),
    }),
  );
}

async function page(
  { s3, made }: Client,
  bucket: string,
  prefix: string,
  after: string | undefined,
): Promise<{ readonly objects: readonly ObjectFacts[]; readonly more: boolean }> {
  const found = await made.send(
    new s3.ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      MaxKeys: PAGE,
      ...(after !== undefined && { StartAfter: after }),
    }),
  );
  const objects = (found.Contents ?? []).flatMap((each): ObjectFacts[] => {
    if (each.Key === undefined) return [];
    return [{ key: each.Key, size: each.Size ?? 0, modifiedAt: each.LastModified?.getTime() ?? 0 }];
  });
  return { objects, more: found.IsTruncated === true };
}

type Source = AsyncIterable<Uint8Array> & { destroy(error?: Error): void };

/** The object's octets; an AwsError when they break off, stall or are fewer than announced. */
async function* octets(source: Source, size: number, clock: Clock, what: string): AsyncGenerator<Buffer> {
  let read = 0;
  const timer = clock.setTimer(STALLED_MS, () => source.destroy(new Error('no octets any more')));
  try {
    for await (const piece of source) {
      timer.refresh();
      read += piece.length;
      yield Buffer.from(piece.buffer, piece.byteOffset, piece.length);
      // Whoever reads may take its time.
      timer.refresh();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AwsError('network', `${what}: it broke off after ${read} of ${size} octets (${why})`, {
      cause: error,
    });
  } finally {
    timer.cancel();
    source.destroy();
  }
  if (read !== size) throw new AwsError('network', `${what}: it ended after ${read} of ${size} octets`, {});
}
