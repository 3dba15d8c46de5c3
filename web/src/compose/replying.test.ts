import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Identity } from '../jmap/types.ts';
import { mentionsAttachment } from './forgotten.ts';
import { forwardSubject, newMessageId, quoteText, referencesFor, replySubject } from './quoting.ts';
import { type Answered, listAddress, recipientsFor, senderFor, sendersOf } from './recipients.ts';
import { fromLocalInput, presets, timeProblem, toLocalInput } from './times.ts';

const person = (email: string, name: string | null = null) => ({ name, email });
const identity = (id: string, email: string, name = ''): Identity => ({
  id,
  email,
  name,
  replyTo: null,
  bcc: null,
  textSignature: '',
  htmlSignature: '',
  mayDelete: true,
});
const senders = sendersOf(
  [identity('1', 'me@example.org', 'Me'), identity('2', 'work@example.net', 'Me at work')],
  [
    { address: 'shop.x7@example.org', label: 'Shop', state: 'on' },
    { address: 'old.y8@example.org', label: 'Old', state: 'off' },
  ],
);
const message = (fields: Partial<Answered>): Answered => ({
  from: [person('ann@example.com', 'Ann')],
  replyTo: null,
  to: [person('me@example.org')],
  cc: null,
  bcc: null,
  ...fields,
});
const mails = (list: readonly { email: string }[]): string[] => list.map(({ email }) => email);

describe('who an answer comes from', () => {
  it('is the address it came to', () => {
    assert.equal(senderFor(message({}), senders)?.email, 'me@example.org');
    assert.equal(
      senderFor(message({ to: [person('x@example.com')], cc: [person('Work@Example.net')] }), senders)
        ?.identityId,
      '2',
    );
    assert.equal(
      senderFor(message({ to: [person('me+list@example.org')] }), senders)?.email,
      'me@example.org',
    );
    assert.equal(
      senderFor(message({ to: [person('x@example.com')], deliveredTo: ['work@example.net'] }), senders)
        ?.identityId,
      '2',
    );
  });
  it('is a masked address, without a name; not one that is off', () => {
    const masked = senderFor(message({ to: [person('shop.x7@example.org')] }), senders);
    assert.deepEqual([masked?.email, masked?.name, masked?.identityId], ['shop.x7@example.org', '', '1']);
    assert.equal(
      senderFor(message({ to: [person('old.y8@example.org')] }), senders)?.email,
      'me@example.org',
    );
  });
});

describe('who an answer goes to', () => {
  it('is where it asks for', () => {
    assert.deepEqual(
      mails(recipientsFor(message({ replyTo: [person('r@example.com')] }), 'reply', senders).to),
      ['r@example.com'],
    );
  });
  it('is everybody but oneself', () => {
    const all = recipientsFor(
      message({
        to: [person('me@example.org'), person('b@example.com')],
        cc: [person('WORK@example.net'), person('c@example.com'), person('ann@example.com')],
      }),
      'reply-all',
      senders,
    );
    assert.deepEqual(
      [mails(all.to), mails(all.cc)],
      [['ann@example.com'], ['b@example.com', 'c@example.com']],
    );
  });
  it('is whom one wrote to, when it is one’s own', () => {
    const own = message({
      from: [person('me@example.org')],
      to: [person('b@example.com')],
      cc: [person('c@example.com')],
    });
    assert.deepEqual(mails(recipientsFor(own, 'reply', senders).to), ['b@example.com']);
    assert.deepEqual(mails(recipientsFor(own, 'reply-all', senders).cc), ['c@example.com']);
  });
  it('is the list', () => {
    const listed = message({ listPost: ' <mailto:list@lists.example?subject=x> (Postings)' });
    assert.deepEqual(mails(recipientsFor(listed, 'reply-list', senders).to), ['list@lists.example']);
    assert.equal(listAddress('NO'), undefined);
  });
});

describe('subjects, references, quotes', () => {
  it('have one mark', () => {
    assert.equal(replySubject('AW: Re[2]: re: Hello'), 'Re: Hello');
    assert.equal(replySubject('Regarding'), 'Re: Regarding');
    assert.equal(forwardSubject('WG: Fwd: Hello'), 'Fwd: Hello');
    assert.equal(replySubject('回复：你好'), 'Re: 你好');
  });
  it('are read at once, however they were made', () => {
    // Each of these took minutes.
    const many = ' '.repeat(250_000);
    assert.equal(replySubject(`Re${many}x`), `Re: Re${many}x`);
    assert.equal(quoteText(`a${many}b`), `> a${many}b`);
    assert.equal(listAddress('<mailto:x'.repeat(30_000)), undefined);
  });
  it('name what came before', () => {
    assert.deepEqual(referencesFor({ messageId: ['c'], references: ['a', 'b'], inReplyTo: ['b'] }), [
      'a',
      'b',
      'c',
    ]);
    assert.deepEqual(referencesFor({ messageId: ['b'], references: null, inReplyTo: ['a'] }), ['a', 'b']);
    const many = referencesFor({
      messageId: ['z'],
      references: Array.from({ length: 99 }, (_, at) => `m${at}`),
      inReplyTo: null,
    });
    assert.equal(many.length, 30);
    assert.deepEqual([many[0], many.at(-1)], ['m0', 'z']);
  });
  it('mark each line', () => {
    assert.equal(quoteText('a\n\n> b\n'), '> a\n>\n>> b');
  });
  it('give a Message-ID of the sender’s domain', () => {
    assert.equal(newMessageId('a@Example.org', 'r'), 'r@example.org');
    assert.equal(newMessageId('a@bücher.example', 'r'), 'r@mail.invalid');
  });
});

describe('forgotten attachments', () => {
  it('are spoken of in five languages', () => {
    for (const text of [
      'see attached',
      'Die Rechnung im Anhang',
      'anbei das Bild',
      'le document ci-joint',
      'Adjunto el informe',
      '请查看附件',
    ])
      assert.ok(mentionsAttachment('', text), text);
  });
  it('are not those of what is quoted', () => {
    assert.ok(!mentionsAttachment('', 'Thanks!\n> see attached'));
    assert.ok(!mentionsAttachment('', 'I detached it'));
  });
});

describe('times to send at', () => {
  const thursday = new Date(2026, 4, 7, 9, 30).getTime();
  it('are those that make sense', () => {
    const found = presets(thursday).map(([name, at]) => `${name} ${toLocalInput(at)}`);
    assert.deepEqual(found, [
      'later-today 2026-05-07T12:00',
      'this-evening 2026-05-07T18:00',
      'tomorrow-morning 2026-05-08T08:00',
      'tomorrow-afternoon 2026-05-08T14:00',
      'monday-morning 2026-05-11T08:00',
    ]);
    const sunday = presets(new Date(2026, 4, 10, 22, 0).getTime()).map(([name]) => name);
    assert.deepEqual(sunday, ['tomorrow-morning', 'tomorrow-afternoon']);
  });
  it('come back from the input, and are not in the past', () => {
    assert.equal(fromLocalInput(toLocalInput(thursday)), thursday);
    assert.equal(timeProblem(fromLocalInput(''), thursday, 100), 'past');
    assert.equal(timeProblem(thursday - 1, thursday, 100), 'past');
    assert.equal(timeProblem(thursday + 3_600_000, thursday, 60), 'far');
    assert.equal(timeProblem(thursday + 3_600_000, thursday, 86_400), undefined);
  });
});
