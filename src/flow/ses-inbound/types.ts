import type { ToldBy } from '../../data/intake/types.ts';
import type { NoticeQueue, ObjectStore } from '../../net/aws/types.ts';
import type { FlowDeps } from '../deps.ts';
import type { Gate } from '../inbound/gate/gate.ts';
import type { IntakeMetrics } from './metrics.ts';
import type { SesNotice } from './notice.ts';
import type { IntakeSource } from './settings.ts';
import type { Turns } from './turns.ts';

/** A source with what it is reached by. */
export interface OpenSource {
  readonly settings: IntakeSource;
  readonly objects: ObjectStore;
  readonly notices: NoticeQueue;
  /** "user:password" that SNS gives; undefined: none is asked for. */
  readonly basicAuth: string | undefined;
  close(): void;
}

/** What we were told of an object. */
export interface Told {
  readonly key: string;
  readonly by: ToldBy;
  /** Undefined: it was found in the bucket, or is tried again. */
  readonly notice?: SesNotice | undefined;
  /** Of the object in the bucket, milliseconds since the epoch, where it was looked at. */
  readonly modifiedAt?: number | undefined;
  /** An administrator names them. */
  readonly recipients?: readonly string[] | undefined;
}

/**
 * What became of it.
 * - taken: everybody it is for has it, now or since before (`again`)
 * - waiting: not yet; it is tried again by itself
 * - gone: it is not in the bucket; setup: it was no mail but SES's first sign of life
 * - stuck: it stays where it is until a person looks at it
 */
export type Taken =
  | { readonly outcome: 'taken'; readonly again: boolean }
  | { readonly outcome: 'waiting'; readonly reason: string; readonly nextAt: number }
  | { readonly outcome: 'gone' | 'setup' }
  | { readonly outcome: 'stuck'; readonly reason: string };

export interface IntakeParts {
  /** Read anew at each use. */
  readonly deps: () => FlowDeps;
  readonly gate: Pick<Gate, 'late'> | undefined;
  readonly metrics: IntakeMetrics;
  readonly turns: Turns;
  /** Messages that are no news of mail (events of what was sent): true when somebody took it. */
  readonly others?: Others | undefined;
}

export type Others = (message: string, topicArn: string | undefined) => Promise<boolean>;
