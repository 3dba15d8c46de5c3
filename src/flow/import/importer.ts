import type { Clock } from '../../base/clock.ts';
import { type Chosen, chooseMailboxes } from './names.ts';
import { sameFlags, tidyFlags } from './flag-sets.ts';
import { createPace, type Pace } from './pace.ts';
import type { AddResult, ImportTarget, KnownRow, NewMessage } from './target.ts';
import type { LeftMessage, MailSource, Place, ReadMessage, SourceFolder, SourceMessage } from './types.ts';

/** Octets and messages that are handed over at a time. */
const BATCH_BYTES = 2 * 1024 * 1024;
const BATCH_MESSAGES = 200;
/** Flag changes and removals in one request. */
const CHANGES = 200;
/** Failures that are named in a report; the rest is counted. */
const FAILURES = 100;

export interface ImportOptions {
  readonly clock: Clock;
  /** Look and count only. */
  readonly dryRun?: boolean;
  /** What is gone at the source goes here too. */
  readonly mirror?: boolean;
  /** Folders wanted, by their names here; undefined: all. */
  readonly wants?: ((name: string) => boolean) | undefined;
  /** Octets a second at most; undefined: no limit. */
  readonly bytesPerSecond?: number | undefined;
  readonly progress?: ((folder: string, done: number, of: number) => void) | undefined;
}

export interface FolderReport {
  /** As the source names it, levels joined by "/". */
  readonly folder: string;
  /** Where it came to lie; for a folder of labels several. */
  readonly mailbox: string;
  messages: number;
  /** Octets that were brought over. */
  bytes: number;
  added: number;
  /** Another source had brought them already. */
  linked: number;
  known: number;
  /** Known messages whose flags or labels changed. */
  changed: number;
  removed: number;
  failed: number;
  readonly failures: LeftMessage[];
}

/**
 * Bring an account's mail over: what is new is added, flags that changed at the source since the last time are set, and
 * nothing is brought twice. It may be stopped at any moment and begun again.
 */
export async function importMail(
  source: MailSource,
  target: ImportTarget,
  options: ImportOptions,
): Promise<FolderReport[]> {
  const folders = await source.folders();
  const chosen = chooseMailboxes(folders);
  const reports: FolderReport[] = [];
  const mailboxes = new Mailboxes(target, options.dryRun === true);
  const pace = createPace(options.clock, options.bytesPerSecond);
  for (const folder of folders) {
    const place = chosen.get(folder);
    if (place === undefined || options.wants?.(place.name) === false) continue;
    reports.push(await importFolder({ source, target, options, mailboxes, pace }, folder, place));
  }
  return reports;
}

interface Work {
  readonly source: MailSource;
  readonly target: ImportTarget;
  readonly options: ImportOptions;
  readonly mailboxes: Mailboxes;
  readonly pace: Pace;
}

/** Mailboxes by the places that mean them, made when they are first needed. */
class Mailboxes {
  readonly #target: ImportTarget;
  readonly #dryRun: boolean;
  readonly #ids = new Map<string, Promise<number>>();

  constructor(target: ImportTarget, dryRun: boolean) {
    this.#target = target;
    this.#dryRun = dryRun;
  }

