import { errorText, Refusal } from '../../base/errors.ts';
import { AwsError } from '../../net/aws/types.ts';
import { parsePath } from '../../mail/address/path.ts';
import { dropBody } from '../intake.ts';
import { replyText } from '../journal.ts';
import { requireRoom } from '../room.ts';
import { type Arrival, readArrival } from './arrival.ts';
import { type IntakeCase, intakeEvent, openCase, partOf } from './case.ts';
import { bounce, refusedEvent } from './bounce.ts';
import { deliver, settledAs } from './deliver.ts';
import { isSetupNotification } from './notice.ts';
import { type Addressed, addressAll, guessRecipients, isForeign, recipientId } from './recipients.ts';
import { backoffMs, isOver, removalAt, removesAtOnce, retryAt } from './times.ts';
import type { IntakeParts, OpenSource, Taken, Told } from './types.ts';

/** Tries after which an object that makes us fail is left to a person: some hours. */
const TRIES_MAX = 14;

/**
 * Take in one object of a bucket, told by whatever way and however often: each recipient gets it once, in the commit that
 * writes down that it did, and it leaves the bucket only after that. Rejects only when the store cannot be written to;
 * everything else is an outcome, and what has to wait is tried again by itself.
 */
export function takeIn(parts: IntakeParts, source: OpenSource, told: Told): Promise<Taken> {
  const { name, bucket } = source.settings;
  return parts.turns.run(`${bucket}\n${told.key}`, async () => {
    const one = await openCase(parts.deps(), source, told);
    const taken = await decided(parts, one);
    parts.metrics.outcome(name, told.by, taken);
    return taken;
  });
}

/** What can be said without looking at the object; else the object itself. */
async function decided(parts: IntakeParts, one: IntakeCase): Promise<Taken> {
  const { before, told, deps } = one;
  if (isSetupNotification(told.key)) return setUp(one);
  if (before === undefined || told.by === 'admin') return attempt(parts, one);
  const open = openRecipients(one);
  if (before.state === 'stuck' && !(before.recipients === undefined && open)) {
    return { outcome: 'stuck', reason: before.reason };
  }
  if (before.state === 'gone') return { outcome: 'gone' };
  if ((before.state === 'done' || before.state === 'guessed') && !open) return ended(one);
  const waits = before.state === 'waiting' && before.nextAt !== undefined && before.nextAt > deps.clock.now();
  // A notice may bring what was missing: whom it is for.
  if (waits && !(before.recipients === undefined && open)) {
    return { outcome: 'waiting', reason: before.reason, nextAt: before.nextAt ?? 0 };
  }
  return attempt(parts, one);
}

/** Somebody is named who has not got it. */
function openRecipients({ recipients, settled, deps }: IntakeCase): boolean {
  const has = new Set(settled.map(({ recipient }) => recipient));
  return recipients?.some((each) => !has.has(recipientId(each, deps.settings.hostname))) === true;
}

/** Everybody has it; what may be left is to remove it. */
async function ended(one: IntakeCase): Promise<Taken> {
  const { before, deps, recipients, told } = one;
  if (before === undefined || before.removedAt !== undefined) return { outcome: 'taken', again: true };
  // A notice that names nobody new ends the guessing.
  const complete = before.state === 'guessed' && recipients !== undefined && told.notice !== undefined;
  // We were interrupted between the commit and the removal. Without a time it is to stay.
  const left = before.state === 'done' && before.nextAt !== undefined && removesAtOnce(one);
  const due = before.nextAt !== undefined && before.nextAt <= deps.clock.now();
  if (complete || left || due) await remove(one);
  return { outcome: 'taken', again: true };
}

async function attempt(parts: IntakeParts, one: IntakeCase): Promise<Taken> {
  try {
    return await take(parts, one);
  } catch (error) {
    return failed(one, error);
  }
}

