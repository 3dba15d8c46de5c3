import { SIEVE_LIMITS } from '../../mail/sieve/limits.ts';
import type { Actor } from '../directory/types.ts';

/**
 * Sieve scripts: whose they are, which runs, what they remember.
 *
 * Operations, for ManageSieve and the admin API (`Place` says whose script; ManageSieve uses `{ kind: 'account' }`):
 *
 *   read  sieve.list       { place }                    -> ScriptInfo[], by name            LISTSCRIPTS
 *   read  sieve.script     { place, name }              -> StoredScript | undefined         GETSCRIPT
 *   read  sieve.space      { place, name, size }        -> SpaceAnswer                      HAVESPACE
 *   read  sieve.settings   { accountId }                -> StoredSettings | undefined
 *   write sieve.put        { actor, place, name, text, activate? } -> ScriptInfo            PUTSCRIPT
 *   write sieve.activate   { actor, place, name }       name '': none is active             SETACTIVE
 *   write sieve.rename     { actor, place, name, to }                                       RENAMESCRIPT
 *   write sieve.remove     { actor, place, name }                                           DELETESCRIPT
 *   write sieve.saveSettings { actor, accountId, settings, script }
 *
 * The store does not read scripts: whoever puts one compiles it first (mail/sieve) and refuses what has errors. Refusals:
 * 'not-found' (no script of that name), 'already-exists' (rename onto another), 'limit' (size, count, octets of all;
 * `imapCode` is the ManageSieve response code: QUOTA/MAXSIZE, QUOTA/MAXSCRIPTS, QUOTA), 'conflict' (removing the active
 * one, ACTIVE), 'bad-input' (name), 'not-permitted', 'no-such-account'.
 * The actor may be the account itself (`name` its address, role 'user').
 */

/** Octets of one script. */
export const SCRIPT_BYTES: number = SIEVE_LIMITS.scriptBytes;
/** Scripts of one account, and global ones of the site. */
export const SCRIPTS_PER_ACCOUNT = 100;
/** Octets of all scripts of one account. */
export const SCRIPT_BYTES_PER_ACCOUNT: number = 1024 * 1024;
/** Characters of a script's name (RFC 5804 1.6 asks for at least 128, RFC 9661 1.2.1 for 512 octets). */
export const SCRIPT_NAME_LENGTH = 512;
/** What scripts of an account may remember in a day: senders answered, messages seen. */
export const REMEMBERED_PER_DAY = 5000;
/** Messages that scripts of an account may send on in a day. */
export const REDIRECTS_PER_DAY = 1000;
/** Replies and notifications that scripts of an account may send in a day. */
export const REPLIES_PER_DAY = 1000;
/** Seconds that something is remembered at the most: 90 days, as RFC 7352 and RFC 5230 leave to us. */
export const REMEMBER_SECONDS_MAX = 90 * 86_400;

/** Whose script it is. Where there is one only (`before` and `after`), its name is that of the place. */
export type Place =
  | { readonly kind: 'account'; readonly accountId: number }
  /** Made of an account's settings; written by `sieve.saveSettings` only. */
  | { readonly kind: 'generated'; readonly accountId: number }
  | { readonly kind: 'domain-before' | 'domain-after'; readonly domain: string }
  | { readonly kind: 'site-before' | 'site-after' }
  /** To be included by others (RFC 6609). */
  | { readonly kind: 'global' };

export type PlaceKind = Place['kind'];

/** Times in milliseconds since the epoch. */
export interface ScriptInfo {
  readonly name: string;
  readonly active: boolean;
  /** Octets. */
  readonly size: number;
  /** SHA-256 of the text, hex. */
  readonly digest: string;
  readonly createdAt: number;
  readonly changedAt: number;
}

/** A script of an account, with the number that stays when it is renamed or written anew. */
export interface AccountScript extends ScriptInfo {
  readonly id: number;
}

export interface StoredScript extends ScriptInfo {
  readonly text: string;
}

export type SpaceAnswer =
  | { readonly fits: true }
  | {
      readonly fits: false;
      readonly code: 'QUOTA/MAXSIZE' | 'QUOTA/MAXSCRIPTS' | 'QUOTA';
      readonly text: string;
    };

/** A script that runs when mail comes for an account. */
export interface RunningScript {
  readonly id: number;
  readonly kind: PlaceKind;
  readonly name: string;
  readonly digest: string;
}

/** What runs for an account, in this order; each next one on what `keep` the one before left. */
export interface Running {
  readonly accountId: number;
  readonly scripts: readonly RunningScript[];
}

/** What scripts need to know of whom they work for. */
export interface ScriptOwner {
  readonly accountId: number;
  readonly address: string;
  readonly displayName: string;
  /** Addresses that lead to this account alone. */
  readonly aliases: readonly string[];
  /** Of today (UTC). */
  readonly redirects: number;
  readonly replies: number;
}

export interface StoredSettings {
  /** JSON; its schema is the business of flow/sieve. */
  readonly settings: string;
  readonly changedAt: number;
}

export interface Change {
  readonly actor: Actor;
  readonly place: Place;
  readonly name: string;
}

/** A thing that scripts of an account remember. */
export interface Memory {
  readonly accountId: number;
  /** A kind and a digest, see `memoryKey`. */
  readonly key: string;
  readonly seconds: number;
}
