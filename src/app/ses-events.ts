import type { FlowDeps } from '../flow/deps.ts';
import { isSesEvent, readSesEvent } from '../flow/feedback/ses-event.ts';
import { takeSesEvent } from '../flow/feedback/ses-feedback.ts';
import type { Ways } from '../flow/outbound/routing/ways.ts';
import type { Others } from '../flow/ses-inbound/types.ts';
import type { Metrics } from '../base/metrics.ts';

/** Notices that are no news of mail: what SES tells of mail it sent for us. They come by the same topics and queues. */
export function sesEvents(deps: () => FlowDeps, ways: () => Ways, metrics: Metrics): Others {
  const counter = metrics.counter(
    'postern_ses_events_total',
    'Events of Amazon SES about mail it sent, by kind and what became of them',
    ['kind', 'outcome'],
  );
  return async (message) => {
    let value: unknown;
    try {
      value = JSON.parse(message);
    } catch {
      return false;
    }
    if (!isSesEvent(value)) return false;
    const event = readSesEvent(value);
    // A kind that says nothing to us (an opened message, a click) is taken and done.
    if (event === undefined) {
      counter.inc({ kind: 'other', outcome: 'ignored' });
      return true;
    }
    const { suppression } = await ways().settings();
    const bounceDays = suppression.bounce_days;
    const outcome = await takeSesEvent({ deps: deps(), bounceDays }, event);
    counter.inc({ kind: event.kind, outcome });
    return true;
  };
}
