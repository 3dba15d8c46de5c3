import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isSetupNotification, parseNotice, unwrap } from './notice.ts';
import { readSesFields } from './ses-fields.ts';
import { Turns } from './turns.ts';

const SES = [
  'Return-Path: <jane@sender.test>',
  'Received: from mail.sender.test (rdns.sender.test [192.0.2.25])',
  ' by inbound-smtp.eu-west-1.amazonaws.com with SMTP id u1hg8b4f0b5h',
  ' for alice@example.test;',
  ' Mon, 04 May 2026 10:00:00 +0000 (UTC)',
  'X-SES-Spam-Verdict: PASS',
  'X-SES-Virus-Verdict: FAIL',
  'Received-SPF: softfail (spfCheck: domain of sender.test does not designate) client-ip=192.0.2.25; envelope-from=jane@sender.test; helo=mail.sender.test;',
  'Authentication-Results: amazonses.com;',
  ' spf=softfail (spfCheck: x) client-ip=192.0.2.25; envelope-from=jane@sender.test; helo=mail.sender.test;',
  ' dkim=pass header.i=@sender.test;',
  ' dmarc=fail header.from=sender.test;',
  'X-SES-RECEIPT: AEFBQUFB',
  'X-SES-DKIM-SIGNATURE: a=rsa-sha256; v=1;',
];
const OWN = [
  'X-SES-Virus-Verdict: PASS',
  'Return-Path: <liar@evil.test>',
  'From: Jane <jane@sender.test>',
  '',
  '',
];

