import type { Core, ServiceModule } from './internal.ts';
import { lastSegment, malformed, ServiceError } from './internal.ts';
import { prepareQuery, type QueryService, renderQueryError } from './query.ts';
import type { Sns, Subscription } from './sns.ts';
import { formMap } from './xml.ts';

/** SNS's Query protocol. */
export function snsModule(core: Core, sns: Sns): ServiceModule {
  const service = snsService(core, sns);
  return {
    prepare: (request) => prepareQuery(service, request),
    renderError: (error, requestId) => renderQueryError(service, error, requestId),
  };
}

/** SNS takes messages up to 256 KB. */
const MAX_MESSAGE = 262_144;

function topicName(form: URLSearchParams): string {
  return lastSegment(form.get('TopicArn') ?? form.get('TargetArn') ?? form.get('Name') ?? '');
}

export function snsService(core: Core, sns: Sns): QueryService {
  const subscriptionOf = (form: URLSearchParams): Subscription => {
    const found = sns.subscriptions.get(form.get('SubscriptionArn') ?? '');
    if (found === undefined) throw new ServiceError(404, 'NotFound', 'Subscription does not exist');
    return found;
  };
  return {
    version: '2010-03-31',
    namespace: 'http://sns.amazonaws.com/doc/2010-03-31/',
    operations: {
      CreateTopic: {
        required: ['Name'],
        optional: ['Attributes.', 'Tags.'],
        resource: topicName,
        run(form) {
          const topic = sns.createTopic(form.get('Name') ?? '');
          Object.assign(topic.attributes, formMap(form, 'Attributes'));
          return { TopicArn: topic.arn };
        },
      },
      DeleteTopic: {
        required: ['TopicArn'],
        resource: topicName,
        run(form) {
          sns.topics.delete(form.get('TopicArn') ?? '');
          return undefined;
        },
      },
      ListTopics: {
        required: [],
        optional: ['NextToken'],
        run: () => ({ Topics: { member: [...sns.topics.keys()].map((TopicArn) => ({ TopicArn })) } }),
      },
      GetTopicAttributes: {
        required: ['TopicArn'],
        resource: topicName,
        run: (form) => ({
          Attributes: { entry: entries(topicAttributes(core, sns, form.get('TopicArn') ?? '')) },
        }),
      },
      SetTopicAttributes: {
        required: ['TopicArn', 'AttributeName'],
        optional: ['AttributeValue'],
        resource: topicName,
        run(form) {
          const { attributes } = sns.topic(form.get('TopicArn') ?? '');
          attributes[form.get('AttributeName') ?? ''] = form.get('AttributeValue') ?? '';
          return undefined;
        },
      },
      Publish: {
        required: ['Message'],
        optional: ['TopicArn', 'TargetArn', 'Subject', 'MessageAttributes.', 'MessageStructure'],
        resource: topicName,
        run: (form) => publish(sns, form),
      },
      ...subscriptionOperations(sns, topicName, subscriptionOf),
    },
  };
}

function publish(sns: Sns, form: URLSearchParams): { MessageId: string } {
  const message = form.get('Message') ?? '';
  if (message === '') throw malformed('InvalidParameter', 'Invalid parameter: Empty message');
  if (Buffer.byteLength(message) > MAX_MESSAGE) {
    throw new ServiceError(400, 'InvalidParameter', 'Invalid parameter: Message too long');
  }
  const arn = form.get('TopicArn') ?? form.get('TargetArn');
  if (arn === null)
    throw malformed('InvalidParameter', 'Invalid parameter: TopicArn or TargetArn Reason: no value');
  return { MessageId: sns.publish(arn, message, form.get('Subject') ?? undefined) };
}

