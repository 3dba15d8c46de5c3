import { authorIsProven } from '../decisions.ts';
import type { EnvelopeFacts } from '../envelope.ts';
import type { Judgement } from '../judge.ts';
import type { Verdict } from '../../spam/types.ts';
import type { EnvelopeGate } from './envelope.ts';

/** Probabilities of spam between which the filter is not sure. Beyond them waiting would change nothing. */
const UNSURE_FROM = 0.5;
const UNSURE_TO = 0.999;

/** Reasons that tie an account here to the sender. */
const KNOWN: ReadonlySet<string> = new Set(['CORRESPONDENT', 'ANSWER', 'ALLOWED']);

/** The gate of a transaction, as the pipeline asks it at the end of the data. `recipient`: the first one accepted. */
export function pipelineFacts(gate: EnvelopeGate, recipient: () => string): EnvelopeFacts {
  return {
    facts: async () => (await gate.facts()).reasons,
    async domainFacts(sites, { author, dkim }) {
      gate.askDomains('From', author.domains);
      // Who does not hold a domain's key has not signed for it: a signature that fails is nobody's word.
      const signers = dkim.filter(({ status }) => status === 'pass').map(({ domain }) => domain ?? '');
      gate.askDomains('DKIM', signers);
      gate.askDomains('body', sites);
      return (await gate.domainFacts()).reasons;
    },
    async greylist(judgement) {
      const { mode } = judgement.settings.greylist;
      if (mode === 'off' || (mode === 'suspicious' && !isUnsure(judgement))) return;
      const { evidence } = judgement;
      const likelyGood = verdicts(judgement).every(({ probability }) => probability < UNSURE_FROM);
      await gate.greylist({
        recipient: recipient(),
        spf: evidence.spf.result,
        authenticatedGood: authorIsProven(evidence) && likelyGood,
        known: isKnown(judgement),
      });
    },
  };
}

function verdicts({ site, accounts }: Judgement): readonly Verdict[] {
  return accounts.size === 0 ? [site] : [...accounts.values()];
}

/** Whether for anybody it is neither good nor spam, and nothing has decided already. */
function isUnsure(judgement: Judgement): boolean {
  return verdicts(judgement).some(
    ({ decidedBy, probability }) =>
      decidedBy === undefined && probability >= UNSURE_FROM && probability <= UNSURE_TO,
  );
}

function isKnown(judgement: Judgement): boolean {
  return verdicts(judgement).some(
    ({ decidedBy, reasons }) =>
      reasons.some(({ name }) => KNOWN.has(name)) || (decidedBy !== undefined && KNOWN.has(decidedBy.name)),
  );
}
