import { factsOf, type TraceRow } from './facts.ts';
import { type Step, tell } from './steps.ts';

/** Each event of a trace in words, in the order of the rows. */
export function inWords(rows: readonly TraceRow[], timeZone?: string): Step[] {
  const events = rows.map(factsOf);
  // What went out because of it is told of, and is not what became of it.
  const notices = new Set(
    events.flatMap((facts) => {
      if (facts.row.kind === 'bounce.sent') return [facts.text('notice')];
      const reply = facts.row.kind === 'script.acted' ? facts.text('queueId') : '';
      return reply === '' ? [] : [reply];
    }),
  );
  let notified = false;
  return events.map((facts) => {
    const step = tell(facts, { timeZone, notices, notified });
    notified ||= facts.row.kind === 'bounce.sent';
    return step;
  });
}
