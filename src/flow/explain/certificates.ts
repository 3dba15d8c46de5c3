import type { JournalKind } from '../../data/journal/types.ts';
import { timeText } from '../../base/quantities.ts';
import type { Facts } from './facts.ts';
import type { Step, StepContext } from './steps.ts';

/** Certificates got by ACME, and those that end, in words. */

function when(facts: Facts, key: string, { timeZone }: StepContext): string {
  const at = facts.number(key);
  return at === undefined ? 'an unknown time' : timeText(at, timeZone);
}

export const certificateSteps = {
  'certificate.issued': (facts: Facts, context: StepContext): Step => ({
    headline: `${facts.text('authority')} issued a certificate for ${facts.list('names').join(', ')}`,
    details: [
      facts.flag('renewal') === true ? 'It replaces the one before.' : 'It is the first.',
      `It is good until ${when(facts, 'until', context)}; the next is due on ${when(facts, 'renewAt', context)}.`,
    ],
    remedy: '',
  }),
  'certificate.failed': (facts: Facts, context: StepContext): Step => ({
    headline: `${facts.text('authority')} issued no certificate for ${facts.list('names').join(', ')}`,
    details: [
      `Why: ${facts.text('reason')}.`,
      `Attempts in a row that failed: ${facts.text('failures')}. The next is on ${when(facts, 'retryAt', context)}.`,
    ],
    remedy: `When the cause is mended: postern certificate renew ${facts.text('name')}`,
  }),
  'certificate.expiring': (facts: Facts, context: StepContext): Step => {
    const file = facts.text('file');
    const ended = facts.flag('ended') === true;
    return {
      headline: `The certificate for ${facts.list('names').join(', ')} ${ended ? 'has ended' : 'ends'} on ${when(facts, 'until', context)}`,
      details: [
        ended ? 'Mail programs refuse to connect.' : 'When it has ended, mail programs refuse to connect.',
      ],
      remedy:
        file === ''
          ? '"postern certificate list" says why there is no new one'
          : `Put a new one into ${file}; it is read within a minute`,
    };
  },
} satisfies Partial<Record<JournalKind, (facts: Facts, context: StepContext) => Step>>;
