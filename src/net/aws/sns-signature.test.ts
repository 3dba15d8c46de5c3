import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSigner } from '../../../test/support/aws/sns-sign.ts';
import { manualClock } from '../../../test/support/manual-clock.ts';
import { certificateUrl, confirmationUrl } from './sns-hosts.ts';
import { parseSnsMessage, signedText, topicRegion } from './sns-message.ts';

const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:new-mail';

describe('what SNS signs', () => {
  const fields = {
    Type: 'Notification',
    MessageId: 'id',
    TopicArn: TOPIC,
    Message: 'a\nb',
    Timestamp: '2026-05-04T10:00:00.000Z',
    SignatureVersion: '1',
    Signature: 'x',
    SigningCertURL: 'https://sns.eu-west-1.amazonaws.com/x.pem',
  };
  const textOf = (more: object): string => {
    const message = parseSnsMessage(JSON.stringify({ ...fields, ...more }));
    assert.ok(!('problem' in message));
    return signedText(message);
  };

  it('is names and values in their order, a subject only where there is one', () => {
    const rest = `Timestamp\n${fields.Timestamp}\nTopicArn\n${TOPIC}\nType\nNotification\n`;
    assert.equal(textOf({}), `Message\na\nb\nMessageId\nid\n${rest}`);
    assert.equal(textOf({ Subject: 's' }), `Message\na\nb\nMessageId\nid\nSubject\ns\n${rest}`);
    const confirmation = {
      Type: 'SubscriptionConfirmation',
      Token: 't',
      SubscribeURL: 'u',
      Subject: 'not signed',
    };
    assert.equal(
      textOf(confirmation),
      `Message\na\nb\nMessageId\nid\nSubscribeURL\nu\nTimestamp\n${fields.Timestamp}\nToken\nt\nTopicArn\n${TOPIC}\nType\nSubscriptionConfirmation\n`,
    );
  });

  it('what is no message of SNS says why', () => {
    for (const body of [
      '',
      '[]',
      '{}',
      '{"Type":"Notification"}',
      JSON.stringify({ ...fields, Timestamp: 'soon' }),
    ]) {
      assert.ok('problem' in parseSnsMessage(body), body);
    }
  });
});

describe('hosts of SNS', () => {
  it('are those of the region of the topic, also in China', () => {
    assert.equal(topicRegion(TOPIC), 'eu-west-1');
    assert.equal(topicRegion('arn:aws-cn:sns:cn-north-1:123456789012:t'), 'cn-north-1');
    assert.equal(topicRegion('arn:aws:sqs:eu-west-1:123456789012:t'), undefined);
    assert.equal(topicRegion('arn:aws:sns:eu-west-1.evil.test#:123456789012:t'), undefined);
    const cn = 'arn:aws-cn:sns:cn-north-1:123456789012:t';
    assert.ok(certificateUrl('https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-1.pem', cn));
    assert.ok(certificateUrl('https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a.pem', TOPIC));
  });

  it('nothing else passes for one', () => {
    for (const url of [
      'https://sns.eu-west-1.amazonaws.com/',
      'https://sns.eu-west-1.amazonaws.com/a/b.pem',
      'https://sns.eu-west-1.amazonaws.com/x.pem?y',
      'https://sns.eu-west-1.amazonaws.com./x.pem',
      'https://eu-west-1.amazonaws.com/x.pem',
      'https://x.sns.eu-west-1.amazonaws.com/x.pem',
      'https://sns.eu-west-1.amazonaws.com:444/x.pem',
      'https://sns.eu-west-1.amazonaws.com%2eevil.test/x.pem',
      'https://[::1]/x.pem',
      'javascript:x.pem',
      'x.pem',
    ]) {
      assert.equal(certificateUrl(url, TOPIC), undefined, url);
    }
    assert.equal(
      confirmationUrl(
        `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}`,
        TOPIC,
      ),
      undefined,
    );
    assert.ok(
      confirmationUrl(
        `https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=1`,
        TOPIC,
      ),
    );
  });
});

describe('certificates of SNS', () => {
  it('of another name, or past their time, prove nothing; one that cannot be had is asked for again', async () => {
    const { createSnsVerifier } = await import('./sns-signature.ts');
    const clock = manualClock(Date.now());
    const [right, wrong] = await Promise.all([createSigner(), createSigner('evil.example')]);
    let pem: string | undefined = wrong.certificatePem;
    let asked = 0;
    const fetch = async (): Promise<Response> => {
      asked++;
      return pem === undefined ? new Response('', { status: 503 }) : new Response(pem);
    };
    const verifier = createSnsVerifier({ clock, fetch });
    const unsigned = {
      Type: 'Notification',
      MessageId: 'id',
      TopicArn: TOPIC,
      Message: 'm',
      Timestamp: new Date(clock.now()).toISOString(),
      SignatureVersion: '2',
      SigningCertURL: 'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem',
    } as const;
    const verify = async (signer: typeof right) => {
      const message = parseSnsMessage(JSON.stringify({ ...unsigned, Signature: signer.sign(unsigned) }));
      assert.ok(!('problem' in message));
      return (await verifier.verify(message)).status;
    };
    assert.equal(await verify(wrong), 'invalid', 'signed well, by somebody else');
    pem = undefined;
    assert.equal(await verify(right), 'invalid', 'not asked for at once again');
    clock.advance(10_000);
    assert.equal(await verify(right), 'unknown');
    clock.advance(10_000);
    pem = right.certificatePem;
    assert.equal(await verify(right), 'valid');
    assert.equal(await verify(wrong), 'invalid');
    assert.equal(asked, 3, 'and remembered');
    clock.advance(200 * 365 * 86_400_000);
    assert.equal(await verify(right), 'invalid', 'its time is over');
  });
});
