import assert from 'node:assert/strict';
import { test } from 'node:test';
import { earlyTalkReply, refusals } from '../inbound/gate/refusals.ts';
import { replyText } from '../journal.ts';
import { factsOf } from './facts.ts';
import { gateRemedies } from './gate-remedies.ts';

const row = {
  id: 1,
  trace: 't1',
  at: 0,
  kind: 'mail.refused',
  data: { ip: '192.0.2.7' },
  count: 1,
  lastAt: 0,
};
const FACTS = factsOf(row);

test('every refusal of the gate has a remedy of its own', () => {
  const ask = 'Questions: postmaster@mx.example.test';
  const replies = [
    refusals.listedAddress('192.0.2.7', 'list.test', 'sends spam', '', ask).smtp,
    refusals.listedDomain('sender.test', 'list.test', 'sends spam', '', ask).smtp,
    refusals.noReverseName('192.0.2.7', ask).smtp,
    refusals.unconfirmedName('192.0.2.7', 'mail.sender.test', ask).smtp,
    refusals.badHello('You called yourself x', 'Say your name', ask).smtp,
    refusals.unknownSenderDomain('sender.test', ask).smtp,
    refusals.mailLessSenderDomain('sender.test', ask).smtp,
    refusals.nullMxSender('sender.test', ask).smtp,
    refusals.uncheckedSenderDomain('sender.test', 'SERVFAIL').smtp,
    refusals.tooManyMessages('192.0.2.0/24', 10, 5).smtp,
    refusals.greylisted('sender.test', 120, ask).smtp,
    refusals.tooManyGuesses(10, ask).smtp,
    earlyTalkReply(ask),
  ];
  assert.equal(replies.length, Object.keys(refusals).length + 1);
  for (const reply of replies) {
    const text = replyText(reply);
    const fitting = gateRemedies.filter(({ words }) => words.test(text));
    assert.equal(fitting.length, 1, text);
    const said = fitting[0]?.say(FACTS) ?? [];
    assert.match(said.map((each) => each.text).join(' '), /postern filter /);
  }
});