async function take(parts: IntakeParts, one: IntakeCase): Promise<Taken> {
  const { deps, source, told, trace, notice } = one;
  const { bucket, region } = source.settings;
  if (one.recipients !== undefined && !openRecipients(one) && one.before !== undefined) {
    return one.before.state === 'done' ? ended(one) : completed(one, false);
  }
  requireRoom(deps);
  const { size, body } = await source.objects.get(bucket, told.key);
  const arrival = await readArrival({ deps, body, region, trace, notice });
  const guessed = one.recipients === undefined;
  let foreign = false;
  try {
    const { header } = arrival.message;
    const addresses = one.recipients ?? (await guessRecipients(deps, header, arrival.fields));
    if (addresses.length === 0) return await nobodyNamed(one, arrival);
    const addressed = await addressAll(deps, addresses, one.settled, arrival.reversePath, size);
    const { reached, unknown, later } = overdue(one, addressed);
    if (reached.length + unknown.length + later.length === 0) {
      await discard(one, arrival);
      return await completed(one, guessed);
    }
    foreign = unknown.some(({ refusal }) => isForeign(refusal));
    await deliver({ parts, one, arrival, addressed: { reached, unknown, later }, guessed });
  } catch (error) {
    arrival.authentication.abandon();
    throw error;
  }
  // Mail for a domain that is not ours may be somebody else's to take.
  return finish(one, guessed || foreign);
}

/** Everybody has it, though it was not written down so: the answer of the commit was lost, or somebody else was first. */
async function completed(one: IntakeCase, guessed: boolean): Promise<Taken> {
  const state = guessed ? 'guessed' : 'done';
  const nextAt = removalAt(one, guessed);
  const part = partOf(one, { state, nextAt, reason: '', attempt: false, settled: [] });
  await one.deps.store.write.run('intake.settle', { part, notices: [], events: [] });
  await finish(one, guessed);
  return { outcome: 'taken', again: true };
}

/** Who was tried for as long as the queue would is given up. */
function overdue(one: IntakeCase, addressed: Addressed): Addressed {
  if (!isOver(one)) return addressed;
  return { ...addressed, unknown: [...addressed.unknown, ...addressed.later], later: [] };
}

async function discard(one: IntakeCase, { message, authentication }: Arrival): Promise<void> {
  authentication.abandon();
  await dropBody(one.deps.store.bodies, message.blob);
}

/** After the commit: how it stands now, and out of the bucket with it when it stands well. */
async function finish(one: IntakeCase, stays: boolean): Promise<Taken> {
  const { deps, source, told } = one;
  const known = await deps.store.read.run('intake.object', { bucket: source.settings.bucket, key: told.key });
  const state = known?.object;
  if (state?.state === 'waiting')
    return { outcome: 'waiting', reason: state.reason, nextAt: state.nextAt ?? deps.clock.now() };
  if (!stays && removesAtOnce(one)) await remove(one);
  return { outcome: 'taken', again: false };
}

/** Out of the bucket. What fails is tried again later: everybody has it, so nothing depends on it. */
async function remove({ deps, source, told, before }: IntakeCase): Promise<void> {
  const { bucket, name } = source.settings;
  try {
    await source.objects.remove(bucket, told.key);
    await deps.store.write.run('intake.removed', { bucket, key: told.key });
  } catch (error) {
    const reason = `it could not be removed from the bucket: ${errorText(error)}`;
    deps.logger.warn({ source: name, key: told.key, error: errorText(error) }, 'intake: not removed');
    const nextAt = deps.clock.now() + backoffMs((before?.attempts ?? 0) + 2);
    await deps.store.write.run('intake.later', { bucket, key: told.key, nextAt, reason });
  }
}

async function setUp(one: IntakeCase): Promise<Taken> {
  const { deps, source, told } = one;
  try {
    await source.objects.remove(source.settings.bucket, told.key);
    deps.logger.info({ source: source.settings.name }, 'intake: SES has set up the bucket');
  } catch (error) {
    deps.logger.warn({ source: source.settings.name, error: errorText(error) }, 'intake: not removed');
  }
  return { outcome: 'setup' };
}

/** Nobody said whom it is for, and its header names nobody here: a blind copy, or mail for others. */
async function nobodyNamed(one: IntakeCase, arrival: Arrival): Promise<Taken> {
  await discard(one, arrival);
  return stuck(
    one,
    'nobody told whom it is for, and its header names nobody here: postern intake retry KEY --to ADDRESS',
  );
}

/**
 * A message that is too large here is the sender's to send some other way: a notification tells what port 25 would have
 * said, where SES has proven the sender. Undefined: nobody can be told.
 */
