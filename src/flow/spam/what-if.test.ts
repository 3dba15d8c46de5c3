import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FilterSettingsInput, filterSettingsSchema } from './settings.ts';
import { cannotTell, type Lines, type Recorded, wouldBe } from './what-if.ts';

const settings = (more: FilterSettingsInput = {}) => filterSettingsSchema.parse(more);
const NO_LINES: Lines = { before: undefined, after: undefined };

const recorded = (more: Partial<Recorded> = {}): Recorded => ({
  action: 'junk',
  probability: 0.99,
  threshold: 0.95,
  reasons: ['+4.0  the words (CONTENT)', '+1.5  rspamd gives it 5.0 points (RSPAMD)'],
  decidedBy: undefined,
  by: undefined,
  ...more,
});

function would(one: Recorded, before: FilterSettingsInput, after: FilterSettingsInput, lines = NO_LINES) {
  return wouldBe(one, settings(before), settings(after), lines).action;
}

describe('what another setting would have done', () => {
  it('leaves everything as it was when nothing changes, whatever the sum says now', () => {
    assert.equal(would(recorded({ action: 'inbox' }), {}, {}), 'inbox');
    assert.equal(would(recorded(), {}, {}), 'junk');
  });

  it('judges the sum anew: refusals, the threshold, the weight of rspamd, no filter at all', () => {
    const certain = recorded({ action: 'refuse', probability: 0.999999 });
    assert.equal(would(certain, {}, { refuse: 'never' }), 'junk');
    assert.equal(would({ ...certain, action: 'junk' }, { refuse: 'never' }, {}), 'refuse');
    assert.equal(
      would(recorded(), {}, { good_per_junked: 100_000 }, { before: 0.95, after: 0.999 }),
      'inbox',
    );
    assert.equal(
      would(
        recorded({ action: 'inbox', probability: 0.9 }),
        {},
        { good_per_junked: 50 },
        { before: 0.95, after: 0.8 },
      ),
      'junk',
    );
    assert.equal(would(recorded({ probability: 0.96 }), {}, { rspamd: { weight: 0 } }), 'inbox');
    assert.equal(would(recorded(), {}, { enabled: false }), 'inbox');
  });

  it('drops and changes decisions that settings make, by their name or, of old, by their words', () => {
    const forged = recorded({
      action: 'refuse',
      probability: 0.5,
      decidedBy:
        'it says it is from bank.example, which could not be proven, and bank.example wants such mail refused (DMARC)',
    });
    assert.equal(would(forged, {}, { dmarc: { enforce: false } }), 'inbox');
    assert.equal(would(forged, {}, { dmarc: { ignore: ['bank.example'] } }), 'inbox');
    assert.equal(would(forged, {}, { dmarc: { ignore: ['other.example'] } }), 'refuse');
    const file = recorded({
      probability: 0.1,
      by: 'ATTACHMENT_POLICY',
      decidedBy: 'this site does not take programs as attachments: a.exe',
    });
    assert.equal(would(file, {}, { attachments: { junk: [] } }), 'inbox');
    assert.equal(would(file, {}, { attachments: { refuse: ['executable'] } }), 'refuse');
    const virus = recorded({ action: 'refuse', by: 'VIRUS', decidedBy: 'the virus scanner found X' });
    assert.equal(would(virus, {}, { clamav: { infected: 'junk' } }), 'junk');
    const welcome = recorded({
      action: 'inbox',
      by: 'ALLOWED',
      decidedBy: 'x is always welcome',
      probability: 0.9999999,
    });
    assert.equal(would(welcome, { refuse: 'never' }, {}), 'inbox');
  });

  it('says what cannot be told', () => {
    const said = (before: FilterSettingsInput, after: FilterSettingsInput) =>
      cannotTell(settings(before), settings(after));
    assert.deepEqual(said({}, { refuse: 'never' }), []);
    assert.match(said({}, { greylist: { mode: 'all' } }).join(), /greylist/);
    assert.match(said({}, { attachments: { refuse: ['script'] } }).join(), /not looked for/);
    assert.match(said({}, { lists: [{ zone: 'list.example' }] }).join(), /not asked again/);
    assert.match(said({ enabled: false }, {}).join(), /nothing was judged/);
  });
});
