import { type Facts, typeable } from './facts.ts';
import type { Row, Step } from './steps.ts';

const OUTCOMES: Readonly<Record<string, string>> = {
  inbox: 'it goes to the inbox',
  junk: 'it goes to Junk',
  refuse: 'it is refused',
};

/** What came of a message, what would have changed it, and what was found out about it, in the order it was. */
export function judged(facts: Facts): Step {
  const action = facts.text('action');
  const decidedBy = facts.text('decidedBy');
  const nearest = facts.text('nearest');
  const reasons = facts.list('reasons');
  // Greylisted, or unproven while DNS does not answer: what it would have come to counts the next time only.
  const waits = facts.flag('waits') === true;
  // Mail that another host took for us cannot be refused any more.
  const aside = facts.flag('aside') === true;
  const number = facts.text('case');
  const sure = action === 'refuse' && decidedBy === '' ? ', as spam beyond doubt' : '';
  return {
    headline: waits
      ? 'We judged it: the sender is asked to come again'
      : `We judged it: ${aside ? 'it is set aside' : (OUTCOMES[action] ?? action)}${sure}`,
    details: aside && number !== '' ? [`It is kept in the vault: postern vault show ${number}.`] : [],
    rows: [
      ...(decidedBy === '' ? [] : [{ label: 'Decided by', text: decidedBy }]),
      ...scaleRows(facts, decidedBy !== ''),
      ...(nearest === '' || waits ? [] : [{ label: 'What would change it', text: `it ${nearest}` }]),
      ...facts.list('accounts').map(accountRow),
      ...facts.list('checks').map(checkRow),
      ...(reasons.length === 0 ? [] : [{ label: 'Reasons', text: '+ speaks for spam, - for good mail' }]),
      ...reasons.map(reasonRow),
    ],
    remedy: remedyOf(facts),
  };
}

/** "Signature (DKIM) of good.example: pass; it is valid" in two columns. */
export function checkRow(check: string): Row {
  const [, label = '', whose, text = ''] =
    /^([A-Z][^:(]{0,30}(?:\([A-Z]{3,5}\))?)(?: of (\S{1,255}))?: (.*)$/s.exec(check) ?? [];
  if (label === '') return { label: '', text: check };
  return {
    label: label.trim(),
    text: whose === undefined ? text : text.replace(/^(\w+)/, `$1, of ${whose}`),
  };
}

/** "For ann@example.org: junk, 99.90 %": of several accounts each has its own. */
function accountRow(line: string): Row {
  const [, account, action = '', share] = /^For (\S{1,320}): (\w+), (.*)$/s.exec(line) ?? [];
  if (account === undefined) return { label: '', text: line };
  return { label: 'For each', text: `${account}: ${OUTCOMES[action] ?? action} (${share})` };
}

/** "+3.5  it says so (RULE)": the score below each other at the point. */
function reasonRow(reason: string): Row {
  const [, score, text] = /^([+-]\d{1,4}\.\d)\s+(.*)$/s.exec(reason) ?? [];
  return score === undefined || text === undefined
    ? { label: '', text: reason }
    : { label: score.padStart(7), text: `${text.slice(0, 1).toUpperCase()}${text.slice(1)}` };
}

function scaleRows(facts: Facts, decided: boolean): Row[] {
  const probability = facts.number('probability');
  const threshold = facts.number('threshold');
  if (probability === undefined || threshold === undefined) return [];
  const line = decided ? '; it did not decide here' : `; from ${percent(threshold)} on mail goes to Junk`;
  return [{ label: 'Probability of spam', text: `${percent(probability)}${line}` }];
}

function remedyOf(facts: Facts): string {
  const number = facts.text('case');
  // Of a refused message the refusal says what to do: it comes below.
  if (number !== '' || facts.text('action') !== 'junk' || facts.flag('waits') === true) return '';
  const move = 'If it is good mail, move it out of Junk: the filter learns from that.';
  const author = facts.text('author');
  // For a name that is not proven an entry in the list would not hold.
  const proven = facts.list('checks').some((check) => check.startsWith('Author (DMARC): pass'));
  const entry = proven && facts.text('decidedBy') === '' ? typeable(author) : 'ADDRESS';
  return entry === 'ADDRESS'
    ? move
    : `${move} To always take mail from there:\npostern filter allow ${entry}`;
}

/** 0.99984 as "99.98 %": as many places as tell it from none and from all. */
export function percent(share: number): string {
  const rest = Math.min(share, 1 - share);
  const digits = rest >= 0.01 ? 0 : rest >= 0.001 ? 1 : rest >= 0.0001 ? 2 : 3;
  const text = (share * 100).toFixed(digits);
  if (Number(text) === 0) return 'under 0.001 %';
  if (Number(text) === 100) return 'over 99.999 %';
  return `${text} %`;
}
