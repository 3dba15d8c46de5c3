import { malformed, type ServiceModule } from './internal.ts';
import { prepareQuery, type QueryService, renderQueryError } from './query.ts';
import type { Ses } from './ses.ts';
import { formList, type XmlValue } from './xml.ts';

/** SES's first API: Query. */
export function sesV1Module(ses: Ses, wait: () => Promise<void>): ServiceModule {
  const service = sesV1(ses, wait);
  return {
    prepare: (request) => ({ ...prepareQuery(service, request), version: 1 }),
    renderError: (error, requestId) => renderQueryError(service, error, requestId),
  };
}

function sesV1(ses: Ses, wait: () => Promise<void>): QueryService {
  return {
    version: '2010-12-01',
    namespace: 'http://ses.amazonaws.com/doc/2010-12-01/',
    operations: {
      SendRawEmail: {
        required: ['RawMessage.Data'],
        optional: [
          'Source',
          'Destinations.',
          'ConfigurationSetName',
          'Tags.',
          'SourceArn',
          'FromArn',
          'ReturnPathArn',
        ],
        resource: (form) => form.get('Destinations.member.1') ?? '',
        async run(form) {
          const { messageId } = ses.send(readSend(form));
          await wait();
          return { MessageId: messageId };
        },
      },
      GetSendQuota: {
        required: [],
        run: () => ({
          Max24HourSend: ses.settings.max24HourSend,
          MaxSendRate: ses.settings.maxSendRate === Infinity ? 1_000_000 : ses.settings.maxSendRate,
          SentLast24Hours: ses.settings.sentLast24Hours,
        }),
      },
      GetAccountSendingEnabled: { required: [], run: () => ({ Enabled: ses.settings.sendingEnabled }) },
      ListIdentities: {
        required: [],
        optional: ['IdentityType', 'MaxItems', 'NextToken'],
        run: (form) => listIdentities(ses, form),
      },
      GetIdentityVerificationAttributes: {
        required: [],
        optional: ['Identities.'],
        run: (form) => ({
          VerificationAttributes: { entry: verification(ses, formList(form, 'Identities')) },
        }),
      },
      DescribeActiveReceiptRuleSet: { required: [], run: () => activeRuleSet(ses) },
      DescribeConfigurationSet: {
        required: ['ConfigurationSetName'],
        optional: ['ConfigurationSetAttributeNames.'],
        run: (form) => ({ ConfigurationSet: { Name: form.get('ConfigurationSetName') ?? '' } }),
      },
    },
  };
}

function activeRuleSet({ inbound }: Ses): Record<string, XmlValue> {
  const name = inbound.active.name;
  if (name === undefined) return {};
  const rules = inbound.rules.filter((rule) => (rule.ruleSet ?? name) === name);
  return {
    Metadata: { Name: name, CreatedTimestamp: '2026-01-01T00:00:00.000Z' },
    Rules: {
      member: rules.map((rule) => ({
        Name: rule.name,
        Enabled: rule.enabled !== false,
        TlsPolicy: 'Optional',
        ScanEnabled: rule.scan !== false,
        Recipients: { member: rule.recipients ?? [] },
        Actions: {
          member: [
            {
              S3Action: {
                BucketName: rule.bucket,
                ObjectKeyPrefix: rule.prefix,
                TopicArn: rule.topicArn,
                IamRoleArn: undefined,
              },
            },
          ],
        },
      })),
    },
  };
}

function readSend(form: URLSearchParams): Parameters<Ses['send']>[0] {
  const raw = Buffer.from(form.get('RawMessage.Data') ?? '', 'base64');
  if (raw.length === 0) throw malformed('ValidationError', 'RawMessage.Data is no base64');
  const tags: Record<string, string> = {};
  for (let index = 1; form.has(`Tags.member.${index}.Name`); index++) {
    tags[form.get(`Tags.member.${index}.Name`) ?? ''] = form.get(`Tags.member.${index}.Value`) ?? '';
  }
  return {
    api: 1,
    from: form.get('Source') ?? undefined,
    recipients: formList(form, 'Destinations'),
    raw,
    // aws-smtp-relay always sends the name, empty when it has none, which SES takes as none.
    configurationSet: form.get('ConfigurationSetName') || undefined,
    tags,
    sourceArn: form.get('SourceArn') ?? undefined,
    fromArn: form.get('FromArn') ?? undefined,
    returnPathArn: form.get('ReturnPathArn') ?? undefined,
  };
}

function listIdentities(ses: Ses, form: URLSearchParams): Record<string, XmlValue> {
  const type = form.get('IdentityType');
  const all = [...ses.identities.keys()].filter(
    (name) => type === null || name.includes('@') === (type === 'EmailAddress'),
  );
  const size = Number(form.get('MaxItems') ?? 1000);
  const start = Number(form.get('NextToken') ?? 0);
  return {
    Identities: { member: all.slice(start, start + size) },
    NextToken: start + size < all.length ? String(start + size) : undefined,
  };
}

function verification(ses: Ses, names: readonly string[]): XmlValue {
  return names.flatMap((key) => {
    const verified = ses.identities.get(key.toLowerCase());
    if (verified === undefined) return [];
    return [{ key, value: { VerificationStatus: verified ? 'Success' : 'Pending' } }];
  });
}
