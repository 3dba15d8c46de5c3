import type { JournalKind } from '../../data/journal/types.ts';
import { moment } from '../../base/words.ts';
import type { Facts } from './facts.ts';
import { type Arg, remedy, say } from './say.ts';
import type { Step, StepContext } from './steps.ts';

/** Certificates got by ACME, and those that end, in words. */

function when(facts: Facts, key: string, { timeZone }: StepContext): Arg {
  const at = facts.number(key);
  return at === undefined ? say('unknownTime') : moment(at, timeZone);
}

function namesOf(facts: Facts): string {
  return facts.list('names').join(', ');
}

export const certificateSteps = {
  'certificate.issued': (facts: Facts, context: StepContext): Step => ({
    headline: say('certificate.issued', { authority: facts.text('authority'), names: namesOf(facts) }),
    details: [
      say(facts.flag('renewal') === true ? 'certificateReplaces' : 'certificateFirst'),
      say('certificateUntil', {
        until: when(facts, 'until', context),
        renewAt: when(facts, 'renewAt', context),
      }),
    ],
    remedy: [],
  }),
  'certificate.failed': (facts: Facts, context: StepContext): Step => ({
    headline: say('certificate.failed', { authority: facts.text('authority'), names: namesOf(facts) }),
    details: [
      say('whyIs', { reason: facts.text('reason') }),
      say('certificateFailures', {
        count: facts.text('failures'),
        retryAt: when(facts, 'retryAt', context),
      }),
    ],
    remedy: [remedy('certificateRenew', { name: facts.text('name') })],
  }),
  'certificate.expiring': (facts: Facts, context: StepContext): Step => {
    const file = facts.text('file');
    const ended = facts.flag('ended') === true;
    const args = { names: namesOf(facts), until: when(facts, 'until', context) };
    return {
      headline: say(ended ? 'certificateEnded' : 'certificate.expiring', args),
      details: [say(ended ? 'programsRefuse' : 'programsWillRefuse')],
      remedy: [file === '' ? remedy('certificateList') : remedy('certificateFile', { file })],
    };
  },
} satisfies Partial<Record<JournalKind, (facts: Facts, context: StepContext) => Step>>;
