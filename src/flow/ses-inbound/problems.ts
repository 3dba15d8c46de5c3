import type { ToldBy } from '../../data/intake/types.ts';
import { timeId } from '../../base/ids.ts';
import { errorText } from '../../base/errors.ts';
import type { IntakeParts } from './types.ts';

/** A notice that cannot be understood: kept for a person, told in the journal, never tried again. Rejects when it could not be kept. */
export async function keepProblem(
  { deps, metrics }: IntakeParts,
  source: string,
  by: ToldBy,
  reason: string,
  body: string,
): Promise<void> {
  const { store, logger } = deps();
  await store.write.run('intake.problem', { source, toldBy: by, reason, body });
  metrics.problem(source);
  logger.warn(
    { source, toldBy: by, reason },
    'intake: a notice cannot be understood; postern intake problems',
  );
  noteEvent({ deps }, { source, toldBy: by, what: 'problem', reason });
}

/** A journal event that belongs to no object. */
export function noteEvent(
  { deps }: Pick<IntakeParts, 'deps'>,
  data: { readonly [key: string]: string | number },
): void {
  const { clock, recorder } = deps();
  const at = clock.now();
  recorder.event({ trace: timeId(at), at, kind: 'intake.notice', data, terms: [] });
}

/** Seldom enough for a log: the same words once in so many milliseconds. */
export function failureText(error: unknown): string {
  return errorText(error).slice(0, 500);
}
