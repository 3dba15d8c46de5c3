import type { JournalRow, JournalValue } from '../../data/journal/types.ts';
import { plain } from '../../base/plain-text.ts';
import type { Said } from '../../base/words.ts';

/** An event as it is told of; other versions of the program may know other kinds. */
export type TraceRow = Omit<JournalRow, 'kind' | 'terms'> & { readonly kind: string };

/** The data of an event, read without trusting it: other versions of the program may have written it. */
export interface Facts {
  readonly row: TraceRow;
  /** Whether the event says anything about it, be it that there is none. */
  has(key: string): boolean;
  /** A string or number as plain text; '' when there is none. */
  text(key: string): string;
  number(key: string): number | undefined;
  flag(key: string): boolean | undefined;
  /** Strings of a list; a string alone is a list of one. */
  list(key: string): readonly string[];
}

export function factsOf(row: TraceRow): Facts {
  const get = (key: string): JournalValue | undefined =>
    Object.hasOwn(row.data, key) ? row.data[key] : undefined;
  return {
    row,
    has: (key) => get(key) !== undefined,
    text(key) {
      const value = get(key);
      return typeof value === 'string' || typeof value === 'number' ? plain(String(value)) : '';
    },
    number(key) {
      const value = get(key);
      return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
    },
    flag(key) {
      const value = get(key);
      return typeof value === 'boolean' ? value : undefined;
    },
    list(key) {
      const value = get(key);
      if (typeof value === 'string') return value === '' ? [] : [plain(value)];
      if (!Array.isArray(value)) return [];
      return value.filter((entry): entry is string => typeof entry === 'string').map(plain);
    },
  };
}

/**
 * Of events that do not say whether the other host `answered`: what stands in `reply` when nothing came from the other host: flow/outbound makes such replies of our own reasons.
 * RFC 3463: X.4.1 is "no answer from host" and X.4.3 "directory server failure", which no host says of itself.
 */
const OUR_REPLY =
  /^(?:451 4\.4\.[13] |451 4\.3\.0 The attempt failed here: |452 4\.5\.3 The server takes fewer recipients at once|451 4\.4\.2 .*; the message may have arrived)/;

/** The codes of a refusal. */
const REFUSAL_CODES = /^[45]\d\d (?:[45]\.\d{1,3}\.\d{1,3} )?/;

/** The reason in a reply that we made ourselves, without its codes; undefined when the other host said it. */
export function ownReason(reply: string, answered?: boolean): string | undefined {
  if (answered === true) return undefined;
  if (answered === false && REFUSAL_CODES.test(reply)) return reply.replace(REFUSAL_CODES, '');
  return OUR_REPLY.test(reply) ? reply.slice('451 4.4.1 '.length) : undefined;
}

/** An administrator gave the message up ("postern queue bounce"). */
export function givenUpHere(facts: Facts): boolean {
  return facts.text('reply').includes('The administrator of this server has given up');
}

/** The name somebody tried to sign in with; the server and the check of passwords write it under different names. */
export function triedLogin(facts: Facts): string {
  return facts.text('subject') || facts.text('login');
}

/** What an administrator can do about a refusal or a failure. A row applies when its words are in the reply or reason. */
export interface Remedy {
  readonly words: RegExp;
  readonly say: (facts: Facts) => readonly Said[];
}

/** An address as part of a command to copy: a placeholder for one that a shell would take for more than a word. */
export function typeable(address: string): string {
  return /^[\w.+-]{1,64}@[\w.-]{1,255}$/.test(address) && !address.startsWith('-') ? address : 'ADDRESS';
}

/** The client's address as part of a command to copy. */
export function ipIn(facts: Facts): string {
  const ip = facts.text('ip');
  return /^[\da-f.:]{2,45}$/i.test(ip) ? ip : 'NETWORK';
}
