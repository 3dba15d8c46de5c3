import type { Facts } from './trace-facts.ts';
import type { Step } from './trace-steps.ts';

const OUTCOMES: Readonly<Record<string, string>> = {
  inbox: 'good mail',
  junk: 'unwanted: Junk',
  refuse: 'unwanted beyond doubt: refused',
};

/** What was found out about a message, in the order it was found out, and what it came to. */
export function judged(facts: Facts): Step {
  const probability = facts.number('probability');
  const threshold = facts.number('threshold');
  const outcome = OUTCOMES[facts.text('action')] ?? facts.text('action');
  const decidedBy = facts.text('decidedBy');
  const nearest = facts.text('nearest');
  const scale =
    probability === undefined || threshold === undefined
      ? ''
      : `Probability of spam ${percent(probability)}; from ${percent(threshold)} on mail goes to Junk.`;
  return {
    headline: `We judged it: ${outcome}`,
    details: [
      ...facts.list('checks').map((check) => `${check}.`),
      ...(decidedBy === '' ? [] : [`Decided by: ${decidedBy}.`]),
      ...(scale === '' ? [] : [scale]),
      ...facts.list('reasons'),
      ...facts.list('accounts').map((line) => `${line}.`),
      ...(nearest === '' ? [] : [`It ${nearest}.`]),
    ],
    remedy: remedyOf(facts),
  };
}

function remedyOf(facts: Facts): string {
  const number = facts.text('case');
  if (number !== '')
    return `It is kept for some days: postern vault show ${number}, postern vault release ${number}`;
  if (facts.text('action') !== 'junk') return '';
  const author = facts.text('author');
  return author === ''
    ? 'If it is good mail, move it out of Junk: the filter learns from that.'
    : `If it is good mail, move it out of Junk (the filter learns from that), or: postern filter allow ${author}`;
}

/** 0.99984 as "99.98 %": as many places as tell it from none and from all. */
export function percent(share: number): string {
  const rest = Math.min(share, 1 - share);
  const digits = rest >= 0.01 ? 0 : rest >= 0.001 ? 1 : rest >= 0.0001 ? 2 : 3;
  const text = (share * 100).toFixed(digits);
  if (share > 0 && Number(text) === 0) return 'under 0.001 %';
  if (share < 1 && Number(text) === 100) return 'over 99.999 %';
  return `${text} %`;
}
