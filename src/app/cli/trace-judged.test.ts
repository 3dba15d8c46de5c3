import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { replyText } from '../../flow/journal.ts';
import { replies } from '../../flow/replies.ts';
import type { JournalData, JournalKind } from '../../data/journal/types.ts';
import { percent } from '../../flow/explain/judged.ts';
import { traceText } from './trace-text.ts';

/** 2026-01-31 15:00:00 UTC. */
const NOON = 1_769_871_600_000;

function told(kind: JournalKind, data: JournalData): string {
  const row = { id: 1, trace: 't1', at: NOON, kind, data, count: 1, lastAt: NOON };
  const text = traceText([row], { timeZone: 'UTC' });
  for (const line of text.split('\n')) assert.ok([...line].length <= 80, line);
  return text;
}

const JUDGED = {
  checks: [
    'Sender\'s server (SPF): fail; 192.0.2.66 matches "-all" of good.example',
    'Signature (DKIM) of news.example: pass; it is valid',
    'Author (DMARC): fail; neither DKIM nor SPF speaks for good.example, which asks for reject',
    'list.example, a forwarder this site knows, saw dmarc=pass',
  ],
  action: 'junk',
  probability: 0.99984,
  threshold: 0.99,
  reasons: [
    '+20.0  the sending host is on a list (LIST)',
    '-0.6  you have written to this sender (CORRESPONDENT)',
  ],
  decidedBy: null,
  nearest: 'would be Inbox if the sender were taken off the list',
  author: 'dan@good.example',
  accounts: [],
};

describe('the trace of a judgement', () => {
  it('is one block: what it came to, what would change it, the checks, the reasons with their signs', () => {
    assert.equal(
      told('message.judged', JUDGED),
      `Message t1

2026-01-31 15:00:00  We judged it: it goes to Junk
    Probability of spam    99.98 %; from 99 % on mail goes to Junk
    What would change it   it would be Inbox if the sender were taken off the
                           list
    Sender's server (SPF)  fail; 192.0.2.66 matches "-all" of good.example
    Signature (DKIM)       pass, of news.example; it is valid
    Author (DMARC)         fail; neither DKIM nor SPF speaks for good.example,
                           which asks for reject
                           list.example, a forwarder this site knows, saw
                           dmarc=pass
    Reasons                + speaks for spam, - for good mail
      +20.0                The sending host is on a list (LIST)
       -0.6                You have written to this sender (CORRESPONDENT)
    -> If it is good mail, move it out of Junk: the filter learns from that.
`,
    );
  });

  it('offers to welcome a sender only where that would hold', () => {
    const proven = { ...JUDGED, checks: ['Author (DMARC): pass; good.example is authenticated by SPF'] };
    assert.match(told('message.judged', proven), /\n {8}postern filter allow dan@good\.example\n/);
    const hostile = { ...proven, author: '$(reboot)@good.example' };
    assert.doesNotMatch(told('message.judged', hostile), /postern filter|reboot/);
  });

  it('says what decided, and that the sum did not', () => {
    const text = told('message.judged', {
      ...JUDGED,
      action: 'refuse',
      decidedBy: "@good.example is blocked on the site's list",
      case: '7K2QF-M9XHT',
    });
    assert.match(text, /We judged it: it is refused\n {4}Decided by {13}@good\.example is blocked/);
    assert.match(text, /Probability of spam {4}99\.98 %; it did not decide here/);
    const sum = told('message.judged', { ...JUDGED, action: 'refuse' });
    assert.match(sum, /it is refused, as spam beyond doubt/);
  });

  it('names each account where they differ', () => {
    const accounts = ['For ann@example.org: inbox, 1.20 %', 'For bob@example.org: junk, 99.90 %'];
    const text = told('message.judged', { ...JUDGED, accounts });
    assert.match(text, /For each +ann@example\.org: it goes to the inbox \(1\.20 %\)/);
    assert.match(text, /For each +bob@example\.org: it goes to Junk \(99\.90 %\)/);
  });

  it('stands what other versions and strangers write', () => {
    for (const data of [{}, { checks: 7, reasons: [[]], action: null }, { reasons: ['no score'] }])
      assert.match(told('message.judged', data as JournalData), /We judged it/);
    const long = {
      ...JUDGED,
      reasons: [`+1.0  ${'x'.repeat(300)}`],
      checks: [`\u001b[31m${'y '.repeat(200)}`],
    };
    assert.ok(!told('message.judged', long).includes('\u001b'));
  });
});

describe('what to do about a refusal of the filter', () => {
  const number = '7K2QF-M9XHT';
  const dmarc =
    'it says it is from good.example, which could not be proven, and good.example wants such mail refused (DMARC)';
  const cases: readonly (readonly [name: string, refusal: ReturnType<typeof replies.spam>, words: RegExp])[] =
    [
      ['spam', replies.spam(number), /the filter learns from that.*postern filter set refuse never/],
      ['DMARC', replies.policy(dmarc, number), /add good\.example to the list in dmarc\.ignore/],
      [
        'block list',
        replies.policy("@good.example is blocked on the site's list", number),
        /postern filter unlist @good\.example/,
      ],
      [
        'attachment',
        replies.policy('this site does not take programs as attachments: tool.exe', number),
        /postern filter show attachments/,
      ],
      [
        'virus',
        replies.policy('the virus scanner found X', number),
        /only when you know that the scanner is wrong/,
      ],
      ['milter', replies.policy('x: it refuses: no', number), /postern filter show milters/],
      ['DNS', replies.unproven('good.example'), /name servers of good\.example or ours need repair/],
    ];
  for (const [name, refusal, expected] of cases) {
    it(`${name}: what it means, and the commands, whole`, () => {
      const text = told('message.refused', {
        ip: '192.0.2.66',
        from: 'dan@good.example',
        to: 'ann@example.org',
        reply: replyText(refusal.smtp),
        reason: refusal.message,
      });
      assert.match(text.replace(/\s+/g, ' '), expected);
      if (refusal.smtp?.code !== 550) return;
      assert.match(text, /^ {8}postern vault show 7K2QF-M9XHT\n {8}postern vault release 7K2QF-M9XHT$/m);
    });
  }

  it('puts no words of strangers into commands', () => {
    const reply = `550 5.7.1 Refused (case ${number}): $(reboot) is blocked on the site's list`;
    const text = told('message.refused', { ip: '$(x)', from: '`y`', to: 'a@b', reply, reason: '' });
    assert.match(text, /^ {8}postern filter unlist SENDER$/m);
    for (const line of text.split('\n').filter((one) => one.startsWith('        postern')))
      assert.match(line, /^ {8}postern [\w .-]+$/);
  });
});

it('percents never promise', () => {
  assert.deepEqual([0, 0.5, 0.985, 0.9984, 0.99996, 0.999999, 1].map(percent), [
    'under 0.001 %',
    '50 %',
    '99 %',
    '99.8 %',
    '99.996 %',
    'over 99.999 %',
    'over 99.999 %',
  ]);
});
