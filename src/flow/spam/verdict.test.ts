import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reason } from './types.ts';
import { decide, logit, logistic, type VerdictInput } from './verdict.ts';

const reason = (name: string, score: number, lever?: string): Reason => ({
  name,
  score,
  text: `${name} was seen`,
  ...(lever !== undefined && { lever }),
});

const input = (given: Partial<VerdictInput>): VerdictInput => ({
  content: 0,
  because: [],
  facts: [],
  decisions: [],
  threshold: 0.9,
  mayRefuse: true,
  ...given,
});

describe('the verdict on a message', () => {
  it('is Inbox below the threshold, Junk from it on, and refuses only what is beyond doubt', () => {
    assert.equal(decide(input({ content: logit(0.89) })).action, 'inbox');
    assert.equal(decide(input({ content: logit(0.9) })).action, 'junk');
    assert.equal(decide(input({ content: 9.9 })).action, 'junk');
    assert.equal(decide(input({ content: 10 })).action, 'refuse');
    assert.equal(decide(input({ content: 10, mayRefuse: false })).action, 'junk');
    assert.equal(
      decide(input({ content: 12, threshold: logistic(8) })).action,
      'junk',
      'a careful threshold',
    );
  });

  it('adds facts to the content, but not what explains the content', () => {
    const facts = [reason('SPF_FAIL', 1.5), reason('KNOWN', -4)];
    const verdict = decide(input({ content: 3, because: [reason('CONTENT', 3)], facts }));
    assert.equal(verdict.score, 0.5);
    assert.equal(verdict.action, 'inbox');
    assert.equal(verdict.probability, logistic(0.5));
    assert.deepEqual(
      verdict.reasons.map(({ name }) => name),
      ['KNOWN', 'CONTENT', 'SPF_FAIL'],
    );
  });

  it('names the weakest lever that would have changed it', () => {
    const facts = [
      reason('BIG', 2.5, 'the text were another'),
      reason('SMALL', 0.9, 'DKIM aligned with From'),
      reason('TINY', 0.1, 'it had a date'),
    ];
    assert.equal(decide(input({ content: -0.5, facts })).nearest, 'would be Inbox if DKIM aligned with From');
  });

  it('names two levers where one is not enough, and says so where even two are not', () => {
    const facts = [reason('A', 2, 'a were so'), reason('B', 2, 'b were so')];
    assert.equal(decide(input({ content: 1, facts })).nearest, 'would be Inbox if b were so and a were so');
    assert.equal(decide(input({ content: 5, facts })).nearest, 'would be closer to Inbox if b were so');
    assert.equal(decide(input({ content: 5 })).nearest, undefined);
    assert.equal(decide(input({ content: -5, facts })).nearest, undefined, 'nothing to change in the Inbox');
  });

  it('lets the first decision overrule the sum and still tells what the sum said', () => {
    const dmarc = reason('DMARC_REJECT', 0, 'it were signed by example.org');
    const verdict = decide(
      input({
        content: -3,
        decisions: [
          { action: 'refuse', reason: dmarc },
          { action: 'inbox', reason: reason('ALLOWED', 0) },
        ],
      }),
    );
    assert.equal(verdict.action, 'refuse');
    assert.equal(verdict.decidedBy?.name, 'DMARC_REJECT');
    assert.equal(verdict.nearest, 'would be Inbox if it were signed by example.org');
    assert.ok(verdict.probability < 0.1);
  });

  it('lets no weak decision shield from a hard one, nor from the sum', () => {
    const file = { action: 'junk', reason: reason('ATTACHMENT_POLICY', 0) } as const;
    const forged = { action: 'refuse', reason: reason('DMARC_POLICY', 0) } as const;
    const welcome = { action: 'inbox', reason: reason('ALLOWED', 0) } as const;
    const virus = { action: 'refuse', reason: reason('VIRUS', 0) } as const;
    const by = (content: number, ...decisions: VerdictInput['decisions']) => {
      const { action, decidedBy } = decide(input({ content, decisions }));
      return [action, decidedBy?.name];
    };
    assert.deepEqual(by(20, file), ['refuse', undefined], 'certain spam with a program in it');
    assert.deepEqual(by(0, file, forged), ['refuse', 'DMARC_POLICY']);
    assert.deepEqual(by(0, file), ['junk', 'ATTACHMENT_POLICY']);
    assert.deepEqual(by(20, welcome, forged), ['inbox', 'ALLOWED']);
    assert.deepEqual(by(-5, virus, welcome), ['refuse', 'VIRUS'], 'a virus is one whoever sends it');
  });
});
