import { closeSync, openSync, readdirSync, rmSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory } from '../../base/files.ts';
import { hasBit } from './bits.ts';
import type { PartCache } from './cache.ts';
import { LEVEL_FACTOR, LEVEL_TOKENS, MERGE_AT, SEGMENT_EMAILS, SEGMENT_TOKENS } from './limits.ts';
import { EMPTY_INDEX, type Manifest, readManifest, type SegmentEntry, writeManifest } from './manifest.ts';
import { livingOf, mergeSegments } from './merge.ts';
import { runQuery } from './query.ts';
import { DamagedSegment, openSegment, type Segment } from './segment.ts';
import type { Turn } from './section-builder.ts';
import type { SegmentBuilder } from './segment-builder.ts';
import type { Put, Written } from './segment-writer.ts';
import type { SearchAnswer, SearchQuery, SearchState } from './types.ts';

/** The index of one account: a directory of segments. No file is held open, and nothing but a list in memory. */
export class AccountIndex {
  readonly accountId: number;
  readonly #directory: string;
  readonly #cache: PartCache;
  #manifest: Manifest;
  readonly #segments = new Map<string, Segment>();
  /** The change of the account's mail that all emails have been taken in of; -1 when that is not known. */
  modseq = -1;
  /** It was removed while somebody worked on it. */
  gone = false;

  /** Throws DamagedSegment when what is there cannot be used. */
  constructor(options: { accountId: number; directory: string; cache: PartCache }) {
    this.accountId = options.accountId;
    this.#directory = options.directory;
    this.#cache = options.cache;
    const manifest = readManifest(options.directory);
    if (manifest === 'damaged')
      throw new DamagedSegment(`${options.directory} has a damaged list of segments`);
    this.#manifest = manifest;
  }

  get upTo(): number {
    return this.#manifest.upTo;
  }

  get state(): SearchState {
    const { segments, upTo } = this.#manifest;
    const sum = (of: (entry: SegmentEntry) => number): number =>
      segments.reduce((total, entry) => total + of(entry), 0);
    return {
      accountId: this.accountId,
      emails: sum((entry) => entry.emails),
      open: sum((entry) => entry.open),
      segments: segments.length,
      bytes: sum((entry) => entry.bytes),
      upTo,
    };
  }

  /** The change of the account's mail when it was written last. */
  get savedModseq(): number {
    return this.#manifest.modseq;
  }

