import { createHash } from 'node:crypto';
import { Refusal } from '../../base/errors.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { audit } from '../directory/permission.ts';
import type { Actor } from '../directory/types.ts';
import { type Spot, scriptName, spotFor } from './places.ts';
import * as sql from './sieve.sql.ts';
import {
  type Change,
  type Place,
  SCRIPT_BYTES,
  SCRIPT_BYTES_PER_ACCOUNT,
  SCRIPTS_PER_ACCOUNT,
  type ScriptInfo,
  type SpaceAnswer,
  type StoredScript,
} from './types.ts';

/** Who watches the account is told that its scripts have changed, whoever changed them. */
function wake(tx: WriteTx, place: Place): void {
  if (place.kind === 'account' || place.kind === 'generated') tx.touch(place.accountId);
}

export function toInfo(row: sql.ScriptRow): ScriptInfo {
  return {
    name: row.name,
    active: row.active === 1,
    size: row.size,
    digest: row.digest,
    createdAt: row.created_at,
    changedAt: row.changed_at,
  };
}

/** By name. @throws Refusal 'no-such-account', 'not-found' (the domain) */
export async function list(tx: ReadTx, { place }: { place: Place }): Promise<ScriptInfo[]> {
  const spot = await spotFor(tx, place, undefined);
  return (await tx.all(sql.scriptsOf, spot.place, spot.owner)).map(toInfo);
}

export async function script(
  tx: ReadTx,
  args: { place: Place; name: string },
): Promise<StoredScript | undefined> {
  const spot = await spotFor(tx, args.place, undefined);
  const row = await find(tx, spot, args.name);
  return row && { ...toInfo(row), text: row.text };
}

/** What cannot be a name is that of no script. */
function find(tx: ReadTx, spot: Spot, given: string) {
  const name = spot.single ? spot.place : given.toWellFormed().normalize('NFC');
  if (name.includes('\0')) return Promise.resolve(undefined);
  return tx.get(sql.scriptByName, spot.place, spot.owner, name);
}

async function need(tx: ReadTx, spot: Spot, name: string) {
  const row = await find(tx, spot, name);
  if (row === undefined) {
    throw new Refusal('not-found', `There is no script "${name}".`, { imapCode: 'NONEXISTENT' });
  }
  return row;
}

/**
 * Whether a script of `size` octets may be put there; one of the name is replaced.
 * @throws Refusal 'bad-input' (the name)
 */
export async function space(
  tx: ReadTx,
  args: { place: Place; name: string; size: number },
): Promise<SpaceAnswer> {
  const spot = await spotFor(tx, args.place, undefined);
  return spaceAt(tx, spot, spot.single ? args.name : scriptName(args.name), args.size);
}

async function spaceAt(tx: ReadTx, spot: Spot, name: string, size: number): Promise<SpaceAnswer> {
  if (size > SCRIPT_BYTES) {
    const text = `A script may have at most ${SCRIPT_BYTES} octets.`;
    return { fits: false, code: 'QUOTA/MAXSIZE', text };
  }
  if (spot.single) return { fits: true };
  const others = await tx.get(sql.spaceOf, spot.place, spot.owner, name);
  if (Number(others?.count ?? 0) >= SCRIPTS_PER_ACCOUNT) {
    const text = `There may be at most ${SCRIPTS_PER_ACCOUNT} scripts: delete one first.`;
    return { fits: false, code: 'QUOTA/MAXSCRIPTS', text };
  }
  if (Number(others?.size ?? 0) + size > SCRIPT_BYTES_PER_ACCOUNT) {
    const text = `All scripts together may have at most ${SCRIPT_BYTES_PER_ACCOUNT} octets.`;
    return { fits: false, code: 'QUOTA', text };
  }
  return { fits: true };
}

/** Store a script under a name, over the one that had it; what is active stays so unless `activate` says otherwise. */
export async function put(
  tx: WriteTx,
  args: Change & { readonly text: string; readonly activate?: boolean },
): Promise<ScriptInfo> {
  const { actor, place, text } = args;
  if (place.kind === 'generated') throw new Refusal('not-permitted', 'That script is made of settings.');
  const spot = await spotFor(tx, place, actor);
  const name = spot.single ? spot.place : scriptName(args.name);
  const row = await store(tx, spot, name, text);
  wake(tx, place);
  await audit(tx, actor, 'sieve.put', spot.subject, { place: spot.place, name, size: row.size });
  if (args.activate !== true || spot.single || place.kind === 'global') return toInfo(row);
  await setActive(tx, spot, row.id);
  await audit(tx, actor, 'sieve.activate', spot.subject, { name });
  return { ...toInfo(row), active: true };
}

