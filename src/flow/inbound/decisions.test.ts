import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Relation } from '../../data/spam/types.ts';
import { judgeAttachments } from '../spam/attachments/policy.ts';
import type { AttachmentFact } from '../spam/facts/file-types.ts';
import { filterSettingsSchema } from '../spam/settings.ts';
import type { Scanned } from '../spam/scan-types.ts';
import type { Evidence } from './authenticate.ts';
import {
  attachmentDecision,
  covers,
  dmarcDecision,
  listDecision,
  relationFacts,
  testDecision,
} from './decisions.ts';

type Dmarc = Evidence['dmarc'];

function evidence(dmarc: Partial<Dmarc>, more: Partial<Evidence> = {}): Evidence {
  const base = {
    state: 'checked',
    dmarc: { result: 'none', disposition: 'none', domain: 'sender.test', ...dmarc },
    spf: { result: 'none', identity: 'mailfrom', domain: 'sender.test' },
    dkim: [{ status: 'none' }],
    author: { domains: ['sender.test'], address: 'ann@sender.test', doubt: undefined },
  };
  return { ...base, ...more } as unknown as Evidence;
}

function relation(more: Partial<Relation>): Relation {
  return {
    accountId: 1,
    wroteTo: false,
    sent: 0,
    answersOwn: false,
    list: undefined,
    model: undefined,
    ...more,
  };
}

const settings = filterSettingsSchema.parse({});
const failed = { result: 'fail', disposition: 'reject', domain: 'bank.test' } as const;

describe('the policy of the author’s domain', () => {
  it('refuses or junks what fails, and only that', () => {
    assert.equal(dmarcDecision(evidence(failed), settings, undefined)?.action, 'refuse');
    const quarantine = { ...failed, disposition: 'quarantine' } as const;
    assert.equal(dmarcDecision(evidence(quarantine), settings, undefined)?.action, 'junk');
    for (const result of ['pass', 'none', 'temperror', 'permerror'] as const)
      assert.equal(dmarcDecision(evidence({ ...failed, result }), settings, undefined), undefined, result);
    assert.equal(dmarcDecision(evidence({ ...failed, disposition: 'none' }), settings, undefined), undefined);
  });

  it('gives way to the site and to a forwarder it knows', () => {
    const off = filterSettingsSchema.parse({ dmarc: { enforce: false } });
    assert.equal(dmarcDecision(evidence(failed), off, undefined), undefined);
    const ignoring = filterSettingsSchema.parse({ dmarc: { ignore: ['Bank.test'] } });
    assert.equal(dmarcDecision(evidence(failed), ignoring, undefined), undefined);
    const word = { domain: 'list.test', instance: 1, said: 'dmarc=pass' };
    assert.equal(dmarcDecision(evidence(failed), settings, word), undefined);
  });
});

describe('lists of senders', () => {
  const listed = (action: 'allow' | 'block', pattern: string, site = false): Relation =>
    relation({ list: { action, pattern, site } });

  it('refuse for the site and junk for one account', () => {
    assert.equal(listDecision(evidence({}), listed('block', '@sender.test', true))?.action, 'refuse');
    assert.equal(listDecision(evidence({}), listed('block', '@sender.test'))?.action, 'junk');
  });

  it('let nobody in who only borrows the name', () => {
    const allow = listed('allow', '@sender.test');
    assert.equal(listDecision(evidence({ result: 'pass' }), allow)?.action, 'inbox');
    assert.equal(listDecision(evidence({ result: 'none' }), allow), undefined);
    assert.equal(listDecision(evidence({ result: 'fail' }), allow), undefined);
    assert.equal(listDecision(evidence({}), listed('allow', '192.0.2.0/24'))?.action, 'inbox');
    const doubtful = { ...evidence({}).author, doubt: 'two From fields' };
    assert.equal(listDecision(evidence({ result: 'pass' }, { author: doubtful }), allow), undefined);
    const score = (result: Dmarc['result']) =>
      relationFacts(evidence({ result }), allow).find(({ name }) => name === 'ALLOWED_UNPROVEN')?.score;
    assert.equal(score('none'), -2);
    assert.equal(score('fail'), 0);
    assert.equal(score('pass'), undefined);
  });
});

describe('what ties an account to the sender', () => {
  const scores = (given: Evidence, tie: Partial<Relation>): Record<string, number> =>
    Object.fromEntries(relationFacts(given, relation(tie)).map(({ name, score }) => [name, score]));

  it('counts in full for a proven sender, less for others, not for a forged one', () => {
    assert.deepEqual(scores(evidence({ result: 'pass' }), { wroteTo: true }), { CORRESPONDENT: -5 });
    assert.deepEqual(scores(evidence({ result: 'none' }), { wroteTo: true }), { CORRESPONDENT: -2.5 });
    assert.deepEqual(scores(evidence(failed), { wroteTo: true }), {});
    assert.deepEqual(scores(evidence({}), { answersOwn: true }), { ANSWER: -4 });
    assert.deepEqual(scores(evidence({}), {}), {});
  });
});

describe('the content', () => {
  const scanned = (more: Partial<Scanned>): Scanned =>
    ({ attachments: { action: 'accept', findings: [] }, testPattern: false, ...more }) as unknown as Scanned;

  it('decides by files a site does not take', () => {
    const file = { name: 'a.vbs', extension: 'vbs' } as unknown as AttachmentFact;
    const judged = (given: typeof settings): Scanned =>
      scanned({ attachments: judgeAttachments({ attachments: [file] }, given.attachments) });
    assert.equal(attachmentDecision(judged(settings)), undefined);
    const strict = filterSettingsSchema.parse({ attachments: { refuse: ['script'], junk: ['script'] } });
    assert.equal(attachmentDecision(judged(strict))?.action, 'refuse');
    assert.match(attachmentDecision(judged(strict))?.reason.text ?? '', /scripts as attachments: a\.vbs/);
    assert.equal(attachmentDecision(undefined), undefined);
  });

  it('decides by the test pattern', () => {
    assert.equal(testDecision(scanned({ testPattern: true }), settings)?.action, 'refuse');
    const never = filterSettingsSchema.parse({ refuse: 'never' });
    assert.equal(testDecision(scanned({ testPattern: true }), never)?.action, 'junk');
    assert.equal(testDecision(scanned({}), settings), undefined);
  });
});

describe('a list of domains', () => {
  it('covers the names below each, without case, and no others', () => {
    assert.ok(covers(['Example.org'], 'a.example.ORG'));
    assert.ok(covers(['example.org'], 'example.org'));
    assert.ok(!covers(['example.org'], 'badexample.org'));
    assert.ok(!covers([], 'example.org'));
  });
});
