import type { JournalKind } from '../../data/journal/types.ts';
import { octets } from '../../base/words.ts';
import type { Facts } from './facts.ts';
import { remedy, type Said, say } from './say.ts';
import type { Step } from './steps.ts';

/** The disk's reserve, in words. */

function room(facts: Facts): Said {
  return say('diskRoom', {
    free: octets(facts.number('free') ?? 0),
    total: octets(facts.number('total') ?? 0),
    reserve: octets(facts.number('reserve') ?? 0),
  });
}

export const diskSteps = {
  'disk.low': (facts: Facts): Step => ({
    headline: say('disk.low'),
    details: [room(facts), say('diskGoesOn')],
    remedy: [remedy('diskRoom')],
  }),
  'disk.enough': (facts: Facts): Step => ({
    headline: say('disk.enough'),
    details: [room(facts)],
    remedy: [],
  }),
} satisfies Partial<Record<JournalKind, (facts: Facts) => Step>>;
