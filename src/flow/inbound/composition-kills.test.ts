import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePath } from '../../mail/address/path.ts';
import { evidenceField } from './authenticate.ts';
import { judge, message, type Sent, signed } from './fixtures/authentication.ts';

/**
 * The From-spoofing tricks of Chen, Paxson and Jiang, "Composition Kills: A Case Study of Email Sender Authentication" (USENIX
 * Security 2020). The attacker owns evil.example, its host and keys, and wants to be taken for bank.example, which has
 * p=reject. Whatever the trick, the message is no DMARC pass of the bank, and no pass at all where someone could see the bank.
 */
interface Trick {
  readonly name: string;
  readonly header: string;
  readonly sent?: Sent;
  /** The attacker signs as evil.example; else this DKIM-Signature stands there. */
  readonly signature?: string;
  /** permerror: nobody can tell who the author is, and the bank is in sight of nobody. */
  readonly want?: 'fail' | 'permerror';
}

const BANK = 'From: <admin@bank.example>\r\n';
const REST = 'To: <bob@example.net>\r\nSubject: Invoice\r\n';
const b64 = (text: string): string => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
const dkim = (d: string, s: string): string =>
  `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=${d}; s=${s}; h=From; bh=${'A'.repeat(43)}=; b=AAAA\r\n`;

const TRICKS: readonly Trick[] = [
  // between SPF and DMARC
  {
    name: 'HELO passes, MAIL FROM is a subdomain that does not exist',
    header: BANK,
    sent: { reversePath: 'any@no.bank.example' },
  },
  { name: 'MAIL FROM that some find empty', header: BANK, sent: { reversePath: '(any@bank.example' } },
  { name: 'empty MAIL FROM, HELO of the attacker', header: BANK, sent: { reversePath: '' } },
  // between DKIM, DNS and DMARC
  {
    name: 'NUL in s= cuts the name of the key',
    header: BANK,
    signature: dkim('bank.example', 's._domainkey.evil.example.\0.any'),
  },
  { name: 'NUL in d=', header: BANK, signature: dkim('bank.example\0.evil.example', 's') },
  {
    name: 'a single quote in d= cuts the result',
    header: BANK,
    signature: dkim("bank.example'a.evil.example", 's'),
  },
  {
    name: 'a parenthesis in d= cuts the result',
    header: BANK,
    signature: dkim('bank.example(.evil.example', 's'),
  },
  {
    name: 'a parenthesis in MAIL FROM cuts the result',
    header: BANK,
    sent: { reversePath: 'any@bank.example(a.evil.example' },
  },
  {
    name: 'a quote and a second @ in MAIL FROM',
    header: BANK,
    sent: { reversePath: "any@bank.example'@any.evil.example" },
  },
  {
    name: 'a route in MAIL FROM',
    header: BANK,
    sent: { reversePath: "@bank.example,@any.example:'any@evil.example" },
  },
  // several From fields
  { name: 'two From fields, the attacker first', header: `From: <a@evil.example>\r\n${BANK}` },
  { name: 'two From fields, the bank first', header: `${BANK}From: <a@evil.example>\r\n` },
  { name: 'a From field that begins with a space', header: ` From: <a@evil.example>\r\n${BANK}` },
  {
    name: 'the bank in the one that begins with a space',
    header: ` From: <admin@bank.example>\r\nFrom: <a@evil.example>\r\n`,
  },
  { name: 'space before the colon', header: 'From: <a@evil.example>\r\nFrom : <admin@bank.example>\r\n' },
  { name: 'a folded field name', header: `From\r\n : <a@evil.example>\r\n${BANK}` },
  // other fields that some show
  {
    name: 'From that some do not see, and Sender',
    header: 'From\r\n : <a@evil.example>\r\nSender: <admin@bank.example>\r\n',
    want: 'permerror',
  },
  {
    name: 'From that some do not see, and Resent-From',
    header: 'From\r\n : <a@evil.example>\r\nResent-From: <admin@bank.example>\r\n',
    want: 'permerror',
  },
  // one From field read in several ways
  {
    name: 'several addresses',
    header: 'From: <a@evil.example>, <admin@bank.example>\r\nSender: <s@sender.bank.example>\r\n',
  },
  {
    name: 'an encoded address beside a plain one',
    header: `From:${b64('<admin@bank.example>')},<second@evil.example>\r\n`,
  },
  { name: 'a route portion', header: 'From: <@evil.example,@any.example:admin@bank.example>\r\n' },
  { name: 'a quoted pair', header: 'From: <admin@bank.example>\\,<second@evil.example>\r\n' },
  {
    name: 'which comes first: a bare address or one in brackets',
    header: 'From: admin@bank.example,<second@evil.example>\r\n',
  },
  { name: 'an address behind the brackets', header: 'From: <any@evil.example>admin@bank.example\r\n' },
];

