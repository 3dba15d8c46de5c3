import { long, type WriteFunction } from '../catalogue.ts';
import type { ReadTx, WriteTx } from '../db/sql.ts';
import { deleteSamplesBefore, putSample, sampleAt, samplesBetween } from './stats.sql.ts';
import { EMPTY, merge, type Resolution, RESOLUTIONS, type Sample, STEPS } from './types.ts';

/** Rows of one answer: all that is kept of any step. */
const ROWS_MAX = 4000;

/**
 * Add what a minute had to its row and to those of its hour and day, and forget what is too old. `at`: milliseconds
 * since the epoch. One small write a minute.
 */
async function note(tx: WriteTx, { at, sample }: { at: number; sample: Sample }): Promise<null> {
  for (const resolution of RESOLUTIONS) {
    const { step, kept } = STEPS[resolution];
    const place = Math.floor(at / 1000 / step) * step;
    const before = await tx.get(sampleAt, step, place);
    const next = before === undefined ? sample : merge(parse(before.data), sample);
    await tx.run(putSample, step, place, JSON.stringify(next));
    await tx.run(deleteSamplesBefore, step, place - kept);
  }
  return null;
}

function parse(json: string): Sample {
  return { ...EMPTY, ...(JSON.parse(json) as Partial<Sample>) };
}

/** Rows of a resolution that begin in [from, to), milliseconds since the epoch, oldest first. */
async function range(
  tx: ReadTx,
  { resolution, from, to }: { resolution: Resolution; from: number; to: number },
): Promise<{ at: number; sample: Sample }[]> {
  const rows = await tx.all(
    samplesBetween,
    STEPS[resolution].step,
    Math.floor(from / 1000),
    Math.ceil(to / 1000),
    ROWS_MAX,
  );
  return rows.map(({ at, data }) => ({ at: at * 1000, sample: parse(data) }));
}

export const reads = { 'stats.range': long(range) } as const;

export const writes = {
  'stats.note': note as WriteFunction<{ at: number; sample: Sample }, null>,
} as const;
