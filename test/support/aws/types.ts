/**
 * One scriptable emulator of the Amazon services that mail needs, on the wire: S3, SQS, SNS, SES (v1, v2, events,
 * receiving), STS and the two places where machines find credentials (EC2 IMDSv2, ECS). For tests and benches.
 * Signatures and request shapes are checked as Amazon does; whatever it would have refused is told in `violations` and
 * `refusals`. Start it with `startAws()` of `emulator.ts`, or as a process of its own with `node main.ts` (same options, as JSON).
 */

import type { SesControl, SesSettings } from './types-ses.ts';

export * from './types-ses.ts';

export type AwsService = 's3' | 'sqs' | 'sns' | 'ses' | 'sts' | 'imds' | 'ecs';

export interface AwsOptions {
  /** 0 (default): any free port. Give the port of a closed emulator to come back where it was. */
  readonly port?: number;
  /** Default "eu-west-1". Other regions' signatures are refused unless listed in `regions`. */
  readonly region?: string;
  readonly regions?: readonly string[];
  /** Default "123456789012". */
  readonly accountId?: string;
  readonly accessKeyId?: string;
  readonly secretAccessKey?: string;
  /** Every duration of the services (visibility timeout, long poll, SNS retry delays) is multiplied by it; default 1. */
  readonly timeFactor?: number;
  /** Certificates (PEM) that SNS shall trust when it delivers over HTTPS; without, any certificate will do. */
  readonly deliveryCa?: string | readonly string[];
  /** True: SubscribeURL, UnsubscribeURL and SigningCertURL point at the emulator itself instead of sns.REGION.amazonaws.com. */
  readonly localUrls?: boolean;
  /** False: `ses.sent` does not keep the octets (benches). Default true. */
  readonly keepRaw?: boolean;
  /** Milliseconds that SNS waits for the answer of an HTTP(S) endpoint; default 15000 as Amazon's, whatever timeFactor. */
  readonly snsAnswerMs?: number;
  /** How far a request's date may be off, milliseconds; default 300000 as Amazon's. */
  readonly clockSkewMs?: number;
  /** Sent with the start: identities, limits and so on. */
  readonly ses?: Partial<SesSettings>;
}

