import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { defaultFilterSettings, type FilterSettings } from '../../spam/settings.ts';
import type { Verdict } from '../../spam/types.ts';
import type { Evidence } from '../authenticate.ts';
import type { Judgement } from '../judge.ts';
import { type EnvelopeGate, type GreylistQuestion, openGate } from './envelope.ts';
import { pipelineFacts } from './pipeline-facts.ts';

let asked: GreylistQuestion[];
let domains: string[];

beforeEach(() => {
  asked = [];
  domains = [];
});

const gate: EnvelopeGate = {
  ...openGate,
  askDomains: (place, names) => void domains.push(`${place}: ${[...names].join(' ')}`),
  greylist: async (wanted) => void asked.push(wanted),
};

function evidence(dmarc: 'pass' | 'fail' | 'none'): Evidence {
  return {
    spf: { result: 'pass' },
    dmarc: { result: dmarc },
    author: { doubt: undefined, domains: ['author.test'] },
    dkim: [
      { status: 'pass', domain: 'signer.test' },
      { status: 'fail', domain: 'forged.test' },
    ],
  } as unknown as Evidence;
}

function verdict(probability: number, more: Partial<Verdict> = {}): Verdict {
  return { action: 'inbox', probability, score: 0, threshold: 0.99, reasons: [], ...more };
}

/** What is asked about a message that was judged so. */
async function question(
  mode: FilterSettings['greylist']['mode'],
  verdicts: readonly Verdict[],
  dmarc: 'pass' | 'fail' | 'none' = 'none',
): Promise<GreylistQuestion | undefined> {
  const [site = verdict(0)] = verdicts;
  await pipelineFacts(gate, () => 'alice@example.test').greylist({
    evidence: evidence(dmarc),
    settings: { ...defaultFilterSettings, greylist: { mode, delay_s: 120 } },
    site,
    accounts: new Map(verdicts.map((each, i) => [i, each])),
  } as unknown as Judgement);
  return asked.pop();
}

describe('greylisting of a judged message', () => {
  it('is for mail the filter is not sure of', async () => {
    for (const [probability, waits] of [
      [0.01, false],
      [0.49, false],
      [0.5, true],
      [0.98, true],
      [0.9999, false],
    ] as const) {
      assert.equal(
        (await question('suspicious', [verdict(probability)])) !== undefined,
        waits,
        `${probability}`,
      );
    }
    assert.ok(await question('suspicious', [verdict(0.01), verdict(0.5)]), 'not sure for one of two');
    const decidedBy = { name: 'DMARC_POLICY', score: 0, text: 'x' };
    assert.equal(await question('suspicious', [verdict(0.5, { decidedBy })]), undefined);
  });

  it('is for everybody or nobody, where the site wants that', async () => {
    assert.ok(await question('all', [verdict(0.01)]));
    assert.equal(await question('off', [verdict(0.5)]), undefined);
  });

  it('knows correspondents, answers and the allowed, and who is proven and looks good', async () => {
    const correspondent = { name: 'CORRESPONDENT', score: -5, text: 'x' };
    assert.equal((await question('all', [verdict(0.01)]))?.known, false);
    assert.equal((await question('all', [verdict(0.01, { reasons: [correspondent] })]))?.known, true);
    const decidedBy = { name: 'ALLOWED', score: 0, text: 'x' };
    assert.equal((await question('all', [verdict(0.01, { decidedBy })]))?.known, true);
    assert.equal((await question('all', [verdict(0.01)], 'pass'))?.authenticatedGood, true);
    assert.equal((await question('all', [verdict(0.01)], 'fail'))?.authenticatedGood, false);
    assert.equal((await question('all', [verdict(0.5)], 'pass'))?.authenticatedGood, false);
    assert.equal((await question('all', [verdict(0.5)]))?.spf, 'pass');
  });
});

it('asks domain lists about the author, about who really signed, and about links, in this order', async () => {
  await pipelineFacts(gate, () => '').domainFacts(['link.test'], evidence('none'));
  assert.deepEqual(domains, ['From: author.test', 'DKIM: signer.test', 'body: link.test']);
});
