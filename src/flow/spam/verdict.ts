import type { Reason, Verdict } from './types.ts';

/** Something that decides by itself, whatever the sum says: a policy, a list, a virus. */
export interface Decision {
  readonly action: Verdict['action'];
  readonly reason: Reason;
  /** Names of facts that would be gone if the lever of the reason were pulled: they say the same. */
  readonly same?: readonly string[];
}

export interface VerdictInput {
  /** What the classifier makes of the content, content rules included: calibrated log-odds in nats. */
  readonly content: number;
  /** Why the classifier thinks so; their scores explain `content` and are not added to it. */
  readonly because: readonly Reason[];
  /** Facts from outside the content: their scores are added. */
  readonly facts: readonly Reason[];
  /** In order of precedence: see `deciding`. */
  readonly decisions: readonly Decision[];
  /** Probability from which mail goes to Junk, as the site's knob and the model's calibration give it. */
  readonly threshold: number;
  /** Whether the site refuses what is spam beyond doubt. */
  readonly mayRefuse: boolean;
}

/** Nats above the threshold, and above an even chance, from which spam is beyond doubt. */
const CERTAIN_ABOVE_THRESHOLD = 5;
const CERTAIN_AT_LEAST = 10;
/** Reasons kept in a verdict. */
const REASONS_MAX = 12;
/** Reasons weaker than this explain nothing. */
const WORTH_SAYING = 0.05;

export function logit(probability: number): number {
  const p = Math.min(Math.max(probability, 1e-12), 1 - 1e-12);
  return Math.log(p / (1 - p));
}

export function logistic(nats: number): number {
  return 1 / (1 + Math.exp(-nats));
}

/** Weigh everything that is known of a message for one account. Pure; the same input gives the same verdict. */
export function decide(input: VerdictInput): Verdict {
  const { content, because, facts, decisions, threshold } = input;
  const score = facts.reduce((sum, reason) => sum + reason.score, content);
  const action = actionOf(score, input);
  const reasons = [...because, ...facts]
    .filter(({ score: own }) => Math.abs(own) >= WORTH_SAYING)
    .toSorted((a, b) => Math.abs(b.score) - Math.abs(a.score))
    .slice(0, REASONS_MAX);
  const common = { probability: logistic(score), score, threshold, reasons };
  const decision = deciding(decisions);
  if (
    decision !== undefined &&
    (decision.action === 'inbox' || SEVERITY[decision.action] >= SEVERITY[action])
  ) {
    const otherwise = decisionLever(decision, input, score);
    return {
      ...common,
      action: decision.action,
      decidedBy: decision.reason,
      ...(otherwise !== undefined && { nearest: otherwise }),
    };
  }
  const nearest = action === 'inbox' ? undefined : nearestLever(input, score, action);
  return { ...common, action, ...(nearest !== undefined && { nearest }) };
}

const SEVERITY = { inbox: 0, junk: 1, refuse: 2 } as const;

/**
 * Who is welcome is let in, unless what stands before says otherwise; of the rest the hardest decides, the first of its
 * kind: one reason for Junk does not shield from another for refusal.
 */
function deciding(decisions: readonly Decision[]): Decision | undefined {
  const welcome = decisions.findIndex(({ action }) => action === 'inbox');
  const [hardest] = (welcome < 0 ? decisions : decisions.slice(0, welcome)).toSorted(
    (a, b) => SEVERITY[b.action] - SEVERITY[a.action],
  );
  return hardest ?? decisions[welcome];
}

/** Where it would have gone but for the decision. */
function decisionLever(
  { action, reason, same = [] }: Decision,
  input: VerdictInput,
  score: number,
): string | undefined {
  const { lever } = reason;
  if (lever === undefined || action === 'inbox') return undefined;
  const gone = input.facts.filter(({ name }) => same.includes(name));
  const otherwise = actionOf(
    gone.reduce((rest, fact) => rest - fact.score, score),
    input,
  );
  return otherwise === action
    ? `would be closer to Inbox if ${lever}`
    : `would be ${PLACE[otherwise]} if ${lever}`;
}

const PLACE = { inbox: 'Inbox', junk: 'Junk', refuse: 'refused' } as const;

/** Where a sum leads. */
export function actionOf(
  score: number,
  { threshold, mayRefuse }: Pick<VerdictInput, 'threshold' | 'mayRefuse'>,
): Verdict['action'] {
  const line = logit(threshold);
  if (mayRefuse && score >= Math.max(line + CERTAIN_ABOVE_THRESHOLD, CERTAIN_AT_LEAST)) return 'refuse';
  return score >= line ? 'junk' : 'inbox';
}

/** The weakest single lever that would have led elsewhere; else the strongest two together; else the strongest one. */
function nearestLever(input: VerdictInput, score: number, action: Verdict['action']): string | undefined {
  const levers = [...input.facts, ...input.because]
    .filter(({ score: own, lever }) => own > 0 && lever !== undefined)
    .toSorted((a, b) => a.score - b.score);
  const without = (...gone: readonly Reason[]): Verdict['action'] =>
    actionOf(
      gone.reduce((rest, reason) => rest - reason.score, score),
      input,
    );
  const single = levers.find((reason) => without(reason) !== action);
  if (single !== undefined) return `would be ${PLACE[without(single)]} if ${single.lever}`;
  const [first, second] = levers.toReversed();
  if (first === undefined) return undefined;
  if (second === undefined || without(first, second) === action)
    return `would be closer to Inbox if ${first.lever}`;
  return `would be ${PLACE[without(first, second)]} if ${first.lever} and ${second.lever}`;
}