function header(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

describe('fields of SES', () => {
  it('are read from above what the sender wrote, and from nowhere else', () => {
    const fields = readSesFields(header(...SES, ...OWN));
    assert.equal(fields.sender, 'jane@sender.test');
    assert.equal(fields.ip, '192.0.2.25');
    assert.equal(fields.helo, 'mail.sender.test');
    assert.equal(fields.recipient, 'alice@example.test');
    assert.equal(fields.spf?.result, 'softfail');
    assert.equal(fields.spf?.domain, 'sender.test');
    assert.deepEqual(fields.verdicts, {
      spam: 'PASS',
      virus: 'FAIL',
      spf: 'GRAY',
      dkim: 'PASS',
      dmarc: 'FAIL',
    });
    assert.deepEqual(fields.returnPath, [0, (SES[0] ?? '').length + 2]);
  });

  it('a null sender, an IPv6 client, a name without reverse', () => {
    const lines = SES.map((line) =>
      line
        .replace('<jane@sender.test>', '<>')
        .replace('rdns.sender.test [192.0.2.25]', '[IPv6:2001:db8::25]')
        .replaceAll('client-ip=192.0.2.25', 'client-ip=2001:db8::25'),
    );
    const fields = readSesFields(header(...lines, ...OWN));
    assert.equal(fields.sender, '');
    assert.equal(fields.ip, '2001:db8::25');
  });

  it('a sender that pretends to be SES is not believed', () => {
    const forged = SES.map((line) => line.replace('inbound-smtp.eu-west-1.amazonaws.com', 'mail.evil.test'));
    assert.equal(readSesFields(header(...forged, ...OWN)).ip, undefined);
    const below = header(...SES.slice(0, 5), 'Received: from x by y; z', ...SES.slice(5), ...OWN);
    assert.deepEqual(readSesFields(below).verdicts, {}, 'what stands below another field is not of SES');
    const twice = header(...SES.slice(0, 6), 'X-SES-Spam-Verdict: PASS', ...OWN);
    assert.equal(readSesFields(twice).verdicts.virus, undefined);
  });

  it('hostile fields are read in no time', () => {
    const long = `Received: from ${'a ('.repeat(100_000)} by inbound-smtp.x.amazonaws.com`;
    const start = performance.now();
    readSesFields(header(long, `Received-SPF: pass ${'client-ip='.repeat(50_000)}`, ...OWN));
    assert.ok(performance.now() - start < 200);
  });
});

const NOTICE = {
  notificationType: 'Received',
  mail: { timestamp: '2026-05-04T10:00:00.000Z', source: 'jane@sender.test', messageId: 'abc' },
  receipt: {
    recipients: ['alice@example.test', 'Bob@Example.test', 'alice@example.test'],
    spamVerdict: { status: 'PASS' },
    virusVerdict: { status: 'GRAY' },
    dmarcVerdict: { status: 'weird' },
    action: { type: 'S3', bucketName: 'b', objectKeyPrefix: 'new/', objectKey: 'new/abc' },
  },
};

describe('notices', () => {
  it('are read', () => {
    assert.deepEqual(parseNotice(JSON.stringify(NOTICE)), {
      bucket: 'b',
      key: 'new/abc',
      sesMessageId: 'abc',
      receivedAt: Date.UTC(2026, 4, 4, 10),
      sender: 'jane@sender.test',
      recipients: ['alice@example.test', 'Bob@Example.test'],
      verdicts: { spam: 'PASS', virus: 'GRAY' },
    });
  });

  it('without recipients say so; what is no notice says why', () => {
    const none = { ...NOTICE, receipt: { ...NOTICE.receipt, recipients: [] } };
    const read = parseNotice(JSON.stringify(none));
    assert.ok('recipients' in read);
    assert.equal(read.recipients, undefined);
    for (const wrong of [
      'no',
      '[]',
      'null',
      '{"mail":5}',
      JSON.stringify({ ...NOTICE, notificationType: 'Bounce' }),
      JSON.stringify({ ...NOTICE, receipt: { action: { type: 'SNS' } } }),
      JSON.stringify({
        ...NOTICE,
        receipt: { action: { type: 'S3', bucketName: 'b', objectKey: 'x'.repeat(1025) } },
      }),
      JSON.stringify({ ...NOTICE, mail: {} }),
      '{"__proto__":{"notificationType":"Received"}}',
    ]) {
      assert.ok('problem' in parseNotice(wrong), wrong);
    }
  });

  it('of a queue come raw or in the envelope of SNS', () => {
    const message = JSON.stringify(NOTICE);
    assert.deepEqual(unwrap(message), { message, topicArn: undefined });
    const sns = {
      Type: 'Notification',
      MessageId: '1',
      TopicArn: 'arn:aws:sns:eu-west-1:123456789012:t',
      Message: message,
      Timestamp: '2026-05-04T10:00:00.000Z',
    };
    assert.deepEqual(unwrap(JSON.stringify(sns)), { message, topicArn: sns.TopicArn });
    assert.ok('problem' in unwrap(JSON.stringify({ ...sns, Type: 'SubscriptionConfirmation' })));
  });

  it('the object that SES leaves at first is known by its name', () => {
    assert.equal(isSetupNotification('new/AMAZON_SES_SETUP_NOTIFICATION'), true);
    assert.equal(isSetupNotification('new/AMAZON_SES_SETUP_NOTIFICATION2'), false);
  });
});

describe('turns', () => {
  it('one at a time for a key, so many at once in all, and a failure holds nobody up', async () => {
    const turns = new Turns(() => 2);
    let running = 0;
    let most = 0;
    const order: string[] = [];
    const work = (name: string) => async (): Promise<string> => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setImmediate(resolve));
      order.push(name);
      running--;
      if (name === 'a1') throw new Error('a1');
      return name;
    };
    const all = [
      turns.run('a', work('a1')),
      turns.run('a', work('a2')),
      turns.run('b', work('b1')),
      turns.run('c', work('c1')),
      turns.run('d', work('d1')),
    ];
    const results = await Promise.allSettled(all);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'fulfilled', 'fulfilled', 'fulfilled', 'fulfilled'],
    );
    assert.equal(most, 2);
    assert.ok(order.indexOf('a1') < order.indexOf('a2'));
    assert.equal(turns.size, 0);
    await turns.idle();
  });
});