  of(place: Chosen, subscribed: boolean): Promise<number> {
    // Nothing is made when nothing is to be changed; no message is known to lie in mailbox 0.
    if (this.#dryRun) return Promise.resolve(0);
    const { name, specialUse } = place;
    const key = specialUse ?? name;
    const found =
      this.#ids.get(key) ?? this.#target.mailbox({ name, specialUse, subscribed }).then(({ id }) => id);
    this.#ids.set(key, found);
    return found;
  }

  async ofAll(places: readonly Place[]): Promise<number[]> {
    const chosen = chooseMailboxes(places);
    const ids: number[] = [];
    for (const place of places) {
      const one = chosen.get(place);
      if (one !== undefined) ids.push(await this.of(one, true));
    }
    return [...new Set(ids)];
  }
}

async function importFolder(work: Work, folder: SourceFolder, place: Chosen): Promise<FolderReport> {
  const { source, target, options, mailboxes } = work;
  const report: FolderReport = {
    folder: folder.levels.join('/'),
    mailbox: place.name,
    messages: 0,
    bytes: 0,
    added: 0,
    linked: 0,
    known: 0,
    changed: 0,
    removed: 0,
    failed: 0,
    failures: [],
  };
  const messages = await source.list(folder);
  report.messages = messages.length;
  const own = await mailboxes.of(place, folder.subscribed);
  const known = Map.groupBy(await target.known(folder.id), ({ key }) => key);
  const fresh = messages.filter(({ key }) => !known.has(key));
  report.known = messages.length - fresh.length;
  const idsOf = async (message: SourceMessage): Promise<number[]> =>
    message.places === undefined ? [own] : mailboxes.ofAll(message.places);
  await updateKnown(work, folder, messages, known, report, idsOf);
  if (options.dryRun === true) {
    report.added = fresh.length;
    report.bytes = fresh.reduce((sum, { size }) => sum + (size ?? 0), 0);
    return report;
  }
  const batches = new Batches(work, folder, report, fresh.length);
  for await (const read of source.read(folder, fresh)) {
    if ('why' in read) fail(report, read);
    else await batches.take(read, await idsOf(read.message));
  }
  await batches.end();
  return report;
}

function fail(report: FolderReport, left: LeftMessage): void {
  report.failed++;
  if (report.failures.length < FAILURES) report.failures.push(left);
}

/** Flags and labels that changed at the source since they were taken over last, and what is gone there. */
async function updateKnown(
  { target, options }: Work,
  folder: SourceFolder,
  messages: readonly SourceMessage[],
  known: ReadonlyMap<string, readonly KnownRow[]>,
  report: FolderReport,
  idsOf: (message: SourceMessage) => Promise<number[]>,
): Promise<void> {
  const changes: SourceMessage[] = [];
  const gone: { key: string; mailboxId: number }[] = [];
  const present = new Set<string>();
  for (const message of messages) {
    present.add(message.key);
    const rows = known.get(message.key);
    const [first] = rows ?? [];
    if (rows === undefined || first === undefined) continue;
    if (!sameFlags(first, tidyFlags(message))) changes.push(message);
    if (message.places === undefined || options.dryRun === true) continue;
    const ids = await idsOf(message);
    const missing = ids.filter((id) => !rows.some(({ mailboxId }) => mailboxId === id));
    if (missing.length > 0) report.changed += await target.place(folder.id, message.key, missing);
    for (const { key, mailboxId } of rows) if (!ids.includes(mailboxId)) gone.push({ key, mailboxId });
  }
  for (const rows of known.values())
    for (const { key, mailboxId } of rows) if (!present.has(key)) gone.push({ key, mailboxId });
  if (options.dryRun === true) {
    report.changed = changes.length;
    report.removed = options.mirror === true ? gone.length : 0;
    return;
  }
  for (let at = 0; at < changes.length; at += CHANGES) {
    const some = changes
      .slice(at, at + CHANGES)
      .map((message) => ({ key: message.key, ...tidyFlags(message) }));
    report.changed += await target.setFlags(folder.id, some);
  }
  if (options.mirror !== true) return;
  for (let at = 0; at < gone.length; at += CHANGES)
    report.removed += await target.remove(folder.id, gone.slice(at, at + CHANGES));
}

/** Gathers messages and hands them over; one batch is on its way while the next is read. */
class Batches {
  readonly #work: Work;
  readonly #folder: SourceFolder;
  readonly #report: FolderReport;
  readonly #expected: number;
  #batch: NewMessage[] = [];
  #bytes = 0;
  #done = 0;
  #under: Promise<void> = Promise.resolve();

  constructor(work: Work, folder: SourceFolder, report: FolderReport, expected: number) {
    this.#work = work;
    this.#folder = folder;
    this.#report = report;
    this.#expected = expected;
  }

  async take({ message, octets, receivedAt }: ReadMessage, mailboxIds: readonly number[]): Promise<void> {
    const { flags, keywords } = tidyFlags(message);
    this.#batch.push({ key: message.key, flags, keywords, mailboxIds, receivedAt, octets });
    this.#bytes += octets.size;
    if (this.#bytes >= BATCH_BYTES || this.#batch.length >= BATCH_MESSAGES) await this.#send();
    await this.#work.pace(octets.size);
  }

  async end(): Promise<void> {
    await this.#send();
    await this.#under;
  }

  async #send(): Promise<void> {
    await this.#under;
    const batch = this.#batch;
    this.#batch = [];
    this.#bytes = 0;
    if (batch.length === 0) return;
    this.#under = this.#hand(batch);
    // It is awaited before the next one goes; until then its failure is nobody's.
    this.#under.catch(() => undefined);
  }

  async #hand(batch: readonly NewMessage[]): Promise<void> {
    const { target, options } = this.#work;
    try {
      const results = await target.add(this.#folder.id, batch);
      for (const [index, message] of batch.entries()) this.#count(message, results[index]);
    } finally {
      for (const { octets } of batch) await octets.dispose();
    }
    this.#done += batch.length;
    options.progress?.(this.#report.folder, this.#done, this.#expected);
  }

  #count({ key, octets }: NewMessage, result: AddResult | undefined): void {
    const report = this.#report;
    if (result?.status === 'stored') {
      report.added++;
      report.bytes += octets.size;
    } else if (result?.status === 'linked') report.linked++;
    else if (result?.status === 'known') report.known++;
    else fail(report, { key, why: WHY[result?.status ?? ''] ?? result?.why ?? 'the server did not say' });
  }
}

const WHY: Readonly<Record<string, string>> = {
  'over-quota': 'the account has no room left: postern account quota',
  'no-account': 'the account is gone',
};
