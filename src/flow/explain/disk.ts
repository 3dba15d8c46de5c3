import type { JournalKind } from '../../data/journal/types.ts';
import { sizeText } from '../../base/quantities.ts';
import type { Facts } from './facts.ts';
import type { Step } from './steps.ts';

/** The disk's reserve, in words. */

function room(facts: Facts): string {
  return `${sizeText(facts.number('free') ?? 0)} of ${sizeText(facts.number('total') ?? 0)} were free; the reserve is ${sizeText(facts.number('reserve') ?? 0)}.`;
}

export const diskSteps = {
  'disk.low': (facts: Facts): Step => ({
    headline: 'New mail is put off from now on (452 4.3.1): the disk is nearly full',
    details: [room(facts), 'Reading, deleting and the queue go on; senders try again by themselves.'],
    remedy: 'Make room, or give it a larger disk (docs/guides/housekeeping.md)',
  }),
  'disk.enough': (facts: Facts): Step => ({
    headline: 'The disk has room again: new mail is taken',
    details: [room(facts)],
    remedy: '',
  }),
} satisfies Partial<Record<JournalKind, (facts: Facts) => Step>>;
