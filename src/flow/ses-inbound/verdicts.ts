import type { Evidence } from '../inbound/authenticate.ts';
import type { Reason } from '../spam/types.ts';
import type { Decision } from '../spam/verdict.ts';
import type { SesVerdicts } from './notice.ts';

/** Verdicts of SES as the filter weighs them: its scanners' always, its checks of the sender where ours could not tell. */

/** Nats. SES's own filter is good, but nobody can correct it: it tips the balance, it does not decide. */
const SCORES = { spam: 4, spamUnsure: 1, spf: 1, dkim: 0.5, dmarc: 2, dmarcPass: -0.5 } as const;

/** A virus is one whoever sends it. */
export function sesDecisions({ virus }: SesVerdicts): readonly Decision[] {
  if (virus !== 'FAIL') return [];
  return [
    {
      action: 'refuse',
      reason: {
        name: 'VIRUS',
        score: 0,
        text: 'the virus scanner of Amazon SES found something in it',
        lever: 'the file that carries it were not attached',
      },
    },
  ];
}

export function sesFacts(verdicts: SesVerdicts, evidence: Evidence): readonly Reason[] {
  return [...scannerFacts(verdicts), ...senderFacts(verdicts, evidence)];
}

function scannerFacts({ spam, virus }: SesVerdicts): readonly Reason[] {
  const facts: Reason[] = [];
  if (spam === 'FAIL') {
    facts.push({
      name: 'SES_SPAM',
      score: SCORES.spam,
      text: 'the spam filter of Amazon SES takes it for spam',
      lever: 'Amazon SES did not take it for spam',
    });
  }
  if (spam === 'GRAY')
    facts.push({
      name: 'SES_SPAM_UNSURE',
      score: SCORES.spamUnsure,
      text: 'the spam filter of Amazon SES is not sure of it',
    });
  if (virus === 'PROCESSING_FAILED')
    facts.push({ name: 'NOT_SCANNED', score: 0.1, text: 'Amazon SES could not look for viruses in it' });
  return facts;
}

/** The same fact must not count twice: only what our own check did not find out. */
function senderFacts({ spf, dkim, dmarc }: SesVerdicts, evidence: Evidence): readonly Reason[] {
  const unchecked = evidence.state === 'unchecked';
  const facts: Reason[] = [];
  if (spf === 'FAIL' && (unchecked || evidence.spf.result === 'temperror'))
    facts.push(fact('SES_SPF_FAIL', SCORES.spf, 'its sender is no server of the domain it names (SPF)'));
  if (dkim === 'FAIL' && (unchecked || evidence.dkim.every(({ status }) => status === 'temperror')))
    facts.push(fact('SES_DKIM_FAIL', SCORES.dkim, 'its signature does not fit (DKIM)'));
  const open = unchecked || evidence.dmarc.result === 'temperror';
  if (dmarc === 'FAIL' && open)
    facts.push(fact('SES_DMARC_FAIL', SCORES.dmarc, 'its author is not proven (DMARC)'));
  if (dmarc === 'PASS' && open)
    facts.push(fact('SES_DMARC_PASS', SCORES.dmarcPass, 'its author is proven (DMARC)'));
  return facts;
}

function fact(name: string, score: number, what: string): Reason {
  return { name, score, text: `Amazon SES found: ${what}` };
}

/** "spam PASS, virus PASS, ...", for the journal. */
export function verdictsText(verdicts: SesVerdicts): string {
  return Object.entries(verdicts)
    .map(([name, verdict]) => `${name} ${verdict}`)
    .join(', ');
}
