import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../base/errors.ts';
import { createAws } from '../../net/aws/client.ts';
import { AwsError } from '../../net/aws/types.ts';
import { CHUNK_MOST_BYTES } from './limits.ts';
import type { Place, PlacedObject, PlaceSettings } from './place.ts';

/** Octets of an object that are read: a chunk and what sealing adds, or a snapshot. */
const OBJECT_BYTES = 4 * CHUNK_MOST_BYTES + 1024;
/** Where nothing says a region; stores that are not Amazon's take any. */
const ANY_REGION = 'us-east-1';

/** A backup in a bucket of S3 or of another store that speaks it. */
export function openBucketPlace(settings: PlaceSettings, clock: Clock): Place {
  const [, bucket = '', prefixed = ''] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(settings.target) ?? [];
  if (bucket === '') throw new Refusal('bad-input', `${settings.target} names no bucket.`);
  if (settings.region === '' && settings.endpoint === '')
    throw new Refusal('bad-input', `Say in which region the bucket ${bucket} is (region).`);
  const prefix = prefixed === '' ? '' : `${prefixed.replace(/\/+$/, '')}/`;
  const aws = createAws(
    {
      region: settings.region === '' ? ANY_REGION : settings.region,
      ...(settings.endpoint !== '' && { endpoint: settings.endpoint }),
      ...(settings.credentials_file !== '' && { credentials: { file: settings.credentials_file } }),
      ...(settings.profile !== '' && { profile: settings.profile }),
      ...(settings.role_arn !== '' && { roleArn: settings.role_arn }),
    },
    { clock },
  );
  const { objects } = aws;

  async function* list(below: string): AsyncGenerator<PlacedObject> {
    let after: string | undefined;
    for (;;) {
      const page = await told(() => objects.list(bucket, prefix + below, after));
      for (const { key, size } of page.objects) yield { name: key.slice(prefix.length), size };
      after = page.objects.at(-1)?.key;
      if (!page.more || after === undefined) return;
    }
  }

  return {
    shown: settings.target,
    async put(name, octets) {
      await told(() => objects.put(bucket, prefix + name, octets));
    },
    putNew: (name, octets) => told(() => objects.put(bucket, prefix + name, octets, { onlyNew: true })),
    async get(name) {
      try {
        const { size, body } = await objects.get(bucket, prefix + name);
        if (size > OBJECT_BYTES)
          throw new Refusal('bad-input', `${name} is larger than anything a backup has.`);
        const pieces: Buffer[] = [];
        for await (const piece of body) pieces.push(piece);
        return Buffer.concat(pieces);
      } catch (error) {
        if (error instanceof AwsError && error.kind === 'missing' && error.code !== 'NoSuchBucket')
          return undefined;
        throw asRefusal(error);
      }
    },
    list,
    remove: (name) => told(() => objects.remove(bucket, prefix + name)),
    settle: async () => undefined,
    tidy: async () => undefined,
    close: () => aws.close(),
  };
}

async function told<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw asRefusal(error);
  }
}

function asRefusal(error: unknown): unknown {
  if (!(error instanceof AwsError)) return error;
  return new Refusal(error.kind === 'auth' ? 'not-permitted' : 'unavailable', error.message);
}
