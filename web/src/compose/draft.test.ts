import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Draft, emailOf, envelopeRecipients, isBlank } from './draft.ts';
import { encodeFlowed } from './flowed.ts';
import { isSameMessage } from './same.ts';
import { nextSaveState, NOT_SAVED, saveDelay, type SaveEvent } from './save-state.ts';

const draft: Draft = {
  key: 'k',
  purpose: 'new',
  messageId: 'id@example.org',
  from: { identityId: '1', name: 'Me', email: 'me@example.org' },
  to: [{ name: null, email: 'a@example.org' }],
  cc: [{ name: null, email: 'not an address' }],
  bcc: [{ name: null, email: 'A@example.org' }],
  subject: 'Hello',
  format: 'rich',
  html: '<div>Hi</div>',
  text: 'Hi',
  attachments: [
    { key: '1', name: 'a.pdf', type: 'application/pdf', size: 3, blobId: 'B1' },
    { key: '2', name: 'p.png', type: 'image/png', size: 3, blobId: 'B2', cid: 'c@x' },
    { key: '3', name: 'later.bin', type: '', size: 3 },
  ],
  inReplyTo: [],
  references: ['r@example.org'],
};

describe('the email of a draft', () => {
  it('has what is known, and nothing that no header may have', () => {
    const email = emailOf(draft, 'M1', Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    assert.deepEqual(email['mailboxIds'], { M1: true });
    assert.deepEqual(email['messageId'], ['id@example.org']);
    const { TZ } = process.env;
    try {
      for (const [zone, local] of [
        ['Asia/Kolkata', '2026-01-02T08:34:05+05:30'],
        ['America/St_Johns', '2026-01-01T23:34:05-03:30'],
        ['UTC', '2026-01-02T03:04:05+00:00'],
      ] as const) {
        process.env['TZ'] = zone;
        assert.equal(emailOf(draft, 'M1', Date.UTC(2026, 0, 2, 3, 4, 5, 678))['sentAt'], local);
      }
    } finally {
      if (TZ === undefined) delete process.env['TZ'];
      else process.env['TZ'] = TZ;
    }
    assert.ok(!('cc' in email) && !('inReplyTo' in email));
    assert.deepEqual(email['references'], ['r@example.org']);
    assert.deepEqual(email['attachments'], [
      { blobId: 'B1', type: 'application/pdf', name: 'a.pdf', disposition: 'attachment' },
      { blobId: 'B2', type: 'image/png', name: 'p.png', cid: 'c@x', disposition: 'inline' },
    ]);
    assert.match(JSON.stringify(email['bodyValues']), /<body><div>Hi<\/div><\/body>/);
  });
  it('has no HTML when it is plain; pictures of the text are attachments then', () => {
    const email = emailOf({ ...draft, format: 'plain', html: '' }, 'M1');
    assert.ok(!('htmlBody' in email));
    assert.deepEqual(
      (email['attachments'] as { disposition: string }[]).map(({ disposition }) => disposition),
      ['attachment', 'attachment'],
    );
  });
  it('goes to everybody once', () => {
    assert.deepEqual(envelopeRecipients({ ...draft, cc: [] }), ['A@example.org']);
  });
  it('is blank with a signature alone', () => {
    const nothing = { ...draft, to: [], cc: [], bcc: [], subject: '', attachments: [] };
    assert.ok(isBlank({ ...nothing, text: '\n\n-- \nAnna' }, '-- \nAnna'));
    assert.ok(!isBlank({ ...nothing, text: 'x' }));
  });
});

describe('saving', () => {
  const after = (...events: SaveEvent[]) => events.reduce(nextSaveState, NOT_SAVED);
  const saved: SaveEvent = { kind: 'saved', at: 5 };
  it('is done when nothing was changed meanwhile', () => {
    assert.equal(after({ kind: 'changed' }, { kind: 'started' }, saved).phase, 'clean');
    assert.equal(after({ kind: 'changed' }, { kind: 'started' }, { kind: 'changed' }, saved).phase, 'dirty');
  });
  it('is tried again, ever later', () => {
    const failed = after(
      { kind: 'changed' },
      { kind: 'started' },
      { kind: 'failed', offline: true, reason: 'x' },
    );
    assert.equal(failed.phase, 'offline');
    const delays = [1, 2, 3, 20].map((failures) => saveDelay(failed, 0, failures));
    assert.deepEqual(delays, [5000, 10_000, 20_000, 120_000]);
    assert.equal(nextSaveState(failed, { kind: 'changed' }).phase, 'dirty');
  });
  it('waits longer where much is moved, and not at all when there is nothing to do', () => {
    const dirty = after({ kind: 'changed' });
    assert.ok((saveDelay(dirty, 50_000_000, 0) ?? 0) > (saveDelay(dirty, 0, 0) ?? Infinity));
    assert.equal(saveDelay(NOT_SAVED, 0, 0), undefined);
  });
});

describe('a draft that was sent already', () => {
  const written = {
    ...draft,
    subject: 'Grüezi  mitenand',
    text: `${'a long line '.repeat(20)}\n> said\n\nEnd. `,
  };
  const sent = {
    subject: 'Grüezi mitenand',
    from: [{ name: 'Me', email: 'me@example.org' }],
    to: [{ name: null, email: 'A@example.org' }],
    cc: null,
    bcc: [{ name: null, email: 'a@example.org' }],
    attachments: [{ size: 3 }, { size: 3 }, { size: 3 }],
  };
  const text = encodeFlowed(written.text).replaceAll('\n', '\r\n');
  it('is the same, however its lines were broken on the way', () => {
    assert.equal(isSameMessage(written, sent, text), true);
  });
  it('is another one with another word, person, file or sender', () => {
    assert.equal(isSameMessage(written, sent, `${text}PS`), false);
    assert.equal(isSameMessage({ ...written, subject: 'Grüezi' }, sent, text), false);
    assert.equal(
      isSameMessage({ ...written, to: [{ name: null, email: 'b@example.org' }] }, sent, text),
      false,
    );
    assert.equal(isSameMessage({ ...written, attachments: [] }, sent, text), false);
    assert.equal(
      isSameMessage(written, { ...sent, from: [{ name: null, email: 'x@example.org' }] }, text),
      false,
    );
  });
});
