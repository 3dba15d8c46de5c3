import type { Metrics } from '../base/metrics.ts';
import type { PartnerState } from '../flow/spam/partners.ts';

/** How the filters beside us do. */
export function partnerMetrics(metrics: Metrics): (state: PartnerState) => void {
  const up = metrics.gauge('postern_filter_partner_up', 'Whether a filter beside us answered last time', [
    'partner',
  ]);
  const took = metrics.duration('postern_filter_partner_seconds', 'How long filters beside us take', [
    'partner',
  ]);
  return ({ name, up: answered, tookMs }) => {
    up.set({ partner: name }, answered ? 1 : 0);
    took.observe({ partner: name }, tookMs / 1000);
  };
}
