import { timeId } from '../../base/ids.ts';
import { type JournalData, type JournalEvent, type JournalKind, terms } from '../../data/journal/types.ts';
import type { IntakeObject, IntakePart, SettledRecipient } from '../../data/intake/types.ts';
import type { FlowDeps } from '../deps.ts';
import type { KeptNotice } from './notice.ts';
import type { OpenSource, Told } from './types.ts';

/** One object that we were told of, with what is known of it from before. */
export interface IntakeCase {
  readonly deps: FlowDeps;
  readonly source: OpenSource;
  readonly told: Told;
  readonly before: IntakeObject | undefined;
  readonly settled: readonly SettledRecipient[];
  /** Of all its events. */
  readonly trace: string;
  /** As SES or an administrator named them, now and before; undefined when nobody did. */
  readonly recipients: readonly string[] | undefined;
  readonly notice: KeptNotice | undefined;
  /** Milliseconds since the epoch: SES's reception, else when it appeared in the bucket. */
  readonly receivedAt: number;
}

export async function openCase(deps: FlowDeps, source: OpenSource, told: Told): Promise<IntakeCase> {
  const { bucket } = source.settings;
  const known = await deps.store.read.run('intake.object', { bucket, key: told.key });
  const before = known?.object;
  const named = [told.notice?.recipients, told.recipients, before?.recipients].filter(
    (each) => each !== undefined,
  );
  return {
    deps,
    source,
    told,
    before,
    settled: known?.settled ?? [],
    trace: before?.trace ?? timeId(deps.clock.now()),
    recipients: named.length === 0 ? undefined : [...new Set(named.flat())],
    notice: told.notice === undefined ? readKept(before?.notice) : keptOf(told.notice),
    receivedAt: before?.receivedAt ?? told.notice?.receivedAt ?? told.modifiedAt ?? deps.clock.now(),
  };
}

function keptOf({ sesMessageId, receivedAt, sender, verdicts }: KeptNotice): KeptNotice {
  return { sesMessageId, receivedAt, sender, verdicts };
}

function readKept(json: string | undefined): KeptNotice | undefined {
  return json === undefined ? undefined : (JSON.parse(json) as KeptNotice);
}

/** What is written of the object, but for how it stands. */
export function partOf(
  { source, told, trace, receivedAt, recipients, notice }: IntakeCase,
  state: Pick<IntakePart, 'state' | 'nextAt' | 'reason' | 'attempt' | 'settled'> & { size?: number },
): IntakePart {
  const { size, ...rest } = state;
  return {
    ...rest,
    bucket: source.settings.bucket,
    key: told.key,
    source: source.settings.name,
    trace,
    toldBy: told.by,
    receivedAt,
    size,
    recipients,
    notice: notice === undefined ? undefined : JSON.stringify(notice),
  };
}

/** An event of the object: found by its key, too. */
export function intakeEvent(
  { deps, source, told, trace }: IntakeCase,
  kind: JournalKind,
  data: JournalData,
): JournalEvent {
  const { name, bucket } = source.settings;
  return {
    trace,
    at: deps.clock.now(),
    kind,
    data: { source: name, bucket, key: told.key, toldBy: told.by, ...data },
    terms: [terms.object(told.key)],
  };
}
