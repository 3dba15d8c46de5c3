import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parsePlace } from '../../src/data/blobs/place.ts';
import { openSqlite } from '../../src/data/db/sqlite.ts';
import { storeViolations } from '../support/server.ts';
import { type Ledger, messageText, type Sent } from './load.ts';

/** What a data directory holds, found without the program that wrote it. */
export interface Evidence {
  /** How often each "message-id place" is there; a place is an account's address or, for the queue, a recipient's. */
  readonly copies: ReadonlyMap<string, number>;
  /** Bodies that do not lie in their row, by message id. */
  readonly files: ReadonlyMap<string, Body>;
  /** Octets of all segments. */
  readonly segmentBytes: number;
  /** Files in bodies/ that no row names: the sweep removes them. */
  readonly unnamed: readonly string[];
  /** Recipients in an attempt that was interrupted, as journaled: "queue id, address" in whatever form the event has. */
  readonly interrupted: readonly string[];
}

export interface Body {
  readonly kind: 'medium' | 'large';
  readonly path: string;
  readonly offset: number;
  readonly size: number;
}

const PLACED = `SELECT a.address AS place, e.envelope AS envelope, b.file AS file, b.size AS size
  FROM placements p JOIN emails e ON e.id = p.email_id JOIN accounts a ON a.id = e.account_id
  JOIN blobs b ON b.id = e.blob_id`;
const QUEUED = `SELECT r.address AS place, m.message_id AS id FROM queue_recipients r
  JOIN queue_messages m ON m.id = r.message_id`;

export function gatherEvidence(directory: string): Evidence {
  const db = openSqlite(join(directory, 'mail.db'), 'reader');
  try {
    const copies = new Map<string, number>();
    const files = new Map<string, Body>();
    const count = (id: string, place: unknown): void => {
      const key = `${id} ${String(place)}`;
      copies.set(key, (copies.get(key) ?? 0) + 1);
    };
    for (const row of db.prepare(PLACED).iterate()) {
      const id = idOf(Buffer.from(row.envelope as Uint8Array).toString('latin1'));
      count(id, row.place);
      if (typeof row.file === 'string')
        files.set(id, { ...bodyIn(directory, row.file), size: Number(row.size) });
    }
    for (const row of db.prepare(QUEUED).iterate()) count(idOf(String(row.id)), row.place);
    const named = new Set(
      db
        .prepare('SELECT file FROM blobs WHERE file IS NOT NULL')
        .all()
        .map((row) => String(row.file)),
    );
    const unnamed = bodyFiles(directory).filter((name) => !named.has(name));
    const events = db.prepare(`SELECT data FROM journal WHERE kind = 'delivery.interrupted'`).all();
    const segmentBytes = segmentSizes(directory).reduce((sum, size) => sum + size, 0);
    return { copies, files, segmentBytes, unnamed, interrupted: events.map((row) => String(row.data)) };
  } finally {
    db.close();
  }
}

function idOf(text: string): string {
  return /([^\s<>"]+@load\.test)/.exec(text)?.[1] ?? text;
}

function bodyIn(directory: string, name: string): Omit<Body, 'size'> {
  const place = parsePlace(name);
  if (place === undefined)
    return { kind: 'large', path: join(directory, 'bodies', name.slice(0, 2), name), offset: 0 };
  return { kind: 'medium', path: join(segmentsOf(directory), place.segment), offset: place.offset };
}

function segmentsOf(directory: string): string {
  return join(directory, 'bodies/segments');
}

function segmentSizes(directory: string): number[] {
  const segments = segmentsOf(directory);
  if (!existsSync(segments)) return [];
  return readdirSync(segments).map((name) => statSync(join(segments, name)).size);
}

/** Octets of bodies in segments that rows name. */
export function mediumBytes({ files }: Evidence): number {
  return [...files.values()].reduce((sum, { kind, size }) => sum + (kind === 'medium' ? size : 0), 0);
}

function bodyFiles(directory: string): string[] {
  return readdirSync(join(directory, 'bodies'), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && !/\/(incoming|segments)$/.test(entry.parentPath))
    .map(({ name }) => name);
}

/** Messages that are not where they must be, in words; empty when every promise was kept. */
export function brokenPromises(ledger: Ledger, evidence: Evidence): string[] {
  const broken: string[] = [];
  const seen = new Set<string>();
  for (const sent of ledger.sent) {
    const counts = sent.recipients.map((place) => evidence.copies.get(`${sent.id} ${place}`) ?? 0);
    for (const place of sent.recipients) seen.add(`${sent.id} ${place}`);
    const problem = judge(sent, counts);
    if (problem !== undefined) broken.push(`${sent.id} (${sent.reply ?? 'no answer'}): ${problem}`);
  }
  for (const key of evidence.copies.keys()) if (!seen.has(key)) broken.push(`nobody sent ${key}`);
  return broken;
}

/** Copies of one transaction come and go together: they are one commit. */
function judge({ reply, recipients }: Sent, counts: readonly number[]): string | undefined {
  const text = recipients.map((place, i) => `${counts[i]} times at ${place}`).join(', ');
  const once = counts.every((count) => count === 1);
  const nowhere = counts.every((count) => count === 0);
  if (reply === undefined) return once || nowhere ? undefined : text;
  if (reply.startsWith('250')) return once ? undefined : text;
  // Refused for now: the client will send it again, so it had better not be there.
  return nowhere ? undefined : text;
}

/** What is wrong with a data directory whose server has ended: the database, its invariants, its body files. */
export async function damage(directory: string, evidence: Evidence): Promise<string[]> {
  const problems = await storeViolations(directory);
  for (const [id, { kind, path, offset, size }] of evidence.files) {
    const file = readFileSync(path);
    if (kind === 'large' && file.length !== size) problems.push(`the file of ${id} has another size`);
    if (file.toString('latin1', offset, offset + size) !== messageText({ id, kind }))
      problems.push(`the body of ${id} differs`);
  }
  return problems;
}
