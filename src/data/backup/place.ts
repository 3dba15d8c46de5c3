import type { BackupSettings } from './settings.ts';

/** One thing that lies at a place. */
export interface PlacedObject {
  readonly name: string;
  /** Octets. */
  readonly size: number;
}

/**
 * Where a backup lies: a directory or a bucket. Names are made by us ("chunks/ab/abcd", letters, digits, "-", "." and
 * "/"), so they are safe as paths and as keys. Failures are `Refusal`s that say what could not be done where.
 */
export interface Place {
  /** For people: "/backup" or "s3://bucket/prefix". */
  readonly shown: string;
  /** All octets or none are there afterwards, over what was there before; their name is durable after `settle`. */
  put(name: string, octets: Uint8Array): Promise<void>;
  /** As `put`, but false, with nothing changed, when there is something of this name already. */
  putNew(name: string, octets: Uint8Array): Promise<boolean>;
  /** Undefined: there is no such thing. */
  get(name: string): Promise<Buffer | undefined>;
  /** What lies below a prefix that ends with a slash, in no order. */
  list(prefix: string): AsyncIterable<PlacedObject>;
  /** Removing what is gone already is no error. */
  remove(name: string): Promise<void>;
  /** Resolves when the names of everything that was put are durable too. */
  settle(): Promise<void>;
  /** Clear away what somebody who was killed left half written. Only for the one who holds the lock. */
  tidy(): Promise<void>;
  close(): void;
}

/** How to reach a place: a path, or a bucket with its credentials. */
export type PlaceSettings = Pick<
  BackupSettings,
  'target' | 'region' | 'endpoint' | 'credentials_file' | 'profile' | 'role_arn'
>;
