import { Refusal } from '../../base/errors.ts';
import { timeId } from '../../base/ids.ts';
import type { WriteFunction } from '../catalogue.ts';
import type { WriteTx } from '../db/sql.ts';
import { audit, requireAdmin } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import { record } from '../journal/record.ts';
import {
  bansOfSubject,
  deleteBansBefore,
  deleteExemption,
  deleteKnownBefore,
  exemptionOf,
  insertBan,
  liftBans,
  putExemption,
  putKnownLogin,
} from './bans.sql.ts';
import { banEvent, subjectTerm } from './events.ts';
import { parseNetwork } from './networks.ts';
import { causeText, toBan } from './rows.ts';
import { type Ban, BAN_MEMORY_MS, type BanKind, type Exemption, KNOWN_MS, type KnownPlace } from './types.ts';

type W<A, R> = WriteFunction<A, R>;

/** UTF-16 units of an administrator's words. */
const NOTE_LENGTH = 500;

function clean(text: string): string {
  return text.slice(0, NOTE_LENGTH).replaceAll('\0', '').toWellFormed();
}

/** A ban by the counters, or anything else that is settled already. */
async function set(tx: WriteTx, ban: Ban): Promise<null> {
  const { kind, subject, offences, since, until } = ban;
  await tx.run(insertBan, kind, subject, causeText(ban), offences, since, until);
  return null;
}

/** A ban by an administrator; it may only make longer what holds already. Refusals 'bad-input', 'conflict'. */
export async function add(
  tx: WriteTx,
  args: { actor: Actor; network: string; forMs: number; reason: string },
): Promise<Ban> {
  requireAdmin(args.actor);
  const { text: subject } = parseNetwork(args.network, true);
  if (!(args.forMs >= 1000)) throw new Refusal('bad-input', 'A ban lasts a second at least.');
  const until = tx.now + Math.min(args.forMs, BAN_MEMORY_MS);
  const [longest] = await tx.all(bansOfSubject, 'network', subject, tx.now);
  if (longest !== undefined && longest.until >= until) {
    throw new Refusal('conflict', `${subject} is banned for longer than that already; lift that ban first.`);
  }
  const reason = clean(args.reason);
  const ban: Ban = { kind: 'network', subject, cause: 'manual', reason, offences: 0, since: tx.now, until };
  await set(tx, ban);
  const undo = { kind: 'ban-added', subject, until } as const;
  await audit(tx, args.actor, 'ban.add', subject, { until, reason }, undo);
  await record(tx, [banEvent(ban, { by: args.actor.name, trace: timeId(tx.now), terms: [] })]);
  return ban;
}

/** End a ban, and forget those before it, so that the next one is short again. Refusal 'not-found'. */
export async function lift(
  tx: WriteTx,
  args: { actor: Actor; kind: BanKind; subject: string },
): Promise<{ active: boolean }> {
  requireAdmin(args.actor);
  const { actor, kind, subject } = args;
  const [latest] = await tx.all(bansOfSubject, kind, subject, tx.now - BAN_MEMORY_MS);
  if (latest === undefined) throw new Refusal('not-found', `${subject} is not banned.`);
  await tx.run(liftBans, tx.now, actor.name, kind, subject, tx.now - BAN_MEMORY_MS);
  const active = latest.until > tx.now;
  const { until, offences } = latest;
  const undo = {
    kind: 'ban-lifted',
    ban: kind,
    subject,
    until,
    reason: toBan(latest).reason,
    offences,
  } as const;
  await audit(tx, actor, 'ban.lift', subject, { until, offences }, active ? undo : undefined);
  const data = { banKind: kind, subject, by: actor.name, until: latest.until, active };
  const event = { trace: timeId(tx.now), at: tx.now, kind: 'ban.lifted', data } as const;
  await record(tx, [{ ...event, terms: [subjectTerm(toBan(latest))] }]);
  return { active };
}

/** A ban of an account that was lifted holds again until it would have ended. */
export async function setAgain(
  tx: WriteTx,
  args: { actor: Actor; subject: string; until: number; reason: string; offences: number },
): Promise<void> {
  requireAdmin(args.actor);
  const { actor, subject, until, reason, offences } = args;
  const ban: Ban = { kind: 'account', subject, cause: 'guessing', reason, offences, since: tx.now, until };
  await set(tx, ban);
  const undo = { kind: 'ban-added', ban: 'account', subject, until } as const;
  await audit(tx, actor, 'ban.add', subject, { until, reason }, undo);
  await record(tx, [banEvent(ban, { by: actor.name, trace: timeId(tx.now), terms: [] })]);
}

export async function exempt(
  tx: WriteTx,
  args: { actor: Actor; network: string; note: string },
): Promise<Exemption> {
  requireAdmin(args.actor);
  const { text: network } = parseNetwork(args.network, false);
  const note = clean(args.note);
  const before = (await tx.get(exemptionOf, network))?.note ?? null;
  await tx.run(putExemption, network, note, tx.now);
  const undo = { kind: 'exemption', network, before, after: note } as const;
  await audit(tx, args.actor, 'ban.exempt', network, { note }, undo);
  return { network, note, since: tx.now };
}

/** Refusal 'not-found'. */
export async function unexempt(tx: WriteTx, args: { actor: Actor; network: string }): Promise<null> {
  requireAdmin(args.actor);
  const { text: network } = parseNetwork(args.network, false);
  const before = (await tx.get(exemptionOf, network))?.note ?? null;
  if ((await tx.run(deleteExemption, network)) === 0) {
    throw new Refusal('not-found', `${network} is not on the list of networks that are never banned.`);
  }
  const undo = { kind: 'exemption', network, before, after: null } as const;
  await audit(tx, args.actor, 'ban.unexempt', network, {}, undo);
  return null;
}

async function know(tx: WriteTx, args: { places: readonly KnownPlace[] }): Promise<null> {
  for (const { accountId, network, lastAt } of args.places) {
    await tx.run(putKnownLogin, accountId, network, lastAt, accountId);
  }
  return null;
}

async function forget(tx: WriteTx, args: { now: number; limit: number }): Promise<{ more: boolean }> {
  // A day over the time they count, so that a clock set back does not lose any.
  const spare = 86_400_000;
  await tx.run(deleteKnownBefore, args.now - KNOWN_MS - spare);
  const bans = await tx.run(deleteBansBefore, args.now - BAN_MEMORY_MS - spare, args.limit);
  return { more: bans >= args.limit };
}

export const writes = {
  /** A ban that the counters have set; its event is background (banEvent). */
  'bans.set': set as W<Ban, null>,
  'bans.add': add as W<{ actor: Actor; network: string; forMs: number; reason: string }, Ban>,
  /** `active`: whether it still held. */
  'bans.lift': lift as W<{ actor: Actor; kind: BanKind; subject: string }, { active: boolean }>,
  'bans.exempt': exempt as W<{ actor: Actor; network: string; note: string }, Exemption>,
  'bans.unexempt': unexempt as W<{ actor: Actor; network: string }, null>,
  /** Logins that succeeded: the places their accounts know. */
  'bans.know': know as W<{ places: readonly KnownPlace[] }, null>,
  /** A job: what counts for nothing any more. */
  'bans.forget': forget as W<{ now: number; limit: number }, { more: boolean }>,
} as const;
