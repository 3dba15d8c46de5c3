import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { errnoCode } from '../../base/errors.ts';
import { FORMAT } from './format.ts';

/** What is known of a segment without opening it. */
export interface SegmentEntry {
  readonly file: string;
  readonly emails: number;
  readonly open: number;
  readonly tokens: number;
  readonly bytes: number;
}

/** An account's index as its directory has it. */
export interface Manifest {
  /** Emails up to this id are in the index. */
  readonly upTo: number;
  /** The change of the account's mail then: a store that has a lower one was brought back from a backup. */
  readonly modseq: number;
  /** Number of the next segment's file. */
  readonly next: number;
  readonly segments: readonly SegmentEntry[];
}

const NAME = 'index.json';
/** What folding and telling letters from other characters follows. */
const UNICODE = process.versions.unicode ?? '';

export const EMPTY_INDEX: Manifest = { upTo: 0, modseq: 0, next: 1, segments: [] };

/**
 * The index of a directory: empty when there is none, or one of another format. 'damaged': the file is not as it was
 * written. Throws what reading throws.
 */
export function readManifest(directory: string): Manifest | 'damaged' {
  let text: string;
  try {
    text = readFileSync(join(directory, NAME), 'utf8');
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return EMPTY_INDEX;
    throw error;
  }
  const line = text.indexOf('\n');
  const body = text.slice(line + 1);
  if (line === -1 || text.slice(0, line) !== `${crc32(body)}`) return 'damaged';
  const { format, unicode, ...manifest } = JSON.parse(body) as Manifest & {
    readonly format: number;
    readonly unicode: string;
  };
  return format === FORMAT && unicode === UNICODE ? manifest : EMPTY_INDEX;
}

/** Replaced as a whole. Nothing is synced: what a crash takes is built anew. */
export function writeManifest(directory: string, manifest: Manifest): void {
  const body = JSON.stringify({ format: FORMAT, unicode: UNICODE, ...manifest });
  const path = join(directory, NAME);
  writeFileSync(`${path}.new`, `${crc32(body)}\n${body}`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}