  /** Write a segment with emails up to `upTo`, as of a change. An empty one only moves the mark. */
  async append(builder: SegmentBuilder, upTo: number, modseq: number, turn: Turn): Promise<void> {
    const made = builder.emails > 0 ? [await this.#write((put) => builder.finish(turn, put))] : [];
    if (this.gone) return;
    const segments = [...this.#manifest.segments, ...made];
    this.#save({ ...this.#manifest, upTo, modseq, segments }, made);
  }

  #next = 0;

  async #write(fill: (put: Put) => Promise<Written>): Promise<SegmentEntry> {
    this.#next = Math.max(this.#next, this.#manifest.next);
    const file = `${this.#next++}.seg`;
    makeDirectory(this.#directory);
    const path = join(this.#directory, file);
    const fd = openSync(path, 'w', 0o600);
    try {
      return { file, ...(await fill((octets) => writeAll(fd, octets))) };
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  /** Where the list cannot be written (the disk is full), the segments that were made for it must not keep their room. */
  #save(manifest: Manifest, made: readonly SegmentEntry[]): void {
    const saved = { ...manifest, next: Math.max(manifest.next, this.#next) };
    makeDirectory(this.#directory);
    try {
      writeManifest(this.#directory, saved);
    } catch (error) {
      for (const { file } of made) rmSync(join(this.#directory, file), { force: true });
      throw error;
    }
    this.#manifest = saved;
  }

  #segment({ file }: SegmentEntry): Segment {
    let segment = this.#segments.get(file);
    if (segment === undefined) {
      segment = openSegment(join(this.#directory, file), this.#cache);
      this.#segments.set(file, segment);
    }
    return segment;
  }

  /** Emails that match. Throws DamagedSegment, or what reading throws. */
  find(query: SearchQuery): SearchAnswer {
    const ids: number[] = [];
    const open: number[] = [];
    for (const entry of this.#manifest.segments) {
      const segment = this.#segment(entry);
      const bits = runQuery(segment, query);
      const all = segment.ids();
      const unknown = segment.open();
      for (const at of unknown) {
        open.push(all[at] ?? 0);
        if (hasBit(bits, at)) bits[at >>> 3] = (bits[at >>> 3] ?? 0) & ~(1 << (at & 7));
      }
      for (let at = 0; at < all.length; at++) if (hasBit(bits, at)) ids.push(all[at] ?? 0);
    }
    return {
      ids: Float64Array.from(ids).toSorted(),
      upTo: this.upTo,
      open: Float64Array.from(open).toSorted(),
    };
  }

  /** Segments that should become one; undefined when all is well. */
  #toMerge(): readonly SegmentEntry[] | undefined {
    const levels = new Map<number, SegmentEntry[]>();
    for (const entry of this.#manifest.segments) {
      const level = levelOf(entry);
      const group = levels.get(level) ?? [];
      group.push(entry);
      levels.set(level, group);
    }
    for (const group of levels.values()) {
      if (group.length < MERGE_AT) continue;
      const chosen: SegmentEntry[] = [];
      let tokens = 0;
      let emails = 0;
      for (const entry of group.toSorted((a, b) => a.tokens - b.tokens)) {
        tokens += entry.tokens;
        emails += entry.emails;
        if (tokens > SEGMENT_TOKENS || emails > SEGMENT_EMAILS) break;
        chosen.push(entry);
      }
      if (chosen.length >= 2) return chosen;
    }
    return undefined;
  }

  /** Merge once where that is due. False when there was nothing to do. Throws as `find`. */
  async merge(alive: () => Promise<(id: number) => boolean>, turn: Turn): Promise<boolean> {
    const entries = this.#toMerge();
    if (entries === undefined) return false;
    await this.#rewrite(entries, await alive(), turn);
    return true;
  }

  /** Write segments anew of which more than a tenth of the emails are no longer there. Throws as `find`. */
  async vacuum(alive: (id: number) => boolean, turn: Turn): Promise<void> {
    for (const entry of this.#manifest.segments) {
      await turn();
      if (this.gone) return;
      const dead = this.#segment(entry)
        .ids()
        .reduce((count, id) => count + (alive(id) ? 0 : 1), 0);
      if (dead * 10 > entry.emails) await this.#rewrite([entry], alive, turn);
    }
  }

  async #rewrite(
    entries: readonly SegmentEntry[],
    alive: (id: number) => boolean,
    turn: Turn,
  ): Promise<void> {
    const sources = await livingOf(
      entries.map((entry) => this.#segment(entry)),
      alive,
      turn,
    );
    const made = sources.length > 0 ? [await this.#write((put) => mergeSegments(sources, turn, put))] : [];
    if (this.gone) return;
    const old = new Set(entries.map((entry) => entry.file));
    const segments = [...this.#manifest.segments.filter((entry) => !old.has(entry.file)), ...made];
    this.#save({ ...this.#manifest, segments }, made);
    for (const file of old) {
      this.#segments.delete(file);
      this.#cache.forget(join(this.#directory, file));
      rmSync(join(this.#directory, file), { force: true });
    }
  }

  /** Files that no list names: what a merge or an end in the middle of one has left. */
  sweep(): void {
    const known = new Set(this.#manifest.segments.map((entry) => entry.file));
    for (const file of filesIn(this.#directory)) {
      if (file.endsWith('.seg') && !known.has(file)) rmSync(join(this.#directory, file), { force: true });
    }
  }

  /** Throw all of it away. It cannot be used after that. */
  remove(): void {
    this.gone = true;
    for (const { path } of this.#segments.values()) this.#cache.forget(path);
    this.#manifest = EMPTY_INDEX;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function writeAll(fd: number, octets: Buffer): void {
  for (let at = 0; at < octets.length; ) at += writevSync(fd, [octets.subarray(at)]);
}

function levelOf({ tokens }: SegmentEntry): number {
  return Math.max(0, Math.ceil(Math.log(tokens / LEVEL_TOKENS + 1e-9) / Math.log(LEVEL_FACTOR)));
}

/** Whether an id is among ascending ones. */
export function idSet(ids: Float64Array): (id: number) => boolean {
  return (id) => {
    let low = 0;
    let high = ids.length - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      const at = ids[middle] ?? 0;
      if (at === id) return true;
      if (at < id) low = middle + 1;
      else high = middle - 1;
    }
    return false;
  };
}
