import type { JournalKind } from '../../data/journal/types.ts';
import { moment, span } from '../../base/words.ts';
import type { Facts } from './facts.ts';
import { reasonIs, remedy, type Said, say } from './say.ts';
import type { Step, StepContext } from './steps.ts';

/** Mail that another host took for us, in words. */

const TOLD = {
  sns: 'toldSns',
  sqs: 'toldSqs',
  'dead-letter': 'toldDeadLetter',
  sweep: 'toldSweep',
  retry: 'toldRetry',
  admin: 'toldAdmin',
} as const;

function object(facts: Facts): Said {
  const [key, bucket, source] = [facts.text('key'), facts.text('bucket'), facts.text('source')];
  return say('intakeObject', { key, bucket, source });
}

function told(facts: Facts): Said[] {
  const by = facts.text('toldBy');
  if (Object.hasOwn(TOLD, by)) return [say(TOLD[by as keyof typeof TOLD])];
  return by === '' ? [] : [{ code: '', text: `${by.slice(0, 1).toUpperCase()}${by.slice(1)}.` }];
}

function received(facts: Facts): Step {
  const lag = facts.number('lagMs');
  const verdicts = facts.text('verdicts');
  const ip = facts.text('ip');
  return {
    headline: say('intake.received', { via: facts.text('via') || say('anotherHost') }),
    details: [
      object(facts),
      ...told(facts),
      ...(lag === undefined ? [] : [say('intakeLag', { lag: span(lag) })]),
      ...(ip === '' ? [] : [say('intakeConnected', { ip })]),
      ...(verdicts === '' ? [] : [say('intakeVerdicts', { verdicts })]),
      ...(facts.flag('guessed') === true ? [say('intakeGuessed')] : []),
      ...facts.list('later').map((what) => say('intakeAgain', { what })),
    ],
    remedy: [],
  };
}

function waiting(facts: Facts, { timeZone }: StepContext): Step {
  const next = facts.number('nextAt');
  return {
    headline: say('intake.waiting'),
    details: [
      object(facts),
      ...told(facts),
      reasonIs(facts.text('reason')),
      ...(next === undefined ? [] : [say('nextTry', { at: moment(next, timeZone) })]),
    ],
    remedy: [remedy('intakeRetry', { key: facts.text('key') })],
  };
}

function ended(facts: Facts): Step {
  const stuck = facts.flag('stuck') === true;
  const without = facts.list('without');
  return {
    headline: say(stuck ? 'intakeStuck' : 'intake.ended'),
    details: [
      object(facts),
      ...told(facts),
      reasonIs(facts.text('reason')),
      ...(without.length === 0 ? [] : [say('wasFor', { to: without.join(', ') })]),
    ],
    remedy: stuck ? [remedy('intakeRetryMended', { key: facts.text('key') })] : [],
  };
}

const NOTICES = {
  refused: 'noticeRefused',
  problem: 'noticeProblem',
  subscribed: 'noticeSubscribed',
  unsubscribed: 'noticeUnsubscribed',
  alarm: 'noticeAlarm',
  'alarm over': 'noticeAlarmOver',
} as const;

function notice(facts: Facts): Step {
  const what = facts.text('what');
  const minutes = facts.number('minutes');
  const alarm = what === 'alarm';
  const known = Object.hasOwn(NOTICES, what) ? NOTICES[what as keyof typeof NOTICES] : undefined;
  return {
    headline: known === undefined ? say('intake.notice', { what }) : say(known),
    details: [
      ...(facts.text('reason') === '' ? [] : [reasonIs(facts.text('reason'))]),
      ...(facts.text('topic') === '' ? [] : [say('topicIs', { topic: facts.text('topic') })]),
      ...(facts.text('source') === '' ? [] : [say('sourceIs', { source: facts.text('source') })]),
      ...(alarm && minutes !== undefined ? [say('oldestWaits', { minutes })] : []),
    ],
    remedy: alarm ? [remedy('intakeStatus')] : what === 'problem' ? [remedy('intakeProblems')] : [],
  };
}

export const intakeSteps = {
  'intake.received': received,
  'intake.waiting': waiting,
  'intake.ended': ended,
  'intake.notice': notice,
} satisfies Partial<Record<JournalKind, (facts: Facts, context: StepContext) => Step>>;
