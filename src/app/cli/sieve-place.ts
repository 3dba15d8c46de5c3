import { open } from 'node:fs/promises';
import { Refusal } from '../../base/errors.ts';
import { SCRIPT_BYTES } from '../../data/sieve/types.ts';
import { type Call, type CliCommand, UsageError } from './command.ts';
import { unreadable } from './file-words.ts';

/** Whose script a command means, and scripts in files. */

export const PLACE_OPTIONS: CliCommand['options'] = {
  'site-before': { help: 'the script that runs first, for everybody' },
  'site-after': { help: 'the script that runs last, for everybody' },
  'domain-before': { value: 'DOMAIN', help: 'the script that runs before those of the accounts of a domain' },
  'domain-after': { value: 'DOMAIN', help: 'the script that runs after them' },
  global: { help: 'scripts of the site that others include' },
};

export interface CliPlace {
  readonly place: 'account' | 'domain-before' | 'domain-after' | 'site-before' | 'site-after' | 'global';
  readonly account?: string;
  readonly domain?: string;
  /** The arguments behind the account. */
  readonly rest: readonly string[];
  /** In words. */
  readonly whose: string;
  /** There is one script only, without a name. */
  readonly single: boolean;
}

/** The place that options name, else the account that is the first argument. */
export function placeOf({ args, on, text }: Call): CliPlace {
  const found: CliPlace[] = [];
  for (const place of ['site-before', 'site-after'] as const)
    if (on(place)) found.push({ place, rest: args, whose: `the site (${place})`, single: true });
  for (const place of ['domain-before', 'domain-after'] as const) {
    const domain = text(place);
    if (domain !== undefined)
      found.push({ place, domain, rest: args, whose: `${domain} (${place})`, single: true });
  }
  if (on('global')) found.push({ place: 'global', rest: args, whose: 'the site (global)', single: false });
  const [only, second] = found;
  if (second !== undefined) throw new UsageError('name one place only: an account or one of the options');
  if (only !== undefined) return only;
  const [account, ...rest] = args;
  if (account?.includes('@') !== true) {
    throw new UsageError(
      'whose script? Name an account (ann@example.org), or one of --site-before, --site-after, --domain-before DOMAIN, --domain-after DOMAIN, --global',
    );
  }
  return { place: 'account', account, rest, whose: account, single: false };
}

/** What goes to the server of it. */
export function placeInput({
  place,
  account,
  domain,
}: CliPlace): Pick<CliPlace, 'place' | 'account' | 'domain'> {
  return { place, ...(account !== undefined && { account }), ...(domain !== undefined && { domain }) };
}

/** The text of a file; a script is UTF-8 (RFC 5228 2.1). */
export async function scriptFile(path: string): Promise<string> {
  const octets = await readBounded(path, SCRIPT_BYTES, 'a script');
  const text = new TextDecoder('utf-8', { fatal: true });
  try {
    return text.decode(octets);
  } catch {
    throw new Refusal('bad-input', `${path} is no text in UTF-8.`);
  }
}

export async function readBounded(path: string, max: number, what: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    throw unreadable(path, error);
  });
  try {
    const { size } = await file.stat();
    if (size > max)
      throw new Refusal('bad-input', `${path} is too large for ${what}: at most ${max} octets.`);
    const octets = Buffer.alloc(size);
    const { bytesRead } = await file.read(octets, 0, size, 0);
    return octets.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
