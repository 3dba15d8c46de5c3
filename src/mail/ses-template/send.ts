import { attribute, either, localArn, NOTHING, policy, ref, sub } from './functions.ts';
import { domainId } from './names.ts';
import { queue, queuePolicy, sesMayPublish } from './receive.ts';
import type { SesTemplateOptions, TemplateResource } from './types.ts';

type Resources = Record<string, TemplateResource>;

/** What becomes of sent mail, as SES tells it. */
export const EVENT_TYPES = ['send', 'delivery', 'deliveryDelay', 'bounce', 'complaint', 'reject'] as const;

/** The configuration set, and its events by way of a topic into a queue. */
export function sendResources(): Resources {
  return {
    SesConfigurationSet: {
      Type: 'AWS::SES::ConfigurationSet',
      Properties: {
        DeliveryOptions: { TlsPolicy: either('TlsOutRequired', 'REQUIRE', 'OPTIONAL') },
        ReputationOptions: { ReputationMetricsEnabled: true },
        SendingOptions: { SendingEnabled: true },
        SuppressionOptions: { SuppressedReasons: ['BOUNCE', 'COMPLAINT'] },
      },
    },
    SesEventDestination: {
      Type: 'AWS::SES::ConfigurationSetEventDestination',
      DependsOn: ['SesEventsTopicPolicy'],
      Properties: {
        ConfigurationSetName: ref('SesConfigurationSet'),
        EventDestination: {
          Name: 'events-to-sns',
          Enabled: true,
          MatchingEventTypes: [...EVENT_TYPES],
          SnsDestination: { TopicARN: ref('SesEventsTopic') },
        },
      },
    },
    SesEventsTopic: { Type: 'AWS::SNS::Topic', Properties: { SignatureVersion: '2' } },
    SesEventsTopicPolicy: {
      Type: 'AWS::SNS::TopicPolicy',
      Properties: {
        Topics: [ref('SesEventsTopic')],
        PolicyDocument: policy(
          sesMayPublish('SesEventsTopic', localArn('ses', 'configuration-set/${SesConfigurationSet}')),
        ),
      },
    },
    SesEventsQueue: queue({ ReceiveMessageWaitTimeSeconds: 20 }),
    SesEventsQueuePolicy: queuePolicy('SesEventsQueue', 'SesEventsTopic'),
    SesEventsQueueSubscription: {
      Type: 'AWS::SNS::Subscription',
      DependsOn: ['SesEventsQueuePolicy'],
      Properties: {
        TopicArn: ref('SesEventsTopic'),
        Protocol: 'sqs',
        Endpoint: attribute('SesEventsQueue', 'Arn'),
      },
    },
  };
}

/** One identity a domain: SES signs its mail with DKIM keys of its own, which three CNAME records point to. */
export function identities({ domains, part }: SesTemplateOptions): Resources {
  const first = part === undefined || part.number === 1;
  const set = ref(first ? 'SesConfigurationSet' : 'ConfigurationSetName');
  return Object.fromEntries(
    domains.map((domain) => [
      domainId(domain),
      {
        Type: 'AWS::SES::EmailIdentity',
        Properties: {
          EmailIdentity: domain,
          ConfigurationSetAttributes: { ConfigurationSetName: set },
          DkimAttributes: { SigningEnabled: true },
          DkimSigningAttributes: { NextSigningKeyLength: 'RSA_2048_BIT' },
          // Bounces come back as mail too, so nothing is missed when nobody reads the queue of events.
          FeedbackAttributes: { EmailForwardingEnabled: true },
          MailFromAttributes: either(
            'UseCustomMailFrom',
            {
              MailFromDomain: sub(`\${MailFromSubDomain}.${domain}`),
              BehaviorOnMxFailure: ref('MailFromMxFailure'),
            },
            NOTHING,
          ),
        },
      },
    ]),
  );
}