function subscriptionOperations(
  sns: Sns,
  resource: (form: URLSearchParams) => string,
  subscriptionOf: (form: URLSearchParams) => Subscription,
): QueryService['operations'] {
  return {
    Subscribe: {
      required: ['TopicArn', 'Protocol', 'Endpoint'],
      optional: ['Attributes.', 'ReturnSubscriptionArn'],
      resource,
      run(form) {
        const protocol = form.get('Protocol');
        const endpoint = form.get('Endpoint') ?? '';
        const wanted = { http: 'http://', https: 'https://', sqs: 'arn:aws:sqs:' };
        if (protocol !== 'http' && protocol !== 'https' && protocol !== 'sqs') {
          throw malformed(
            'InvalidParameter',
            `Invalid parameter: Protocol ${protocol ?? ''} is not emulated`,
          );
        }
        if (!endpoint.startsWith(wanted[protocol])) {
          throw malformed(
            'InvalidParameter',
            'Invalid parameter: Endpoint must match the specified protocol',
          );
        }
        const subscription = sns.subscribe(
          form.get('TopicArn') ?? '',
          protocol,
          endpoint,
          formMap(form, 'Attributes'),
          false,
        );
        const tell = subscription.confirmed || form.get('ReturnSubscriptionArn') === 'true';
        return { SubscriptionArn: tell ? subscription.arn : 'pending confirmation' };
      },
    },
    ConfirmSubscription: {
      required: ['TopicArn', 'Token'],
      optional: ['AuthenticateOnUnsubscribe'],
      resource,
      run: (form) => ({
        SubscriptionArn: sns.confirm(form.get('TopicArn') ?? '', form.get('Token') ?? '').arn,
      }),
    },
    Unsubscribe: {
      required: ['SubscriptionArn'],
      run(form) {
        sns.unsubscribe(form.get('SubscriptionArn') ?? '');
        return undefined;
      },
    },
    ListSubscriptions: {
      required: [],
      optional: ['NextToken'],
      run: () => listing([...sns.subscriptions.values()]),
    },
    ListSubscriptionsByTopic: {
      required: ['TopicArn'],
      optional: ['NextToken'],
      resource,
      run(form) {
        const { arn } = sns.topic(form.get('TopicArn') ?? '');
        return listing([...sns.subscriptions.values()].filter(({ topicArn }) => topicArn === arn));
      },
    },
    GetSubscriptionAttributes: {
      required: ['SubscriptionArn'],
      run(form) {
        const subscription = subscriptionOf(form);
        const facts = {
          ...subscription.attributes,
          SubscriptionArn: subscription.arn,
          TopicArn: subscription.topicArn,
          Protocol: subscription.protocol,
          Endpoint: hidePassword(subscription.endpoint),
          PendingConfirmation: String(!subscription.confirmed),
        };
        return { Attributes: { entry: entries(facts) } };
      },
    },
    SetSubscriptionAttributes: {
      required: ['SubscriptionArn', 'AttributeName'],
      optional: ['AttributeValue'],
      run(form) {
        subscriptionOf(form).attributes[form.get('AttributeName') ?? ''] = form.get('AttributeValue') ?? '';
        return undefined;
      },
    },
  };
}

function topicAttributes(core: Core, sns: Sns, arn: string): Record<string, string> {
  const topic = sns.topic(arn);
  const subscriptions = [...sns.subscriptions.values()].filter(({ topicArn }) => topicArn === arn);
  const confirmed = subscriptions.filter((each) => each.confirmed).length;
  return {
    ...topic.attributes,
    TopicArn: arn,
    Owner: core.accountId,
    SubscriptionsConfirmed: String(confirmed),
    SubscriptionsPending: String(subscriptions.length - confirmed),
    SubscriptionsDeleted: '0',
  };
}

function entries(facts: Readonly<Record<string, string>>): { key: string; value: string }[] {
  return Object.entries(facts).map(([key, value]) => ({ key, value }));
}

function listing(
  subscriptions: readonly Subscription[],
): Record<string, { member: Record<string, string>[] }> {
  return {
    Subscriptions: {
      member: subscriptions.map(({ arn, topicArn, protocol, endpoint, confirmed }) => ({
        SubscriptionArn: confirmed ? arn : 'PendingConfirmation',
        Owner: topicArn.split(':')[4] ?? '',
        Protocol: protocol,
        Endpoint: hidePassword(endpoint),
        TopicArn: topicArn,
      })),
    },
  };
}

/** SNS shows "https://user:****@host". */
function hidePassword(endpoint: string): string {
  return endpoint.replace(/^(https?:\/\/[^/:@]*):[^@/]*@/, '$1:****@');
}
