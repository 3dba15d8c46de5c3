import { closeSync, openSync } from 'node:fs';
import type { Place } from './format.ts';
import { readAt } from './segment.ts';

/** Parts of segments that were read, the last used ones kept. */
export interface PartCache {
  part(path: string, place: Place): Buffer;
  /** A segment's file is gone. */
  forget(path: string): void;
  /** Give all of it back: it is read again when it is needed. */
  clear(): void;
}

const EMPTY = Buffer.alloc(0);

export function createPartCache(maxBytes: number): PartCache {
  const kept = new Map<string, Buffer>();
  const byPath = new Map<string, Set<string>>();
  let bytes = 0;

  const drop = (path: string, key: string): void => {
    bytes -= kept.get(key)?.length ?? 0;
    kept.delete(key);
    const keys = byPath.get(path);
    keys?.delete(key);
    if (keys?.size === 0) byPath.delete(path);
  };

  return {
    part(path, { offset, length }) {
      if (length === 0) return EMPTY;
      const key = `${offset} ${path}`;
      const known = kept.get(key);
      if (known !== undefined) {
        // The last used one stands last.
        kept.delete(key);
        kept.set(key, known);
        return known;
      }
      const fd = openSync(path, 'r');
      let octets: Buffer;
      try {
        octets = readAt(fd, offset, length);
      } finally {
        closeSync(fd);
      }
      kept.set(key, octets);
      let keys = byPath.get(path);
      if (keys === undefined) byPath.set(path, (keys = new Set()));
      keys.add(key);
      bytes += length;
      for (const old of kept.keys()) {
        if (bytes <= maxBytes || old === key) break;
        drop(old.slice(old.indexOf(' ') + 1), old);
      }
      return octets;
    },
    forget(path) {
      for (const key of byPath.get(path) ?? []) drop(path, key);
    },
    clear() {
      kept.clear();
      byPath.clear();
      bytes = 0;
    },
  };
}
