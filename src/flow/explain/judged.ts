import { verbatim } from '../../base/words.ts';
import { type Facts, typeable } from './facts.ts';
import { remedy, type Said, say, sayTold, toldText } from './say.ts';
import type { Row, Step } from './steps.ts';

const OUTCOMES = { inbox: 'judgedInbox', junk: 'judgedJunk', refuse: 'judgedRefuse' } as const;
const FOR_EACH = { inbox: 'eachInbox', junk: 'eachJunk', refuse: 'eachRefuse' } as const;

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
  return {
    headline: outcomeOf(action, waits, aside, action === 'refuse' && decidedBy === ''),
    details: aside && number !== '' ? [say('keptInVault', { case: number })] : [],
    rows: [
      ...(decidedBy === '' ? [] : [{ label: say('rowDecidedBy'), text: toldText(decidedBy) }]),
      ...scaleRows(facts, decidedBy !== ''),
      ...(nearest === '' || waits ? [] : [{ label: say('rowNearest'), text: nearestText(nearest) }]),
      ...facts.list('accounts').map(accountRow),
      ...facts.list('checks').map(checkRow),
      ...(reasons.length === 0 ? [] : [{ label: say('rowReasons'), text: say('reasonsLegend') }]),
      ...reasons.map(reasonRow),
    ],
    remedy: remedyOf(facts),
  };
}

function outcomeOf(action: string, waits: boolean, aside: boolean, sure: boolean): Said {
  if (waits) return say('judgedWaits');
  if (aside) return say(sure ? 'judgedAsideSure' : 'judgedAside');
  if (sure) return say('judgedRefuseSure');
  if (Object.hasOwn(OUTCOMES, action)) return say(OUTCOMES[action as keyof typeof OUTCOMES]);
  return say('message.judged', { outcome: action });
}

/** "would be Inbox if ...": as filters write it. */
function nearestText(nearest: string): Said {
  return toldText(`it ${nearest}`);
}

const LABELS: Readonly<Record<string, 'checkSpf' | 'checkDkim' | 'checkDmarc' | 'checkArc' | 'checkName'>> = {
  "Sender's server (SPF)": 'checkSpf',
  'Signature (DKIM)': 'checkDkim',
  'Author (DMARC)': 'checkDmarc',
  'Seals of forwarders (ARC)': 'checkArc',
  'Name of the host': 'checkName',
};

/** "Signature (DKIM) of good.example: pass; it is valid" in two columns. */
export function checkRow(check: string): Row {
  const [, label = '', whose, text = ''] =
    /^([A-Z][^:(]{0,30}(?:\([A-Z]{3,5}\))?)(?: of (\S{1,255}))?: (.*)$/s.exec(check) ?? [];
  if (label === '') return { label: undefined, text: toldText(check) };
  const known = LABELS[label.trim()];
  return {
    label: known === undefined ? verbatim(label.trim()) : sayTold(known),
    text: resultText(whose, text),
  };
}

/** "pass; why": a result with its reason, and of whose signature. */
function resultText(whose: string | undefined, text: string): Said {
  const [, result, reason] = /^(\w{1,20}); (.{1,500})$/s.exec(text) ?? [];
  if (result === undefined || reason === undefined)
    return whose === undefined ? toldText(text) : verbatim(text.replace(/^(\w+)/, `$1, of ${whose}`));
  const args = { result: toldText(result), reason: toldText(reason) };
  return whose === undefined ? sayTold('resultWhy', args) : sayTold('resultOfWhy', { ...args, whose });
}

/** "For ann@example.org: junk, 99.90 %": of several accounts each has its own. */
function accountRow(line: string): Row {
  const [, account, action = '', share] = /^For (\S{1,320}): (\w+), (.*)$/s.exec(line) ?? [];
  if (account === undefined || share === undefined) return { label: undefined, text: verbatim(line) };
  const key = Object.hasOwn(FOR_EACH, action) ? FOR_EACH[action as keyof typeof FOR_EACH] : undefined;
  return {
    label: say('rowForEach'),
    text: key === undefined ? verbatim(`${account}: ${action} (${share})`) : say(key, { account, share }),
  };
}

/** "+3.5  it says so (RULE)": the score below each other at the point. */
function reasonRow(reason: string): Row {
  const [, score, text] = /^([+-]\d{1,4}\.\d)\s+(.*)$/s.exec(reason) ?? [];
  if (score === undefined || text === undefined) return { label: undefined, text: verbatim(reason) };
  const [, bare = text] = /^(.*) \(([^()]{1,100})\)$/s.exec(text) ?? [];
  const shown = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
  return { label: verbatim(score.padStart(7)), text: { ...toldText(bare), text: shown } };
}

function scaleRows(facts: Facts, decided: boolean): Row[] {
  const probability = facts.number('probability');
  const threshold = facts.number('threshold');
  if (probability === undefined || threshold === undefined) return [];
  const args = { share: percent(probability), line: percent(threshold) };
  return [{ label: say('rowProbability'), text: say(decided ? 'shareDecided' : 'shareLine', args) }];
}

function remedyOf(facts: Facts): readonly Said[] {
  const number = facts.text('case');
  // Of a refused message the refusal says what to do: it comes below.
  if (number !== '' || facts.text('action') !== 'junk' || facts.flag('waits') === true) return [];
  const author = facts.text('author');
  // For a name that is not proven an entry in the list would not hold.
  const proven = facts.list('checks').some((check) => check.startsWith('Author (DMARC): pass'));
  const entry = proven && facts.text('decidedBy') === '' ? typeable(author) : 'ADDRESS';
  return [entry === 'ADDRESS' ? remedy('notJunk') : remedy('notJunkAllow', { address: entry })];
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