async function sentBack(one: IntakeCase, refusal: Refusal): Promise<Taken | undefined> {
  const { deps, notice, source, settled, trace, receivedAt } = one;
  const reversePath = notice?.sender ?? '';
  const has = new Set(settled.map(({ recipient }) => recipient));
  const open = one.recipients?.filter((each) => !has.has(recipientId(each, deps.settings.hostname))) ?? [];
  const proven =
    notice?.verdicts.spf === 'PASS' && parsePath(reversePath, { smtputf8: true }).kind === 'mailbox';
  const bounces = source.settings.unknown_recipients === 'bounce' && refusal.kind === 'too-large';
  if (open.length === 0 || !proven || !bounces) return undefined;
  const about = open.map((address) => ({ address, refusal }));
  const header = Buffer.from('\r\n');
  const { outgoing, event } = await bounce(deps, { trace, reversePath, about, receivedAt, header });
  const part = partOf(one, {
    state: 'done',
    nextAt: removalAt(one, false),
    reason: replyText(refusal.smtp),
    attempt: false,
    settled: settledAs(one, about, 'bounced'),
  });
  const first = intakeEvent(one, 'intake.ended', { reason: part.reason });
  const events = [first, ...about.map((each) => refusedEvent(deps, trace, each, true)), event];
  await deps.store.write.run('intake.settle', { part, notices: [outgoing], events });
  deps.recorder.committed(events);
  return finish(one, false);
}

async function stuck(one: IntakeCase, reason: string): Promise<Taken> {
  const event = intakeEvent(one, 'intake.ended', { reason, stuck: true });
  const part = partOf(one, { state: 'stuck', nextAt: undefined, reason, attempt: true, settled: [] });
  await one.deps.store.write.run('intake.settle', { part, notices: [], events: [event] });
  one.deps.recorder.committed([event]);
  one.deps.logger.error({ source: part.source, key: part.key, reason }, 'intake: needs a person');
  return { outcome: 'stuck', reason };
}

/** What a failure means for the object. */
async function failed(one: IntakeCase, error: unknown): Promise<Taken> {
  if (isAbsent(error)) return gone(one);
  if (error instanceof Refusal) {
    const words = error.smtp === undefined ? error.message : replyText(error.smtp);
    // As it is it will never do: too large, a header without end, a loop.
    if ((error.smtp?.code ?? 450) >= 500) return (await sentBack(one, error)) ?? stuck(one, words);
    return wait(one, words);
  }
  if (error instanceof AwsError) return wait(one, error.message);
  const { deps, told, before } = one;
  const stack = error instanceof Error ? error.stack : undefined;
  deps.logger.error({ key: told.key, error: errorText(error), stack }, 'intake: an object makes it fail');
  if ((before?.attempts ?? 0) + 1 >= TRIES_MAX)
    return stuck(one, `it has failed ${TRIES_MAX} times: ${errorText(error)}`);
  return wait(one, errorText(error));
}

/** A bucket that does not exist is trouble; an object that does not is news. */
function isAbsent(error: unknown): boolean {
  return error instanceof AwsError && error.kind === 'missing' && error.code !== 'NoSuchBucket';
}

async function wait(one: IntakeCase, reason: string): Promise<Taken> {
  const nextAt = retryAt(one);
  const event = intakeEvent(one, 'intake.waiting', {
    reason,
    nextAt,
    attempt: (one.before?.attempts ?? 0) + 1,
  });
  const part = partOf(one, { state: 'waiting', nextAt, reason, attempt: true, settled: [] });
  await one.deps.store.write.run('intake.settle', { part, notices: [], events: [] });
  one.deps.recorder.event(event);
  return { outcome: 'waiting', reason, nextAt };
}

/** It was told of, but is not there: taken by another, or removed by a person. Recipients without it are named. */
async function gone(one: IntakeCase): Promise<Taken> {
  const { deps, before, recipients = [], settled } = one;
  const has = new Set(settled.map(({ recipient }) => recipient));
  const without = recipients.filter((each) => !has.has(recipientId(each, deps.settings.hostname)));
  if (before !== undefined && without.length === 0 && before.state !== 'waiting') {
    await deps.store.write.run('intake.removed', { bucket: before.bucket, key: before.key });
    return { outcome: 'taken', again: true };
  }
  const reason = 'it is not in the bucket: somebody else has taken or removed it';
  const event = intakeEvent(one, 'intake.ended', { reason, without });
  const part = partOf(one, {
    state: 'gone',
    nextAt: undefined,
    reason,
    attempt: true,
    settled: [],
  });
  await deps.store.write.run('intake.settle', { part, notices: [], events: [event] });
  deps.recorder.committed([event]);
  return { outcome: 'gone' };
}
