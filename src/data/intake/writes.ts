import { createHash } from 'node:crypto';
import type { WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { settingByName } from '../directory/directory.sql.ts';
import { requireAdmin } from '../directory/permission.ts';
import { saveSetting } from '../directory/site-settings.ts';
import type { Actor } from '../directory/types.ts';
import {
  dropObject,
  dropOldProblems,
  dropProblem,
  dropRecipients,
  markRemoved,
  oldObjects,
  putOff,
  putProblem,
} from './intake.sql.ts';
import { settleIntake } from './note.ts';
import type { IntakeName, IntakeSettle, ToldBy } from './types.ts';

/** Under this name the settings table has what the site wants of its intake, as JSON. */
const SETTING = 'intake';
/** UTF-16 units kept of a notice that cannot be understood, and of what is wrong with it. */
const BODY_LENGTH = 64 * 1024;
const REASON_LENGTH = 500;

/** Undefined: nothing was ever set. */
export async function settings(tx: ReadTx): Promise<string | undefined> {
  return (await tx.get(settingByName, SETTING))?.value;
}

function saveSettings(tx: WriteTx, { actor, json }: { actor: Actor; json: string }): Promise<null> {
  return saveSetting(tx, { actor, name: SETTING, json, action: 'intake.settings', subject: 'the site' });
}

async function removed(tx: WriteTx, { bucket, key }: IntakeName): Promise<null> {
  await tx.run(markRemoved, tx.now, bucket, key);
  return null;
}

async function later(tx: WriteTx, args: IntakeName & { nextAt: number; reason: string }): Promise<null> {
  await tx.run(putOff, Math.floor(args.nextAt), clean(args.reason, REASON_LENGTH), args.bucket, args.key);
  return null;
}

interface NewProblem {
  readonly source: string;
  readonly toldBy: ToldBy;
  readonly reason: string;
  readonly body: string;
}

async function problem(tx: WriteTx, { source, toldBy, reason, body }: NewProblem): Promise<null> {
  const kept = clean(body, BODY_LENGTH);
  const digest = createHash('sha256').update(source).update('\n').update(body).digest('hex');
  await tx.run(putProblem, digest, source, toldBy, tx.now, tx.now, clean(reason, REASON_LENGTH), kept);
  return null;
}

async function forgetProblem(tx: WriteTx, args: { actor: Actor; id: number }): Promise<boolean> {
  requireAdmin(args.actor);
  return (await tx.run(dropProblem, args.id)) > 0;
}

async function forget(
  tx: WriteTx,
  args: { before: number; problemsBefore: number; limit: number },
): Promise<{ more: boolean }> {
  const old = await tx.all(oldObjects, args.before, args.limit);
  for (const { bucket, object_key: key } of old) {
    await tx.run(dropRecipients, bucket, key);
    await tx.run(dropObject, bucket, key);
  }
  await tx.run(dropOldProblems, args.problemsBefore);
  return { more: old.length >= args.limit };
}

/** Text from outside, made fit for either engine: no NUL, no half surrogates, bounded. */
function clean(text: string, length: number): string {
  return text.slice(0, length).replaceAll('\0', '\ufffd').toWellFormed();
}

type W<A, R> = WriteFunction<A, R>;

export const writes = {
  /** An object that waits, is stuck, gone, or for nobody. Refusal 'conflict' as with an accept. */
  'intake.settle': settleIntake as W<IntakeSettle, null>,
  /** It is no longer in the bucket. */
  'intake.removed': removed as W<IntakeName, null>,
  /** What is to be done next with it could not be done; again at `nextAt`. */
  'intake.later': later as W<IntakeName & { nextAt: number; reason: string }, null>,
  /** A notice that cannot be understood: kept, counted when it comes again. */
  'intake.problem': problem as W<NewProblem, null>,
  /** Refusal 'not-permitted'. False: there is none of that number. */
  'intake.forgetProblem': forgetProblem as W<{ actor: Actor; id: number }, boolean>,
  /** A job: forget objects that are out of the bucket, and old problems. */
  'intake.forget': forget as W<{ before: number; problemsBefore: number; limit: number }, { more: boolean }>,
  /** The JSON must have been checked. Refusal 'not-permitted'. */
  'intake.saveSettings': saveSettings as W<{ actor: Actor; json: string }, null>,
} as const;
