import type { FilterSettings } from './settings.ts';
import type { Verdict } from './types.ts';
import { actionOf, logit, logistic } from './verdict.ts';

/**
 * What other settings would have made of messages that were judged before, by what was written down of them: the sum,
 * the threshold, the strongest reasons, and what decided. Contents are not looked at again.
 */

/** What is known of a judgement. */
export interface Recorded {
  readonly action: Verdict['action'];
  readonly probability: number;
  readonly threshold: number;
  /** "+1.2  text (NAME)", the strongest first. */
  readonly reasons: readonly string[];
  /** Text of what decided, and its name where that is known. */
  readonly decidedBy: string | undefined;
  readonly by: string | undefined;
}

export interface Would {
  readonly action: Verdict['action'];
  /** Nats. */
  readonly score: number;
  /** Why it is another one; '' where it is not. */
  readonly why: string;
}

/** From which probability mail is junk by the old knob and by the new one, as the model stands now. */
export interface Lines {
  readonly before: number | undefined;
  readonly after: number | undefined;
}

const PLACE = { inbox: 'Inbox', junk: 'Junk', refuse: 'refused' } as const;

export function wouldBe(
  recorded: Recorded,
  before: FilterSettings,
  after: FilterSettings,
  lines: Lines,
): Would {
  const why: string[] = [];
  const score = scoreOf(recorded, before, after, why);
  if (before.enabled && !after.enabled) return { action: 'inbox', score, why: 'nothing would be judged' };
  const threshold = thresholdOf(recorded, lines, why);
  const mayRefuse = after.refuse === 'certain';
  if (before.refuse !== after.refuse)
    why.push(mayRefuse ? 'spam beyond doubt would be refused' : 'spam would not be refused');
  const bySum = actionOf(score, { threshold, mayRefuse });
  const name = decidedName(recorded);
  const decided = name === undefined ? undefined : decision(name, recorded, before, after, why);
  const action =
    name === undefined || decided === undefined
      ? why.length === 0
        ? recorded.action
        : bySum
      : harder(decided, bySum);
  return { action, score, why: action === recorded.action ? '' : reasonOf(why, action) };
}

function reasonOf(why: readonly string[], action: Verdict['action']): string {
  return why.length === 0 ? `it would be ${PLACE[action]}` : why.join('; ');
}

const SEVERITY = { inbox: 0, junk: 1, refuse: 2 } as const;

function harder(decided: Verdict['action'], bySum: Verdict['action']): Verdict['action'] {
  return decided === 'inbox' || SEVERITY[decided] >= SEVERITY[bySum] ? decided : bySum;
}

/** The sum, with what rspamd says weighed anew. */
function scoreOf(
  { probability, reasons }: Recorded,
  before: FilterSettings,
  after: FilterSettings,
  why: string[],
): number {
  const score = logit(probability);
  const [old, next] = [before.rspamd.weight, after.rspamd.weight];
  if (old === next || old === 0) return score;
  const said = reasons.find((reason) => reason.endsWith('(RSPAMD)'));
  const own = said === undefined ? Number.NaN : Number.parseFloat(said);
  if (!Number.isFinite(own)) return score;
  why.push('what rspamd says would weigh otherwise');
  return score + own * (next / old - 1);
}

/** The threshold that held, moved as the model moves it now. */
function thresholdOf({ threshold }: Recorded, { before, after }: Lines, why: string[]): number {
  if (before === undefined || after === undefined || before === after) return threshold;
  why.push('the threshold for Junk would be another one');
  return logistic(logit(threshold) + logit(after) - logit(before));
}

/** Judgements of before the name was written down are told by their words. */
function decidedName({ by, decidedBy }: Recorded): string | undefined {
  if (by !== undefined || decidedBy === undefined) return by;
  if (decidedBy.endsWith('(DMARC)')) return 'DMARC_POLICY';
  if (decidedBy.startsWith('this site does not take ')) return 'ATTACHMENT_POLICY';
  if (decidedBy.startsWith('the virus scanner found ')) return 'VIRUS';
  if (decidedBy.includes(' is always welcome ')) return 'ALLOWED';
  return 'OTHER';
}

