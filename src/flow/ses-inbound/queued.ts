import type { ToldBy } from '../../data/intake/types.ts';
import type { QueuedNotice } from '../../net/aws/types.ts';
import { parseNotice, type SesNotice, unwrap } from './notice.ts';
import { failureText, keepProblem } from './problems.ts';
import { type Driver, type DriverParts, InFlight, supervise, Wake } from './supervise.ts';
import { takeIn } from './take.ts';
import type { IntakeParts, OpenSource, Taken } from './types.ts';

/** Seconds of a long poll (SQS has no longer one), and in the dead-letter queue, which is read to its end. */
const POLL_SECONDS = 20;
const DEAD_LETTER_POLL_SECONDS = 10;
/** Seconds that a notice is hidden from others while it is worked on. */
const HIDE_SECONDS = 600;
const DEAD_LETTER_HIDE_SECONDS = 3600;
/** Seconds that SQS hides at most, counted from the receive; and for what our own store could not do. */
const HIDE_MAX_SECONDS = 11 * 3600;
const TROUBLE_HIDE_SECONDS = 30;
/** Notices of one queue that are worked on at once: they wait for their turn among all. */
const IN_FLIGHT = 20;

/** What SES and SNS say to try a topic out; nothing is meant by it. */
const GREETING = /^(?:Successfully validated SNS topic|This message is to validate)/;

/** A notice that concerns a source, what it was instead, or what is wrong with it. */
export type Read =
  | { readonly kind: 'mail'; readonly notice: SesNotice }
  /** Nothing is to be done (any more). */
  | { readonly kind: 'greeting' }
  | { readonly kind: 'problem'; readonly reason: string };

export function readMessage(source: OpenSource, message: string): Read {
  if (GREETING.test(message)) return { kind: 'greeting' };
  const notice = parseNotice(message);
  if ('problem' in notice) return { kind: 'problem', reason: notice.problem };
  const { bucket } = source.settings;
  // Whoever can write to the topic must not have us read, and delete, elsewhere.
  if (notice.bucket !== bucket)
    return { kind: 'problem', reason: `it names the bucket ${notice.bucket.slice(0, 100)}, not ${bucket}` };
  return { kind: 'mail', notice };
}

async function readBody({ others }: IntakeParts, source: OpenSource, body: string): Promise<Read> {
  const unwrapped = unwrap(body);
  if ('problem' in unwrapped) return { kind: 'problem', reason: unwrapped.problem };
  const { message, topicArn } = unwrapped;
  const { topic_arns: topics } = source.settings;
  if (topicArn !== undefined && topics.length > 0 && !topics.includes(topicArn))
    return { kind: 'problem', reason: `it is of the topic ${topicArn.slice(0, 200)}, which is not listed` };
  const read = readMessage(source, message);
  const taken = read.kind === 'problem' && (await others?.(message, topicArn)) === true;
  return taken ? { kind: 'greeting' } : read;
}

/** One notice of a queue: what it tells of is taken in, and it leaves the queue when nothing is left to be done for it. */
async function handle(
  parts: IntakeParts,
  source: OpenSource,
  by: ToldBy,
  url: string,
  queued: QueuedNotice,
): Promise<void> {
  const { clock } = parts.deps();
  const read = await readBody(parts, source, queued.body);
  if (read.kind === 'problem') await keepProblem(parts, source.settings.name, by, read.reason, queued.body);
  if (read.kind === 'mail') {
    const { notice } = read;
    const taken: Taken = await takeIn(parts, source, { key: notice.key, by, notice });
    if (taken.outcome === 'waiting') {
      const seconds = Math.ceil((taken.nextAt - clock.now()) / 1000);
      await source.notices.hide(url, queued.receipt, Math.min(HIDE_MAX_SECONDS, Math.max(1, seconds)));
      return;
    }
  }
  await source.notices.remove(url, queued.receipt);
}

/** Never rejects: what could not be done is seen again when the queue shows it again. */
async function handleSafely(
  parts: IntakeParts,
  source: OpenSource,
  by: ToldBy,
  url: string,
  queued: QueuedNotice,
): Promise<void> {
  try {
    await handle(parts, source, by, url, queued);
  } catch (error) {
    const { logger } = parts.deps();
    logger.warn({ source: source.settings.name, error: failureText(error) }, 'intake: a notice has to wait');
    await source.notices.hide(url, queued.receipt, TROUBLE_HIDE_SECONDS).catch(() => undefined);
  }
}

/** Ask the source's queue for notices, for as long as it runs. */
export function pollQueue(
  parts: IntakeParts & DriverParts,
  source: OpenSource,
  recovered: () => void,
): Driver {
  const { queue_url: url, name } = source.settings;
  const options = { waitSeconds: POLL_SECONDS, hideSeconds: HIDE_SECONDS };
  return supervise(
    parts,
    `sqs ${name}`,
    async (signal, ok) => {
      const inFlight = new InFlight(IN_FLIGHT);
      try {
        while (!signal.aborted) {
          const found = await source.notices.receive(url, { ...options, signal });
          ok();
          for (const queued of found) await inFlight.add(handleSafely(parts, source, 'sqs', url, queued));
        }
      } finally {
        await inFlight.idle();
      }
    },
    recovered,
  );
}

export interface DeadLetters extends Driver {
  /** Have a look now. */
  poke(): void;
}

/** Read what SNS could not deliver: now, at every interval, and when asked. */
export function readDeadLetters(parts: IntakeParts & DriverParts, source: OpenSource): DeadLetters {
  const { name, dead_letter_interval: seconds } = source.settings;
  const wake = new Wake();
  const driver = supervise(parts, `dead letters ${name}`, async (signal, ok) => {
    while (!signal.aborted) {
      const count = await emptyDeadLetters(parts, source, signal);
      if (signal.aborted) return;
      if (count > 0) parts.logger.info({ source: name, count }, 'intake: read the dead-letter queue');
      ok();
      await wake.sleep(parts.clock, seconds * 1000, signal);
    }
  });
  return { ...driver, state: driver.state, poke: () => wake.now() };
}

/** One pass through the dead-letter queue. What has to wait stays in it, hidden until it is tried again. */
async function emptyDeadLetters(
  parts: IntakeParts,
  source: OpenSource,
  signal: AbortSignal,
): Promise<number> {
  const { dead_letter_queue_url: url } = source.settings;
  const inFlight = new InFlight(IN_FLIGHT);
  let count = 0;
  try {
    for (;;) {
      const found = await source.notices.receive(url, {
        waitSeconds: DEAD_LETTER_POLL_SECONDS,
        hideSeconds: DEAD_LETTER_HIDE_SECONDS,
        signal,
      });
      if (found.length === 0) return count;
      count += found.length;
      for (const queued of found) await inFlight.add(handleSafely(parts, source, 'dead-letter', url, queued));
    }
  } finally {
    await inFlight.idle();
  }
}