export interface AwsEmulator {
  /** "http://127.0.0.1:PORT": for every service. */
  readonly endpoint: string;
  readonly port: number;
  readonly region: string;
  readonly accountId: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Region, endpoint and credentials as our own client (net/aws) and the SDK's constructors take them. */
  readonly settings: {
    readonly region: string;
    readonly endpoint: string;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  /** Requests that no right client sends: unknown operations, missing or malformed members. Tests assert it empty. */
  readonly violations: Violation[];
  /** Requests refused for their signature, date, token or key. */
  readonly refusals: Violation[];
  /** Every request, in the order of their arrival. */
  readonly calls: Call[];
  readonly s3: S3Control;
  readonly sqs: SqsControl;
  readonly sns: SnsControl;
  readonly ses: SesControl;
  readonly sts: StsControl;
  /** Make calls that match fail, `times` times (default 1; Infinity for always). The first fault that matches is used. */
  fault(match: FaultMatch, fault: Fault, times?: number): FaultHandle;
  clearFaults(): void;
  /** Called at each step of each call; what it returns is awaited, so a test can hold or kill at that step. */
  on(event: 'call', listener: (step: CallStep) => void | Promise<void>): () => void;
  /** Resolves at the next call that matches, when it reaches the phase (default 'done'). */
  next(match: FaultMatch, phase?: CallStep['phase']): Promise<CallStep>;
  /** A fetch that answers for sns.REGION.amazonaws.com (certificate, SubscribeURL) from this emulator; others fail. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>;
  /** Nothing under way any more: SNS deliveries and their retries, SES events. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

export interface Violation {
  readonly service: AwsService;
  readonly operation: string;
  /** The error's name, as it was answered. */
  readonly code: string;
  readonly message: string;
}

export interface Call {
  readonly id: number;
  readonly service: AwsService;
  /** "GetObject", "SendEmail", ... */
  operation: string;
  /** S3: the object's key; SQS: the queue's name; SNS: the topic's name; SES: the first recipient. */
  resource: string;
  /** SES: 1 or 2. */
  version?: 1 | 2;
  /** Key that signed. */
  accessKeyId?: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** HTTP status answered; undefined while under way, 0 when the connection was cut. */
  status: number | undefined;
  /** The error's name, where one was answered. */
  code?: string;
}

/** 'begin': read and checked, nothing done; 'done': the effect is there, no answer yet; 'answered': the answer is out. */
export interface CallStep extends Call {
  readonly phase: 'begin' | 'done' | 'answered';
}

export interface FaultMatch {
  readonly service: AwsService;
  readonly operation?: string | readonly string[];
  /** Compared with `Call.resource`. */
  readonly key?: string | RegExp;
  /** So many matching calls pass unharmed first. */
  readonly skip?: number;
}

export type Fault =
  /** Answer so, in the service's own form; nothing is done. */
  | { readonly kind: 'status'; readonly status: number; readonly code: string; readonly message?: string }
  /** Wait, then go on as usual. Infinity: never answer (nothing is done). */
  | { readonly kind: 'slow'; readonly ms: number }
  /**
   * Close the connection without an answer: before anything was done, after it was done, or (mid-body) it was done and
   * half of the answer's body is sent.
   */
  | { readonly kind: 'cut'; readonly when: 'before-answer' | 'after-effect' | 'mid-body' }
  /** Close the connection as soon as the request's header is there, its body unread. (Matches by header: no `key` but S3's.) */
  | { readonly kind: 'drop' };

export interface FaultHandle {
  /** How often it struck. */
  readonly hits: number;
  cancel(): void;
}

export interface S3Control {
  createBucket(name: string): void;
  put(
    bucket: string,
    key: string,
    body: Buffer | string,
    options?: { modifiedAt?: number; contentType?: string },
  ): void;
  get(bucket: string, key: string): Buffer | undefined;
  /** What GetBucketPolicy answers; nothing is judged by it. */
  setPolicy(bucket: string, policy: string): void;
  /** In key order. */
  keys(bucket: string, prefix?: string): string[];
  remove(bucket: string, key: string): void;
}

export interface QueueFacts {
  readonly name: string;
  readonly url: string;
  readonly arn: string;
}

export interface StoredNotice {
  readonly id: string;
  readonly body: string;
  readonly receives: number;
  readonly sentAt: number;
  readonly hidden: boolean;
}

export interface SqsControl {
  /**
   * `attributes` as SQS's own (VisibilityTimeout, RedrivePolicy, Policy, ...). `allowTopic`: a queue policy that lets
   * this topic ('*': any) send; without a policy SNS cannot reach a queue, as on the real service.
   */
  createQueue(
    name: string,
    options?: { attributes?: Record<string, string>; allowTopic?: string },
  ): QueueFacts;
  queue(nameOrUrl: string): QueueFacts;
  send(queue: string, body: string): string;
  /** Everything in the queue, hidden or not. */
  messages(queue: string): StoredNotice[];
  /** Make what is hidden visible now, as if its timeout had passed. */
  reveal(queue: string): void;
  purge(queue: string): void;
  /** Each receive hands the same messages out again to so many further receives although hidden (at-least-once); default 0. */
  duplicates: number;
}

export interface SubscriptionFacts {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: 'http' | 'https' | 'sqs';
  readonly endpoint: string;
  readonly confirmed: boolean;
}

export interface SubscribeOptions {
  /** RawMessageDelivery. */
  readonly raw?: boolean;
  /** As in CloudFormation: {"healthyRetryPolicy":{"numRetries":2,"minDelayTarget":60,...}}. Default: SNS's own, 3 retries 20 s apart. */
  readonly deliveryPolicy?: DeliveryPolicy;
  /** ARN of the queue for what could not be delivered. */
  readonly deadLetterArn?: string;
  /** HTTP(S): skip the confirmation, as if it had been made. */
  readonly confirmed?: boolean;
}

/** Seconds and counts, as SNS's documentation of DeliveryPolicy has them. */
export interface DeliveryPolicy {
  readonly healthyRetryPolicy?: {
    readonly numRetries?: number;
    readonly numNoDelayRetries?: number;
    readonly minDelayTarget?: number;
    readonly maxDelayTarget?: number;
    readonly numMinDelayRetries?: number;
    readonly numMaxDelayRetries?: number;
    readonly backoffFunction?: 'linear' | 'arithmetic' | 'geometric' | 'exponential';
  };
}

export interface Delivery {
  readonly subscriptionArn: string;
  readonly messageId: string;
  readonly type: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
  /** 1 is the first. */
  readonly attempt: number;
  readonly at: number;
  /** HTTP status, or 0 with `error`. A 401 that is followed by the same request with credentials is one attempt. */
  readonly status: number;
  readonly error?: string;
}

/** The JSON of a delivery over HTTP(S), or of a message in a queue without raw delivery. */
export interface SnsEnvelope {
  Type: string;
  MessageId: string;
  TopicArn: string;
  Message: string;
  Timestamp: string;
  SignatureVersion: string;
  Signature: string;
  SigningCertURL: string;
  Subject?: string;
  Token?: string;
  SubscribeURL?: string;
  UnsubscribeURL?: string;
}

export interface SnsControl {
  /** "https://sns.REGION.amazonaws.com/SimpleNotificationService-<hex>.pem". */
  readonly signingCertificateUrl: string;
  /** RSA, self-signed, CN sns.amazonaws.com. */
  readonly certificatePem: string;
  /** Returns the ARN. `signatureVersion` '1' (default: SHA1) or '2' (SHA256). */
  createTopic(name: string, options?: { signatureVersion?: '1' | '2' }): string;
  /** Returns the subscription's ARN; an HTTP(S) endpoint is sent its SubscriptionConfirmation. */
  subscribe(
    topicArn: string,
    protocol: 'http' | 'https' | 'sqs',
    endpoint: string,
    options?: SubscribeOptions,
  ): string;
  /** Ends it; an HTTP(S) endpoint is sent an UnsubscribeConfirmation. */
  unsubscribe(subscriptionArn: string): void;
  subscription(arn: string): SubscriptionFacts;
  /** Returns the message id. Deliveries go on in the background (see `idle`). */
  publish(topicArn: string, message: string, options?: { subject?: string }): string;
  /** A signed envelope that was published nowhere, for tests that post it themselves. `change` is applied before the signing. */
  envelope(
    topicArn: string,
    message: string,
    options?: {
      type?: 'Notification' | 'SubscriptionConfirmation' | 'UnsubscribeConfirmation';
      version?: '1' | '2';
      subject?: string;
      change?: Partial<SnsEnvelope>;
    },
  ): SnsEnvelope;
  /** Applied to every envelope after it was signed: wrong signatures, lies. Undefined (default): none. */
  tamper: ((envelope: SnsEnvelope) => SnsEnvelope) | undefined;
  /** Every delivery is made so many times more; default 0. */
  duplicates: number;
  readonly deliveries: Delivery[];
  /** What was given up, without a dead-letter queue that took it. */
  readonly lost: { readonly subscriptionArn: string; readonly messageId: string; readonly reason: string }[];
}

export interface TemporaryCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface StsControl {
  /** Returns the role's ARN. */
  createRole(name: string, options?: { externalId?: string; webIdentityToken?: string }): string;
  /** Temporary credentials that the services accept. */
  issue(options?: { roleName?: string; lifetimeMs?: number }): TemporaryCredentials;
  /** No longer accepted: answered ExpiredToken. */
  expire(accessKeyId: string): void;
  /** A further long-term key. */
  addKey(accessKeyId: string, secretAccessKey: string): void;
  /** Role that IMDSv2 and ECS hand out; undefined: none is attached. */
  instanceRole: string | undefined;
  /** For AWS_EC2_METADATA_SERVICE_ENDPOINT. */
  readonly imdsEndpoint: string;
  /** For AWS_CONTAINER_CREDENTIALS_FULL_URI and AWS_CONTAINER_AUTHORIZATION_TOKEN. */
  readonly containerUrl: string;
  readonly containerToken: string;
  /** Lifetime of credentials from roles, IMDS and ECS, milliseconds; default an hour. */
  lifetimeMs: number;
}
