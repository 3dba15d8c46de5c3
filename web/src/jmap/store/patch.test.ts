import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyPatch, fitOf, inversePatch } from './patch.ts';

const email = (mailboxes: readonly string[], keywords: readonly string[] = []) => ({
  mailboxIds: Object.fromEntries(mailboxes.map((id) => [id, true as const])),
  keywords: Object.fromEntries(keywords.map((name) => [name, true as const])),
});
const ARCHIVE = { 'mailboxIds/archive': true, 'mailboxIds/inbox': null };

describe('patches of emails', () => {
  it('apply, and are taken back as far as they changed something', () => {
    const before = email(['inbox'], ['$seen']);
    const patch = { ...ARCHIVE, 'keywords/$seen': true, 'keywords/$flagged': true };
    const after = applyPatch(before, patch);
    assert.deepEqual(after, email(['archive'], ['$seen', '$flagged']));
    assert.deepEqual(inversePatch(before, patch), {
      'mailboxIds/archive': null,
      'mailboxIds/inbox': true,
      'keywords/$flagged': null,
    });
    assert.deepEqual(applyPatch(after, inversePatch(before, patch)), before);
  });

  it('fit later where nobody moved the email meanwhile', () => {
    assert.equal(fitOf(email(['inbox']), ARCHIVE), 'fits');
    assert.equal(fitOf(email(['inbox', 'work'], ['$seen']), ARCHIVE), 'fits');
    // Done by a try whose answer was lost.
    assert.equal(fitOf(email(['archive']), ARCHIVE), 'done');
    // Another device put it elsewhere: that was later.
    assert.equal(fitOf(email(['trash']), ARCHIVE), 'gone');
    assert.equal(fitOf(email(['trash']), { ...ARCHIVE, 'keywords/$junk': true }), 'gone');
  });

  it('of keywords fit always, each for itself', () => {
    assert.equal(fitOf(email(['trash'], ['$seen']), { 'keywords/$flagged': true }), 'fits');
    assert.equal(fitOf(email(['trash'], ['$flagged']), { 'keywords/$flagged': true }), 'done');
    // The move is done, the mark that goes with it is not.
    assert.equal(fitOf(email(['archive']), { ...ARCHIVE, 'keywords/$notjunk': true }), 'fits');
  });

  it('that put an email into one more mailbox fit wherever it is', () => {
    assert.equal(fitOf(email(['trash']), { 'mailboxIds/work': true }), 'fits');
  });
});
