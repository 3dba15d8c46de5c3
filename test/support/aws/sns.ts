import { randomBytes } from 'node:crypto';
import type { Core } from './internal.ts';
import { lastSegment, ServiceError } from './internal.ts';
import { delivered, type Outcome, post, retriable, retryDelays } from './sns-delivery.ts';
import type { SnsSigner } from './sns-sign.ts';
import type { Sqs } from './sqs.ts';
import type { Delivery, DeliveryPolicy, SnsControl, SnsEnvelope, SubscribeOptions } from './types.ts';

export interface Topic {
  readonly arn: string;
  readonly attributes: Record<string, string>;
}

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: 'http' | 'https' | 'sqs';
  readonly endpoint: string;
  confirmed: boolean;
  token: string;
  /** RawMessageDelivery, DeliveryPolicy, RedrivePolicy, as SetSubscriptionAttributes has them. */
  readonly attributes: Record<string, string>;
}

export interface Sns {
  readonly topics: Map<string, Topic>;
  readonly subscriptions: Map<string, Subscription>;
  topic(arn: string): Topic;
  createTopic(name: string): Topic;
  subscribe(
    topicArn: string,
    protocol: Subscription['protocol'],
    endpoint: string,
    attributes: Record<string, string>,
    confirmed: boolean,
  ): Subscription;
  confirm(topicArn: string, token: string): Subscription;
  unsubscribe(arn: string): void;
  publish(topicArn: string, message: string, subject?: string): string;
  readonly control: SnsControl;
}

type Type = SnsEnvelope['Type'] & Delivery['type'];

export function createSns(core: Core, sqs: Sqs, signer: SnsSigner): Sns {
  const topics = new Map<string, Topic>();
  const subscriptions = new Map<string, Subscription>();
  const base = (): string =>
    core.options.localUrls === true ? core.endpoint() : `https://sns.${core.region}.amazonaws.com`;
  const deliveries: Delivery[] = [];
  const lost: { subscriptionArn: string; messageId: string; reason: string }[] = [];

  const envelope: SnsControl['envelope'] = (topicArn, message, options = {}) => {
    const type = options.type ?? 'Notification';
    const unsigned = {
      Type: type,
      MessageId: crypto.randomUUID(),
      ...(options.subject === undefined ? {} : { Subject: options.subject }),
      TopicArn: topicArn,
      Message: message,
      Timestamp: new Date(Date.now()).toISOString(),
      SignatureVersion: options.version ?? topics.get(topicArn)?.attributes['SignatureVersion'] ?? '1',
      SigningCertURL: `${base()}/${signer.fileName}`,
      ...(type === 'Notification' ? {} : confirmationMembers(topicArn, randomBytes(64).toString('hex'))),
      ...options.change,
    };
    return { ...unsigned, Signature: options.change?.Signature ?? signer.sign(unsigned) };
  };
  const confirmationMembers = (topicArn: string, token: string): { Token: string; SubscribeURL: string } => ({
    Token: token,
    SubscribeURL: `${base()}/?Action=ConfirmSubscription&TopicArn=${topicArn}&Token=${token}`,
  });
  const unsubscribeUrl = (arn: string): string => `${base()}/?Action=Unsubscribe&SubscriptionArn=${arn}`;

  const sendAll = (subscription: Subscription, type: Type, original: SnsEnvelope): void => {
    const sent = control.tamper?.(original) ?? original;
    for (let copy = 0; copy <= control.duplicates; copy++) {
      core.track(deliver(core, sqs, subscription, type, sent, { deliveries, lost }));
    }
  };
  const announce = (subscription: Subscription, type: Type): void => {
    const verb = type === 'SubscriptionConfirmation' ? 'subscribe to' : 'unsubscribe from';
    const message = `You have chosen to ${verb} the topic ${subscription.topicArn}.\nTo confirm, visit the SubscribeURL included in this message.`;
    const members = confirmationMembers(subscription.topicArn, subscription.token);
    sendAll(subscription, type, envelope(subscription.topicArn, message, { type, change: members }));
  };

  const sns: Sns = {
    topics,
    subscriptions,
    topic(arn) {
      const topic = topics.get(arn);
      if (topic === undefined) throw new ServiceError(404, 'NotFound', 'Topic does not exist');
      return topic;
    },
    createTopic(name) {
      const arn = `arn:aws:sns:${core.region}:${core.accountId}:${name}`;
      const topic = topics.get(arn) ?? { arn, attributes: { SignatureVersion: '1' } };
      topics.set(arn, topic);
      return topic;
    },
    subscribe(topicArn, protocol, endpoint, attributes, confirmed) {
      sns.topic(topicArn);
      const existing = [...subscriptions.values()].find(
        (each) => each.topicArn === topicArn && each.protocol === protocol && each.endpoint === endpoint,
      );
      const subscription: Subscription = existing ?? {
        arn: `${topicArn}:${crypto.randomUUID()}`,
        topicArn,
        protocol,
        endpoint,
        confirmed: confirmed || protocol === 'sqs',
        token: randomBytes(64).toString('hex'),
        attributes,
      };
      subscriptions.set(subscription.arn, subscription);
      if (!subscription.confirmed) announce(subscription, 'SubscriptionConfirmation');
      return subscription;
    },
    confirm(topicArn, token) {
      const found = [...subscriptions.values()].find(
        (each) => each.topicArn === topicArn && each.token === token,
      );
      if (found === undefined) throw new ServiceError(400, 'InvalidParameter', 'Invalid parameter: Token');
      found.confirmed = true;
      return found;
    },
    unsubscribe(arn) {
      const subscription = subscriptions.get(arn);
      if (subscription === undefined) return;
      subscriptions.delete(arn);
      if (subscription.protocol !== 'sqs') announce(subscription, 'UnsubscribeConfirmation');
    },
    publish(topicArn, message, subject) {
      sns.topic(topicArn);
      const shared = envelope(topicArn, message, subject === undefined ? {} : { subject });
      for (const subscription of subscriptions.values()) {
        if (subscription.topicArn !== topicArn || !subscription.confirmed) continue;
        sendAll(subscription, 'Notification', {
          ...shared,
          UnsubscribeURL: unsubscribeUrl(subscription.arn),
        });
      }
      return shared.MessageId;
    },
    get control() {
      return control;
    },
  };
  const control: SnsControl = {
    get signingCertificateUrl() {
      return `${base()}/${signer.fileName}`;
    },
    certificatePem: signer.certificatePem,
    createTopic(name, { signatureVersion = '1' } = {}) {
      const topic = sns.createTopic(name);
      topic.attributes['SignatureVersion'] = signatureVersion;
      return topic.arn;
    },
    subscribe: (topicArn, protocol, endpoint, options = {}) =>
      sns.subscribe(topicArn, protocol, endpoint, attributesOf(options), options.confirmed === true).arn,
    unsubscribe: (arn) => sns.unsubscribe(arn),
    subscription(arn) {
      const subscription = subscriptions.get(arn);
      if (subscription === undefined) throw new Error(`No subscription ${arn}`);
      const { topicArn, protocol, endpoint, confirmed } = subscription;
      return { arn, topicArn, protocol, endpoint, confirmed };
    },
    publish: (topicArn, message, { subject } = {}) => sns.publish(topicArn, message, subject),
    envelope,
    tamper: undefined,
    duplicates: 0,
    deliveries,
    lost,
  };
  return sns;
}