describe('Composition Kills', () => {
  for (const { name, header, sent, signature, want = 'fail' } of TRICKS) {
    test(name, async () => {
      const plain = message(`${signature ?? ''}${header}${REST}`);
      // The signature of the attacker stands on top, so that a first line keeps its place in what is signed.
      const signable = signature === undefined && !header.startsWith(' ');
      const evidence = await judge(
        signable ? await signed(plain, 'evil.example').catch(() => plain) : plain,
        sent,
      );
      const { result, disposition, domain } = evidence.dmarc;
      assert.equal(result, want, evidence.dmarc.reason);
      assert.notEqual(`${result} ${domain}`, 'pass bank.example');
      if (want === 'fail') assert.equal(disposition, 'reject');
      assert.doesNotMatch(
        evidenceField(evidence, 'mx.example.net').toString(),
        /dmarc=pass|\bpass\b[^\n]*header\.d=bank/,
      );
    });
  }

  test('with an account at the provider itself: two From fields or two addresses of one domain', async () => {
    const twice = await signed(message(`From: <attacker@bank.example>\r\n${BANK}${REST}`), 'bank.example');
    const evidence = await judge(twice, { ip: '192.0.2.1', reversePath: 'attacker@bank.example' });
    assert.equal(evidence.dmarc.result, 'permerror');
    assert.match(evidence.dmarc.reason, /2 From fields/);
  });

  test('replay: a signed message with another From on top', async () => {
    const replayed = Buffer.concat([
      Buffer.from('From: <ceo@bank.example>\r\n'),
      await signed(message(BANK + REST), 'bank.example'),
    ]);
    const evidence = await judge(replayed);
    assert.equal(evidence.dkim[0]?.status, 'fail', 'we sign From once more than it occurs');
    assert.equal(evidence.dmarc.result, 'fail');
  });

  test('replay: another Subject on top of a signature that covers one', async () => {
    const text = (await signed(message(BANK + REST), 'bank.example')).toString('latin1');
    const replayed = await judge(Buffer.from(`Subject: Urgent\r\n${text}`, 'latin1'));
    assert.notEqual(replayed.dmarc.result, 'pass');
  });

  test('replay: text appended to the body', async () => {
    const evidence = await judge(
      Buffer.concat([await signed(message(BANK + REST), 'bank.example'), Buffer.from('and more\r\n')]),
    );
    assert.equal(evidence.dkim[0]?.status, 'fail');
    assert.equal(evidence.dmarc.result, 'fail');
  });

  test('the same bank, honest: passes', async () => {
    const evidence = await judge(await signed(message(BANK + REST), 'bank.example'), {
      ip: '192.0.2.1',
      helo: 'bank.example',
      reversePath: 'admin@bank.example',
    });
    assert.equal(evidence.dmarc.result, 'pass', evidence.dmarc.reason);
    assert.deepEqual(evidence.dmarc.alignedBy, { dkim: 'bank.example', spf: 'bank.example' });
  });

  test('reverse-paths made to be misread are no paths', () => {
    for (const path of [
      '(any@bank.example',
      "any@bank.example'@any.evil.example",
      'any@bank.example(a.evil.example',
    ]) {
      assert.equal(parsePath(path, { smtputf8: false }).kind, 'error', path);
    }
  });
});