/** What the decision would be now; undefined: it would not be made any more. */
function decision(
  name: string,
  recorded: Recorded,
  before: FilterSettings,
  after: FilterSettings,
  why: string[],
): Verdict['action'] | undefined {
  switch (name) {
    case 'DMARC_POLICY': {
      const domain = /^it says it is from (\S+),/.exec(recorded.decidedBy ?? '')?.[1] ?? '';
      const off = !after.dmarc.enforce || under(after.dmarc.ignore, domain);
      const was = !before.dmarc.enforce || under(before.dmarc.ignore, domain);
      if (!off || was) return recorded.action;
      why.push('the policy of its domain (DMARC) would not be applied');
      return undefined;
    }
    case 'VIRUS':
      if (before.clamav.infected === after.clamav.infected) return recorded.action;
      why.push('messages with a virus would be treated otherwise');
      return after.clamav.infected;
    case 'GTUBE':
      return after.refuse === 'certain' ? 'refuse' : 'junk';
    case 'ATTACHMENT_POLICY':
      return attachment(recorded, before, after, why);
    default:
      return recorded.action;
  }
}

/** The words that the decision uses for each kind of file (flow/inbound/decisions.ts). */
const FILES: readonly (readonly [words: string, category: FilterSettings['attachments']['junk'][number]])[] =
  [
    ['programs as attachments', 'executable'],
    ['scripts as attachments', 'script'],
    ['documents with macros', 'macro-document'],
    ['archives that need a password', 'encrypted-archive'],
    ['programs inside archives', 'executable-in-archive'],
    ['disk images', 'disk-image'],
    ['shortcuts', 'shortcut'],
  ];

function attachment(
  { decidedBy = '', action }: Recorded,
  before: FilterSettings,
  after: FilterSettings,
  why: string[],
): Verdict['action'] | undefined {
  const category = FILES.find(([words]) => decidedBy.startsWith(`this site does not take ${words}`))?.[1];
  if (category === undefined) return action;
  const of = ({ attachments }: FilterSettings): Verdict['action'] | undefined =>
    attachments.refuse.includes(category)
      ? 'refuse'
      : attachments.junk.includes(category)
        ? 'junk'
        : undefined;
  if (of(before) === of(after)) return action;
  why.push(`files of this kind (${category}) would be treated otherwise`);
  return of(after);
}

function under(domains: readonly string[], domain: string): boolean {
  const name = domain.toLowerCase();
  return domains.some((each) => name === each.toLowerCase() || name.endsWith(`.${each.toLowerCase()}`));
}

/** What of the change cannot be told from what was written down, a sentence each. */
export function cannotTell(before: FilterSettings, after: FilterSettings): string[] {
  const differs = (...path: readonly string[]): boolean =>
    JSON.stringify(at(before, path)) !== JSON.stringify(at(after, path));
  const found: string[] = [];
  if (!before.enabled && after.enabled)
    found.push('While the filter was off nothing was judged, so nothing can be told of that time.');
  if (after.dmarc.enforce && !before.dmarc.enforce)
    found.push('Which messages their domains (DMARC) would have wanted refused was not written down.');
  if (differs('dmarc', 'forwarders'))
    found.push('Seals of forwarders were not kept: what another list of them would change cannot be told.');
  const more = (kind: 'refuse' | 'junk'): boolean =>
    after.attachments[kind].some(
      (each) => !before.attachments.refuse.includes(each) && !before.attachments.junk.includes(each),
    );
  if (more('refuse') || more('junk'))
    found.push('Which files messages carried was not written down: kinds that are added are not looked for.');
  for (const [path, what] of BLIND)
    if (differs(...path))
      found.push(`What ${what} would have changed cannot be told: it works before a message is judged.`);
  if (differs('lists'))
    found.push('DNS lists are not asked again: what another set of them would have said is not known.');
  if (differs('clamav', 'address') || differs('rspamd', 'url') || differs('milters'))
    found.push('Filters beside the server are not asked again.');
  if (differs('good_per_junked'))
    found.push(
      'The threshold is reckoned from what the filter has learned by today, not from what it knew then.',
    );
  return found;
}

const BLIND: readonly (readonly [path: readonly string[], what: string])[] = [
  [['unknown_sender_domain'], 'unknown_sender_domain'],
  [['helo'], 'helo'],
  [['reverse_dns'], 'reverse_dns'],
  [['early_talker'], 'early_talker'],
  [['greeting_pause_ms'], 'greeting_pause_ms'],
  [['greylist'], 'greylist'],
  [['messages_per_hour'], 'messages_per_hour'],
  [['tarpit_after'], 'tarpit_after'],
  [['bans'], 'bans'],
];

function at(value: unknown, path: readonly string[]): unknown {
  let inner = value;
  for (const name of path) inner = (inner as Record<string, unknown> | undefined)?.[name];
  return inner;
}