function attributesOf(options: SubscribeOptions): Record<string, string> {
  return {
    RawMessageDelivery: String(options.raw ?? false),
    ...(options.deliveryPolicy === undefined
      ? {}
      : { DeliveryPolicy: JSON.stringify(options.deliveryPolicy) }),
    ...(options.deadLetterArn === undefined
      ? {}
      : { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: options.deadLetterArn }) }),
  };
}

/** Bring one message to one subscriber, with retries; what fails for good goes to the dead-letter queue or is lost. */
async function deliver(
  core: Core,
  sqs: Sqs,
  subscription: Subscription,
  type: Type,
  envelope: SnsEnvelope,
  record: {
    deliveries: Delivery[];
    lost: { subscriptionArn: string; messageId: string; reason: string }[];
  },
): Promise<void> {
  const raw = subscription.attributes['RawMessageDelivery'] === 'true' && type === 'Notification';
  const body = raw ? envelope.Message : JSON.stringify(envelope, undefined, 2);
  const policy = parse<DeliveryPolicy>(subscription.attributes['DeliveryPolicy']);
  const delays = subscription.protocol === 'sqs' ? [] : retryDelays(policy);
  const headers = headersOf(subscription, type, envelope, raw);
  let outcome: Outcome = { status: 0 };
  for (let attempt = 1; attempt <= delays.length + 1 && !core.closing.aborted; attempt++) {
    const wait = delays[attempt - 2];
    if (wait !== undefined) await pause(core, core.scaled(wait));
    if (core.closing.aborted) return;
    outcome =
      subscription.protocol === 'sqs'
        ? toQueue(sqs, subscription.endpoint, subscription.topicArn, body)
        : await post(core, subscription.endpoint, headers, body);
    record.deliveries.push({
      subscriptionArn: subscription.arn,
      messageId: envelope.MessageId,
      type,
      attempt,
      at: Date.now(),
      ...outcome,
    });
    if (delivered(outcome)) return;
    if (!retriable(outcome)) break;
  }
  if (core.closing.aborted || type !== 'Notification') return;
  const target = parse<{ deadLetterTargetArn?: string }>(
    subscription.attributes['RedrivePolicy'],
  )?.deadLetterTargetArn;
  const dead = target === undefined ? undefined : toQueue(sqs, target, subscription.topicArn, body);
  if (dead !== undefined && delivered(dead)) return;
  const reason = dead?.error ?? outcome.error ?? `status ${outcome.status}`;
  record.lost.push({ subscriptionArn: subscription.arn, messageId: envelope.MessageId, reason });
}

function headersOf(
  subscription: Subscription,
  type: Type,
  envelope: SnsEnvelope,
  raw: boolean,
): Record<string, string> {
  return {
    'x-amz-sns-message-type': type,
    'x-amz-sns-message-id': envelope.MessageId,
    'x-amz-sns-topic-arn': subscription.topicArn,
    ...(type === 'SubscriptionConfirmation' ? {} : { 'x-amz-sns-subscription-arn': subscription.arn }),
    ...(raw ? { 'x-amz-sns-rawdelivery': 'true' } : {}),
    'content-type': 'text/plain; charset=UTF-8',
    'user-agent': 'Amazon Simple Notification Service Agent',
  };
}

function toQueue(sqs: Sqs, arn: string, topicArn: string, body: string): Outcome {
  try {
    sqs.sendFromTopic(arn, topicArn, body);
    return { status: 200 };
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    return { status: error.status, error: `${error.code}: ${error.message} (${lastSegment(arn)})` };
  }
}

function parse<T>(text: string | undefined): T | undefined {
  return text === undefined || text === '' ? undefined : (JSON.parse(text) as T);
}

function pause(core: Core, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const cancel = core.later(ms, false, () => {
      core.closing.removeEventListener('abort', stop);
      resolve();
    });
    const stop = (): void => {
      cancel();
      resolve();
    };
    core.closing.addEventListener('abort', stop, { once: true });
  });
}
