import { z } from 'zod';
import { Refusal } from '../../base/errors.ts';
import type { Repository, Snapshot } from './repository.ts';

/** Octets of a piece of the index. */
const PIECE_BYTES = 1024 * 1024;
/** Chunks named in one line, so that a line of a large file stays small. */
export const LINE_CHUNKS = 1000;

const lineSchema = z.strictObject({
  /** `data`: below the data directory; `system`: elsewhere on the machine, from its root. */
  root: z.enum(['data', 'system']),
  /** With slashes, without one at its begin. */
  path: z.string(),
  /** Octets of the whole file. */
  size: z.int().min(0),
  /** Octets in each chunk but the last. */
  chunk: z.int().min(1),
  /** Octets of the file before the first chunk of this line: a large file takes several lines, one after the other. */
  at: z.int().min(0),
  chunks: z.array(z.string()).max(LINE_CHUNKS),
  /** Permission bits. */
  mode: z.int(),
  /** When it was changed last, milliseconds since the epoch. */
  changed: z.number(),
});
/** A stretch of a file: its chunks. */
export type IndexLine = z.output<typeof lineSchema>;

/** A file with all its chunks. */
export type IndexFile = Omit<IndexLine, 'at'>;

export interface IndexWriter {
  add(file: IndexFile): Promise<void>;
  /** Resolves to the chunks of the index. */
  finish(): Promise<string[]>;
}

/** Writes the list of files of a snapshot: JSON lines, cut into chunks of their own. */
export function indexWriter(repository: Pick<Repository, 'save'>): IndexWriter {
  const pieces: string[] = [];
  let lines: string[] = [];
  let size = 0;

  async function flush(): Promise<void> {
    if (lines.length === 0) return;
    pieces.push(await repository.save(Buffer.from(lines.join(''))));
    lines = [];
    size = 0;
  }

  return {
    async add({ chunks, ...file }) {
      for (let i = 0; i < Math.max(1, chunks.length); i += LINE_CHUNKS) {
        const line: IndexLine = { ...file, at: i * file.chunk, chunks: chunks.slice(i, i + LINE_CHUNKS) };
        const text = `${JSON.stringify(line)}\n`;
        if (size + text.length > PIECE_BYTES) await flush();
        lines.push(text);
        size += text.length;
      }
    },
    async finish() {
      await flush();
      return pieces;
    },
  };
}

/** The lines of a snapshot's index, in order: files of `data` first, by path. Refusal when it is damaged. */
export async function* indexLines(
  repository: Pick<Repository, 'load'>,
  snapshot: Pick<Snapshot, 'id' | 'index'>,
): AsyncGenerator<IndexLine> {
  for (const chunk of snapshot.index) {
    const text = (await repository.load(chunk)).toString('utf8');
    for (const line of text.split('\n')) {
      if (line === '') continue;
      const parsed = lineSchema.safeParse(JSON.parse(line));
      if (!parsed.success)
        throw new Refusal('bad-input', `The list of files of ${snapshot.id} is not as it should be.`);
      yield parsed.data;
    }
  }
}
