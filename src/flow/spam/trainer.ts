import type { Clock } from '../../base/clock.ts';
import { errorText } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import type { ContentRef } from '../../data/mailstore/types.ts';
import { SITE, type Learned, type TrainingWish } from '../../data/spam/types.ts';
import type { Store } from '../../data/store.ts';
import { parseStructure } from '../../mail/message/serialize.ts';
import { sampleOf, sampleOfBuffer, type Sample } from './facts/sample.ts';
import type { Scanner } from './scanner.ts';

/** Wishes worked off in one batch: their models are saved with one commit. */
const BATCH = 50;
/** Milliseconds an email stays where it is before that says what it is. */
const KEPT_MS = 2 * 24 * 3600 * 1000;
/** Milliseconds after which an email is too old to tell. */
const OLD_MS = 60 * 24 * 3600 * 1000;
/** Kept emails learned of one account a night, of each kind. */
const KEPT_MAX = 200;

export interface TrainerParts {
  readonly store: Pick<Store, 'read' | 'write' | 'blobs'>;
  readonly scanner: Scanner;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The site's knob. */
  readonly goodPerJunked: number;
}

/** One message to be learned. */
interface Lesson {
  readonly id: number | undefined;
  readonly accountId: number;
  readonly emailId: number;
  readonly label: 'ham' | 'spam';
  readonly learned: 'ham' | 'spam' | undefined;
  readonly content: ContentRef;
}

/**
 * Learn what people have moved into and out of Junk or marked: the oldest wishes first. A wish ends in the commit that
 * saves what was learned of it, so a crash neither loses one nor counts it twice. True when there is more.
 */
export async function learnWishes(parts: TrainerParts): Promise<boolean> {
  const wishes: readonly TrainingWish[] = await parts.store.read.run('spam.pendingTraining', {
    limit: BATCH,
  });
  await learnAll(parts, wishes);
  return wishes.length === BATCH;
}

/** Learn what has stayed where it is: read and kept mail as good, what lies in Junk as unwanted. For the night. */
export async function learnKept(parts: TrainerParts, accountId: number): Promise<number> {
  const now = parts.clock.now();
  const request = { accountId, savedBefore: now - KEPT_MS, receivedAfter: now - OLD_MS, limit: KEPT_MAX };
  const [good, junk] = [
    await parts.store.read.run('spam.keptInbox', request),
    await parts.store.read.run('spam.junkKept', request),
  ];
  const lessons = [...good.map(lessonOf(accountId, 'ham')), ...junk.map(lessonOf(accountId, 'spam'))];
  for (let at = 0; at < lessons.length; at += BATCH) await learnAll(parts, lessons.slice(at, at + BATCH));
  return lessons.length;
}

function lessonOf(accountId: number, label: Lesson['label']): (content: ContentRef) => Lesson {
  return (content) => ({
    id: undefined,
    accountId,
    emailId: content.emailId,
    label,
    learned: undefined,
    content,
  });
}

/** Lessons of one scanner, one batch after the other: what one has learned another must not store over. */
const turns = new WeakMap<Scanner, Promise<unknown>>();

function inTurn<T>(scanner: Scanner, run: () => Promise<T>): Promise<T> {
  const before = turns.get(scanner) ?? Promise.resolve();
  const mine = before.then(run, run);
  turns.set(
    scanner,
    mine.catch(() => undefined),
  );
  return mine;
}

function learnAll(parts: TrainerParts, lessons: readonly Lesson[]): Promise<void> {
  return lessons.length === 0 ? Promise.resolve() : inTurn(parts.scanner, () => learnBatch(parts, lessons));
}

async function learnBatch(parts: TrainerParts, lessons: readonly Lesson[]): Promise<void> {
  const { store, scanner, logger } = parts;
  const owners = new Set<number>();
  const done: Learned[] = [];
  try {
    for (const lesson of lessons) {
      const { id, accountId, emailId, label, learned } = lesson;
      if (learned !== label && (await learnOne(parts, lesson))) owners.add(SITE).add(accountId);
      done.push({ id, accountId, emailId, label });
    }
    const models = owners.size === 0 ? [] : await scanner.save([...owners]);
    await store.write.run('spam.learned', { models, done });
  } catch (error) {
    // The thread has learned what was not saved: it has to begin again from what is stored.
    for (const owner of new Set([SITE, ...lessons.map(({ accountId }) => accountId)])) scanner.forget(owner);
    logger.warn({ error: errorText(error) }, 'filter: learning failed, will try again');
    throw error;
  }
}

/**
 * Whether it was learned. What cannot be (deleted since, unreadable, too much for the thread) is given up: the wish
 * must not come again for ever, before all others.
 */
async function learnOne(
  { store, scanner, logger, goodPerJunked }: TrainerParts,
  { accountId, label, content }: Lesson,
): Promise<boolean> {
  try {
    const sample = await sampleOfStored(store, content);
    await scanner.learn({ sample, label, owners: [SITE, accountId], goodPerJunked });
    return true;
  } catch (error) {
    logger.warn({ email: content.emailId, error: errorText(error) }, 'filter: a message cannot be learned');
    return false;
  }
}

/** The sample of a message as it came, without what we put before it. */
export function sampleOfStored(
  { blobs }: Pick<Store, 'blobs'>,
  { blobId, structure }: ContentRef,
): Promise<Sample> {
  const parsed = parseStructure(structure);
  const read = (start: number, end: number): Promise<Buffer> => blobs.bytes(blobId, start, end);
  return read(0, parsed.root.bodyStart).then((header) => sampleOf(parsed, header, read));
}

/** Learn a message that is not stored, for one account (and a little for the site) or for the site alone. */
export async function teach(
  { store, scanner, goodPerJunked }: Pick<TrainerParts, 'store' | 'scanner' | 'goodPerJunked'>,
  octets: Buffer,
  label: Lesson['label'],
  accountId: number | undefined,
): Promise<void> {
  const owners = accountId === undefined ? [SITE] : [SITE, accountId];
  await inTurn(scanner, async () => {
    await scanner.learn({ sample: sampleOfBuffer(octets), label, owners, goodPerJunked });
    await store.write.run('spam.learned', { models: await scanner.save(owners), done: [] });
  });
}