/** @throws Refusal 'limit', 'bad-input' */
export async function store(tx: WriteTx, spot: Spot, name: string, text: string): Promise<sql.ScriptRow> {
  // A database of text keeps neither; a script that has them was no text.
  if (!text.isWellFormed() || text.includes('\0'))
    throw new Refusal('bad-input', 'A script must be text: it has a NUL or is no Unicode.');
  const size = Buffer.byteLength(text);
  const room = await spaceAt(tx, spot, name, size);
  if (!room.fits) throw new Refusal('limit', room.text, { imapCode: room.code });
  const digest = createHash('sha256').update(text).digest('hex');
  const active = spot.single ? 1 : 0;
  const row = await tx.get(
    sql.putScript,
    spot.place,
    spot.owner,
    name,
    text,
    size,
    digest,
    active,
    tx.now,
    tx.now,
  );
  if (row === undefined) throw new Error('a script was not stored');
  return row;
}

async function setActive(tx: WriteTx, spot: Spot, id: number | undefined): Promise<void> {
  await tx.run(sql.deactivateAll, spot.place, spot.owner);
  if (id !== undefined) await tx.run(sql.activate, id);
}

/** Which of an account's scripts runs; '' for none (RFC 5804 2.8). */
export async function activate(tx: WriteTx, { actor, place, name }: Change): Promise<null> {
  if (place.kind !== 'account')
    throw new Refusal('bad-input', 'Only the scripts of an account are switched on and off.');
  const spot = await spotFor(tx, place, actor);
  const row = name === '' ? undefined : await need(tx, spot, name);
  await setActive(tx, spot, row?.id);
  wake(tx, place);
  await audit(tx, actor, 'sieve.activate', spot.subject, { name });
  return null;
}

export async function rename(tx: WriteTx, args: Change & { readonly to: string }): Promise<null> {
  const { actor, place, name } = args;
  const spot = await spotFor(tx, place, actor);
  if (spot.single) throw new Refusal('bad-input', 'This script has no name of its own.');
  const to = scriptName(args.to);
  const row = await need(tx, spot, name);
  if (row.name === to) return null;
  if ((await find(tx, spot, to)) !== undefined) {
    throw new Refusal('already-exists', `There is a script "${to}" already.`, { imapCode: 'ALREADYEXISTS' });
  }
  await tx.run(sql.renameScript, to, tx.now, row.id);
  wake(tx, place);
  await audit(tx, actor, 'sieve.rename', spot.subject, { name, to });
  return null;
}

/** RFC 5804 2.10: the active script of an account is not deleted. */
export async function remove(tx: WriteTx, { actor, place, name }: Change): Promise<null> {
  if (place.kind === 'generated') throw new Refusal('not-permitted', 'That script is made of settings.');
  const spot = await spotFor(tx, place, actor);
  const row = await need(tx, spot, name);
  if (row.active === 1 && !spot.single) {
    throw new Refusal('conflict', `The script "${row.name}" is active: switch it off first.`, {
      imapCode: 'ACTIVE',
    });
  }
  await tx.run(sql.deleteScript, row.id);
  wake(tx, place);
  await audit(tx, actor, 'sieve.remove', spot.subject, { place: spot.place, name: row.name });
  return null;
}

/** Settings of an account and the script they became; `script` undefined: nothing of them runs. */
export async function saveSettings(
  tx: WriteTx,
  args: {
    readonly actor: Actor;
    readonly accountId: number;
    readonly settings: string;
    readonly script: string | undefined;
  },
): Promise<null> {
  const spot = await spotFor(tx, { kind: 'generated', accountId: args.accountId }, args.actor);
  await tx.run(sql.putSettings, spot.owner, args.settings, tx.now);
  const old = await find(tx, spot, '');
  if (args.script !== undefined) await store(tx, spot, spot.place, args.script);
  else if (old !== undefined) await tx.run(sql.deleteScript, old.id);
  tx.touch(args.accountId);
  await audit(tx, args.actor, 'sieve.settings', spot.subject, { size: args.settings.length });
  return null;
}
