import { isAbsolute, join, normalize } from 'node:path';
import { Refusal } from '../../../base/errors.ts';
import type { Actor } from '../../../data/directory/types.ts';

/**
 * Settings name files of this machine: keys, password files, lookup tables, places for backups. Who has the command line of
 * the server may read those anyway. Who administers over the network has a password and perhaps a second factor, and must
 * not be able to have any file of the machine sent to a host of their choice: they may name secrets that were put beside the
 * data (`postern secret`, PUT /secrets/:name) and nothing else.
 */
const SECRETS = 'secrets';
/** Depth to which input is looked through; deeper than any setting. */
const DEPTH = 12;
/** "hash:/etc/aliases", "file:/var/backups" */
const TYPED_PATH = /^[a-z][a-z0-9_+-]{0,20}:(\/(?!\/).*)$/is;

/** Refusal 'not-permitted' when input that came over the network names a file outside the secrets. */
export function requireOwnFiles(actor: Actor, dataDirectory: string, input: unknown): void {
  if (actor.role === 'system') return;
  const named = foreignFile(input, `${join(dataDirectory, SECRETS)}/`, DEPTH);
  if (named === undefined) return;
  throw new Refusal(
    'not-permitted',
    `"${named.slice(0, 200)}" is a file of the server: over the network only secrets kept in ${join(dataDirectory, SECRETS)} may be named; the command line on the server itself may name any.`,
  );
}

function foreignFile(value: unknown, allowed: string, depth: number): string | undefined {
  if (typeof value === 'string') return isForeign(value, allowed) ? value : undefined;
  if (typeof value !== 'object' || value === null || depth === 0) return undefined;
  for (const inner of Object.values(value)) {
    const found = foreignFile(inner, allowed, depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function isForeign(text: string, allowed: string): boolean {
  const path = TYPED_PATH.exec(text.trim())?.[1] ?? text.trim();
  return isAbsolute(path) && !normalize(path).startsWith(allowed);
}
