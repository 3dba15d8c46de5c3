import type { JournalKind } from '../../data/journal/types.ts';
import { spanText, timeText } from '../../base/quantities.ts';
import type { Facts } from './facts.ts';
import type { Step, StepContext } from './steps.ts';

/** Mail that another host took for us, in words. */

const TOLD: Readonly<Record<string, string>> = {
  sns: 'SNS told of it at our HTTPS endpoint',
  sqs: 'the queue (SQS) told of it',
  'dead-letter': 'the dead-letter queue told of it: SNS had not reached us',
  sweep: 'nobody told of it; it was found in the bucket',
  retry: 'it was tried again at its time',
  admin: 'an administrator asked for it',
};

function object(facts: Facts): string {
  return `Object ${facts.text('key')} in the bucket ${facts.text('bucket')} (source ${facts.text('source')}).`;
}

function told(facts: Facts): string {
  const words = TOLD[facts.text('toldBy')] ?? facts.text('toldBy');
  return words === '' ? '' : `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;
}

function received(facts: Facts): Step {
  const lag = facts.number('lagMs');
  const verdicts = facts.text('verdicts');
  const ip = facts.text('ip');
  return {
    headline: `It came through ${facts.text('via') || 'another host'}`,
    details: [
      object(facts),
      told(facts),
      ...(lag === undefined ? [] : [`From its reception there to ours: ${spanText(lag)}.`]),
      ...(ip === '' ? [] : [`Its sender connected there from ${ip}.`]),
      ...(verdicts === '' ? [] : [`Verdicts there: ${verdicts}.`]),
      ...(facts.flag('guessed') === true
        ? ['Whom it is for was read off its header: recipients of blind copies are not named there.']
        : []),
      ...facts.list('later').map((line) => `To be tried again: ${line}.`),
    ],
    remedy: '',
  };
}

function waiting(facts: Facts, { timeZone }: StepContext): Step {
  const next = facts.number('nextAt');
  return {
    headline: 'It could not be taken in yet; it stays in the bucket',
    details: [
      object(facts),
      told(facts),
      `Why: ${facts.text('reason')}.`,
      ...(next === undefined ? [] : [`Next try at ${timeText(next, timeZone)}.`]),
    ],
    remedy: `To try it now: postern intake retry ${facts.text('key')}`,
  };
}

function ended(facts: Facts): Step {
  const stuck = facts.flag('stuck') === true;
  const without = facts.list('without');
  return {
    headline: stuck ? 'It cannot be taken in as it is; it stays in the bucket' : 'Nobody here gets it',
    details: [
      object(facts),
      told(facts),
      `Why: ${facts.text('reason')}.`,
      ...(without.length === 0 ? [] : [`It was for ${without.join(', ')}.`]),
    ],
    remedy: stuck ? `When that is mended: postern intake retry ${facts.text('key')}` : '',
  };
}

const NOTICES: Readonly<Record<string, string>> = {
  refused: 'A request to the endpoint for Amazon SNS was refused',
  problem: 'A notice of new mail could not be understood; it is kept',
  subscribed: 'The endpoint was subscribed to a topic of Amazon SNS',
  unsubscribed: 'The endpoint was unsubscribed from a topic of Amazon SNS',
  alarm: 'Mail has waited too long to be taken in',
  'alarm over': 'No mail waits for too long any more',
};

function notice(facts: Facts): Step {
  const what = facts.text('what');
  const minutes = facts.number('minutes');
  const alarm = what === 'alarm';
  return {
    headline: NOTICES[what] ?? what,
    details: [
      ...(facts.text('reason') === '' ? [] : [`Why: ${facts.text('reason')}.`]),
      ...(facts.text('topic') === '' ? [] : [`Topic: ${facts.text('topic')}`]),
      ...(facts.text('source') === '' ? [] : [`Source: ${facts.text('source')}.`]),
      ...(alarm && minutes !== undefined ? [`The oldest waits for ${minutes} minutes.`] : []),
    ],
    remedy: alarm
      ? 'What is wrong: postern intake status'
      : what === 'problem'
        ? 'To see it: postern intake problems'
        : '',
  };
}

export const intakeSteps = {
  'intake.received': received,
  'intake.waiting': waiting,
  'intake.ended': ended,
  'intake.notice': notice,
} satisfies Partial<Record<JournalKind, (facts: Facts, context: StepContext) => Step>>;
