/**
 * What we ask of Amazon's services, in our words. `client.ts` answers over the AWS SDK, which is loaded when it is first
 * needed; nothing outside net/aws knows of the SDK.
 */

/** Where and as whom. Secrets come from files wherever a person writes settings down. */
export interface AwsSettings {
  /** "eu-west-1". Any name is taken: regions are added faster than programs. */
  readonly region: string;
  /** Instead of Amazon's own: an emulator, a VPC endpoint. Used for every service. */
  readonly endpoint?: string | undefined;
  /** Undefined: the SDK's chain (environment, shared files, SSO, web identity, ECS, EC2 IMDSv2). */
  readonly credentials?: AwsCredentials | undefined;
  /** Profile of the shared files. */
  readonly profile?: string | undefined;
  /** Role to assume with the credentials found. */
  readonly roleArn?: string | undefined;
  readonly externalId?: string | undefined;
}

export type AwsCredentials =
  | {
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string | undefined;
    }
  /** File with "key:secret" in one line, read when needed. */
  | { readonly file: string };

/**
 * Why a call failed. Nothing but `unsure` may have had an effect: there the request left and no answer came.
 * - network: no connection, so nothing was done; unsure: the request was sent, the answer was not read
 * - throttled: slower, please; quota: the day's allowance is used up; server: 5xx
 * - auth: no credentials, or not allowed to do this; missing: no such object, queue, identity
 * - rejected: this request will never do (bad parameter, message refused)
 */
export type AwsErrorKind =
  | 'network'
  | 'unsure'
  | 'throttled'
  | 'quota'
  | 'server'
  | 'auth'
  | 'missing'
  | 'rejected';

/** A failed call. `message` is one sentence fit for an administrator. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly kind: AwsErrorKind;
  /** Amazon's own name for it ("MessageRejected"), where there is one. */
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  constructor(
    kind: AwsErrorKind,
    message: string,
    more: { code?: string | undefined; requestId?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.kind = kind;
    this.code = more.code;
    this.requestId = more.requestId;
  }
}

export interface ObjectFacts {
  readonly key: string;
  /** Octets. */
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly modifiedAt: number;
}

/** S3: mail that SES has put there, and backups. */
export interface ObjectStore {
  /** The octets as they come; throws AwsError 'missing' when there is no such object. The stream throws AwsError too. */
  get(bucket: string, key: string): Promise<{ readonly size: number; readonly body: AsyncIterable<Buffer> }>;
  /** Up to 1000 objects after `after`, in key order. */
  list(
    bucket: string,
    prefix: string,
    after?: string,
  ): Promise<{ readonly objects: readonly ObjectFacts[]; readonly more: boolean }>;
  /** `onlyNew`: nothing is changed, and the answer is false, when there is such an object already. */
  put(
    bucket: string,
    key: string,
    octets: Uint8Array,
    options?: { readonly onlyNew?: boolean },
  ): Promise<boolean>;
  /** Deleting what is gone already is no error. */
  remove(bucket: string, key: string): Promise<void>;
}

export interface QueuedNotice {
  readonly id: string;
  readonly body: string;
  /** Needed to delete it or to keep it hidden. */
  readonly receipt: string;
  /** How often it was received, this time included. */
  readonly receives: number;
  /** When it was put into the queue, milliseconds since the epoch. */
  readonly sentAt: number;
}

/** SQS. `url` is the queue's. */
export interface NoticeQueue {
  /** Long poll: up to 10 notices, waiting `waitSeconds` (0..20); hidden from others for `hideSeconds`. */
  receive(
    url: string,
    options: { waitSeconds: number; hideSeconds: number; signal?: AbortSignal | undefined },
  ): Promise<readonly QueuedNotice[]>;
  remove(url: string, receipt: string): Promise<void>;
  /** Hide it for so much longer, from now; 0 shows it again at once. */
  hide(url: string, receipt: string, seconds: number): Promise<void>;
  /** How many wait, are hidden, and the age in milliseconds of the oldest where it is told. */
  depth(url: string): Promise<{ readonly waiting: number; readonly hidden: number }>;
}

/** A message that is read when it is needed, from its first octet each time. */
export interface SesSource {
  open(): AsyncIterable<Buffer>;
}

/** One call of SendEmail (v2) or SendRawEmail (v1). */
export interface SesMessage {
  /** Envelope sender: an address of an identity of ours; never empty. */
  readonly from: string;
  /** 1 to 50. */
  readonly recipients: readonly string[];
  /**
   * The whole message. One that is given as a source is never held in memory: it is read twice (once to sign for it), so
   * it must give the same octets each time it is opened.
   */
  readonly raw: Buffer | SesSource;
  readonly configurationSet?: string | undefined;
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /**
   * Identities of another account that lets us use them (sending authorization): for the envelope sender, for From, for
   * bounces. Nothing stands in for one that is left out, but the second API has no word for the first: there it is From's.
   */
  readonly sourceArn?: string | undefined;
  readonly fromArn?: string | undefined;
  readonly returnPathArn?: string | undefined;
}

export interface SesAccount {
  /** False: the sandbox; only verified recipients, 200 a day. */
  readonly production: boolean;
  readonly sendingEnabled: boolean;
  /** Messages a second. */
  readonly maxSendRate: number;
  /** Recipients in 24 hours; -1 is no limit. */
  readonly max24HourSend: number;
  readonly sentLast24Hours: number;
  /** "HEALTHY", "PROBATION", "SHUTDOWN". */
  readonly enforcement: string;
}

export interface SesIdentity {
  /** "example.org" or "alice@example.org", lower case. */
  readonly name: string;
  readonly kind: 'domain' | 'address';
  readonly verified: boolean;
}

/** SES. `version` 2 is the default; 1 has a limit of 10 MB a message. */
export interface SesApi {
  readonly version: 1 | 2;
  /** Octets of `raw` they take. */
  readonly maxMessageBytes: number;
  /**
   * One call, never repeated here: whoever calls knows what may be sent again. `messageId` is empty when SES said yes
   * and the answer broke off behind that.
   */
  send(
    message: SesMessage,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<{ readonly messageId: string }>;
  account(): Promise<SesAccount>;
  identities(): Promise<readonly SesIdentity[]>;
}

/** Amazon's services as one account sees them in one region. Each service's client is loaded at its first use. */
export interface Aws {
  readonly settings: AwsSettings;
  readonly objects: ObjectStore;
  readonly notices: NoticeQueue;
  ses(version: 1 | 2): SesApi;
  /** Who we are there: also the way to find out whether the credentials are any good. */
  caller(): Promise<AwsCaller>;
  /** The credentials in use; SES SMTP passwords are made from them. */
  keys(): Promise<AwsKeys>;
  /** Close idle connections; calls under way go on. */
  close(): void;
}

export interface AwsCaller {
  readonly account: string;
  readonly arn: string;
}

export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Set for temporary credentials (roles, SSO, instance profiles). */
  readonly sessionToken?: string | undefined;
}
