import type { Metrics } from '../../../base/metrics.ts';

/** What the gate counts. */
export interface GateMetrics {
  list(zone: string, answer: string): void;
  refused(check: string): void;
  unchecked(count: number): void;
  greylist(outcome: 'passed' | 'deferred'): void;
  tarpit(outcome: 'delayed' | 'ended'): void;
}

export const noMetrics: GateMetrics = {
  list: () => undefined,
  refused: () => undefined,
  unchecked: () => undefined,
  greylist: () => undefined,
  tarpit: () => undefined,
};

/** Register the gate's metrics, once per server. */
export function gateMetrics(metrics: Metrics): GateMetrics {
  const list = metrics.counter('postern_dns_list_answers_total', 'Answers of DNS lists', ['zone', 'answer']);
  const refused = metrics.counter(
    'postern_gate_refused_total',
    'Refused for what the connection or envelope is',
    ['check'],
  );
  const unchecked = metrics.counter(
    'postern_gate_unchecked_total',
    'Questions about senders that had no answer',
  );
  const greylist = metrics.counter('postern_greylist_total', 'Messages greylisting decided about', [
    'outcome',
  ]);
  const tarpit = metrics.counter(
    'postern_tarpit_total',
    'Replies to unknown recipients delayed, sessions ended',
    ['outcome'],
  );
  return {
    list: (zone, answer) => list.inc({ zone, answer }),
    refused: (check) => refused.inc({ check }),
    unchecked: (count) => unchecked.inc(count),
    greylist: (outcome) => greylist.inc({ outcome }),
    tarpit: (outcome) => tarpit.inc({ outcome }),
  };
}
