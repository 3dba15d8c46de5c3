import { sameFlags, tidyFlags } from './flag-sets.ts';
import type { ImportOptions } from './importer.ts';
import { chooseMailboxes } from './names.ts';
import { createPace, type Pace } from './pace.ts';
import type { ImportTarget, KnownRow } from './target.ts';
import type { MailSource, SourceFolder, SourceMessage } from './types.ts';

/** Messages named in a report of what differs. */
const NAMED = 20;

/** A folder there beside what of it is here. */
export interface FolderParity {
  readonly folder: string;
  readonly mailbox: string;
  readonly there: number;
  /** Of these, lying where they were put. */
  here: number;
  /** Of these, marked the same. */
  sameFlags: number;
  /** Of these, the same octet by octet; undefined when bodies were not read again. */
  sameOctets: number | undefined;
  /** Not brought over. */
  missing: number;
  /** Brought over, then moved or removed here. */
  moved: number;
  /** Gone there since, still here. */
  extra: number;
  /** Some of those that differ, each with what is wrong. */
  readonly differing: string[];
}

/**
 * Compare an account there with what lies here: counts and flags, and with `octets` every message, read again from there
 * and from here, by SHA-256.
 */
export async function compareMail(
  source: MailSource,
  target: ImportTarget,
  options: Pick<ImportOptions, 'wants' | 'clock' | 'bytesPerSecond'> & { readonly octets: boolean },
): Promise<FolderParity[]> {
  const folders = await source.folders();
  const chosen = chooseMailboxes(folders);
  const pace = createPace(options.clock, options.bytesPerSecond);
  const digests = new Map<number, Promise<ReadonlyMap<number, string>>>();
  const digestsOf = (id: number): Promise<ReadonlyMap<number, string>> => {
    const found = digests.get(id) ?? target.digests(id);
    digests.set(id, found);
    return found;
  };
  const found: FolderParity[] = [];
  for (const folder of folders) {
    const mailbox = chosen.get(folder)?.name ?? '';
    if (options.wants?.(mailbox) === false) continue;
    const messages = await source.list(folder);
    const known = Map.groupBy(await target.known(folder.id), ({ key }) => key);
    const parity = countParity(folder, mailbox, messages, known);
    if (options.octets) await compareOctets({ source, folder, messages, known, parity, digestsOf, pace });
    found.push(parity);
  }
  return found;
}

function countParity(
  folder: SourceFolder,
  mailbox: string,
  messages: readonly SourceMessage[],
  known: ReadonlyMap<string, readonly KnownRow[]>,
): FolderParity {
  const parity: FolderParity = {
    folder: folder.levels.join('/'),
    mailbox,
    there: messages.length,
    here: 0,
    sameFlags: 0,
    sameOctets: undefined,
    missing: 0,
    moved: 0,
    extra: 0,
    differing: [],
  };
  const present = new Set<string>();
  for (const message of messages) {
    present.add(message.key);
    const rows = known.get(message.key) ?? [];
    const row = rows.find(({ now }) => now !== undefined);
    if (rows.length === 0) {
      parity.missing++;
      name(parity, `${message.key}: not brought over`);
    } else if (row?.now === undefined) parity.moved++;
    else {
      parity.here++;
      if (sameFlags(tidyFlags(message), row.now)) parity.sameFlags++;
      else name(parity, `${message.key}: marked otherwise here`);
    }
  }
  for (const [key, rows] of known)
    if (!present.has(key) && rows.some(({ now }) => now !== undefined)) parity.extra++;
  return parity;
}

function name(parity: FolderParity, what: string): void {
  if (parity.differing.length < NAMED) parity.differing.push(what);
}

interface Comparison {
  readonly source: MailSource;
  readonly folder: SourceFolder;
  readonly messages: readonly SourceMessage[];
  readonly known: ReadonlyMap<string, readonly KnownRow[]>;
  readonly parity: FolderParity;
  readonly digestsOf: (mailboxId: number) => Promise<ReadonlyMap<number, string>>;
  readonly pace: Pace;
}

async function compareOctets(work: Comparison): Promise<void> {
  const { source, folder, known, parity } = work;
  parity.sameOctets = 0;
  const rowOf = (key: string): KnownRow | undefined => known.get(key)?.find(({ now }) => now !== undefined);
  const wanted = work.messages.filter(({ key }) => rowOf(key) !== undefined);
  for await (const read of source.read(folder, wanted)) {
    if ('why' in read) {
      name(parity, `${read.key}: ${read.why}`);
      continue;
    }
    const row = rowOf(read.message.key);
    const there = read.octets.digest.toString('hex');
    await read.octets.dispose();
    await work.pace(read.octets.size);
    if (row === undefined) continue;
    const here = (await work.digestsOf(row.mailboxId)).get(row.uid);
    if (here === there) parity.sameOctets++;
    else name(parity, `${read.message.key}: other octets here`);
  }
}

/** Whether nothing differs. Mail that people moved here meanwhile is as they want it. */
export function isSame(parity: FolderParity): boolean {
  const { there, here, moved, missing, extra } = parity;
  return (
    missing === 0 &&
    extra === 0 &&
    here + moved === there &&
    parity.sameFlags === here &&
    (parity.sameOctets === undefined || parity.sameOctets === here)
  );
}
