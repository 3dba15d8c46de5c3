import type { ObjectFacts } from '../../net/aws/types.ts';
import { pollQueue, readDeadLetters } from './queued.ts';
import type { Driver, DriverParts } from './supervise.ts';
import { sweepBucket } from './sweep.ts';
import type { IntakeParts, OpenSource } from './types.ts';

/** One way of being told, as it is shown. */
export interface WayState {
  readonly way: 'sqs' | 'dead-letter' | 'sweep' | 'sns';
  /** When it last worked, milliseconds since the epoch. */
  readonly okAt: number | undefined;
  /** Why it does not; '' when it does. */
  readonly problem: string;
}

export interface RunningSource {
  readonly source: OpenSource;
  ways(): readonly WayState[];
  /** The oldest object that the last look through the bucket left there as too new. */
  left(): ObjectFacts | undefined;
  /** Have a look into the dead-letter queue now. */
  poke(): void;
  stop(): Promise<void>;
}

/** Begin all ways of being told that a source has. All of them drain at once what has gathered while we were away. */
export function startSource(parts: IntakeParts & DriverParts, source: OpenSource): RunningSource {
  const { settings } = source;
  const dead = settings.dead_letter_queue_url === '' ? undefined : readDeadLetters(parts, source);
  const poke = (): void => dead?.poke();
  const queue = settings.queue_url === '' ? undefined : pollQueue(parts, source, poke);
  const sweeps = settings.bucket !== '' && settings.sweep_minutes > 0;
  const sweeper = sweeps ? sweepBucket(parts, source, poke) : undefined;
  const drivers: readonly (readonly [WayState['way'], Driver | undefined])[] = [
    ['sqs', queue],
    ['dead-letter', dead],
    ['sweep', sweeper],
  ];
  return {
    source,
    poke,
    left: () => sweeper?.last.result?.left,
    ways() {
      const sns: WayState[] =
        settings.topic_arns.length === 0 ? [] : [{ way: 'sns', okAt: undefined, problem: '' }];
      return [
        ...sns,
        ...drivers.flatMap(([way, driver]): WayState[] =>
          driver === undefined ? [] : [{ way, okAt: driver.state.okAt, problem: driver.state.problem }],
        ),
      ];
    },
    async stop() {
      await Promise.all(drivers.map(([, driver]) => driver?.stop()));
    },
  };
}
