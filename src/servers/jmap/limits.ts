import { MAX_NAME_BYTES } from '../../data/mailstore/names.ts';

/** Limits of JMAP (RFC 8620 section 2), told in the session and enforced. */
export const JMAP_LIMITS = {
  /** Octets of an uploaded file. */
  sizeUpload: 50_000_000,
  concurrentUpload: 4,
  /** Octets of a request; 10,000,000 is what RFC 8620 suggests at least. */
  sizeRequest: 10_000_000,
  concurrentRequests: 4,
  /** Requests beyond those, that wait for their turn; what comes after them is refused. */
  waitingRequests: 16,
  /** Downloads of an account that stand in memory as a whole (parts of uploads, of messages within messages), and those that wait. */
  concurrentHeld: 4,
  waitingHeld: 60,
  callsInRequest: 16,
  objectsInGet: 500,
  objectsInSet: 500,
  /** Ids of a query's answer. */
  queryLimit: 5000,
  /** Conditions of a filter, comparators of a sort. */
  filterConditions: 100,
  filterDepth: 20,
  sortComparators: 10,
  /** Values in one request, and names in one object of it: what is looked at in one go must not take long. */
  valuesInRequest: 250_000,
  namesInObject: 10_000,
  /** Values that back-references of one request may look at and copy. */
  referencedValues: 100_000,
  /** Characters of a path (JSON Pointer). */
  pathLength: 1000,
  /** Characters of a text that is looked for. */
  searchedText: 10_000,
  /** Octets of a body value in Email/get, whatever is asked for. */
  bodyValueBytes: 5_000_000,
  /** Octets of all bodies and header fields in the answer to one call. */
  answerBodyBytes: 50_000_000,
  /** Octets of the answers to all calls of a request: they stand in memory as one text. */
  answerBytes: 100_000_000,
  /** Properties that a call names; each way of writing a header field's name is one. */
  properties: 250,
  /** Octets of a message that Email/parse reads. */
  parseBytes: 50_000_000,
  /** Octets of attachments of a message that is made here, as far as messages may be large enough for them in base64. */
  attachmentsBytes: 50_000_000,
  attachmentsShare: 0.7,
  /** Octets of one level of a mailbox's name: some room is left for what stands above. */
  mailboxNameBytes: MAX_NAME_BYTES / 2,
  /** Streams of events of one account. */
  eventStreams: 20,
  /** Seconds between two signs of life of an event stream. */
  pingSeconds: { least: 5, most: 900, usual: 30 },
  /** Octets of Blob/get data, and sources of Blob/upload (RFC 9404). */
  blobGetBytes: 5_000_000,
  blobUploadSources: 64,
  identities: 100,
  /** WebSockets of one account. */
  sockets: 20,
  /** Push subscriptions of one account. */
  pushSubscriptions: 50,
} as const;

export const CAPABILITY = {
  core: 'urn:ietf:params:jmap:core',
  mail: 'urn:ietf:params:jmap:mail',
  submission: 'urn:ietf:params:jmap:submission',
  vacation: 'urn:ietf:params:jmap:vacationresponse',
  blob: 'urn:ietf:params:jmap:blob',
  quota: 'urn:ietf:params:jmap:quota',
  sieve: 'urn:ietf:params:jmap:sieve',
} as const;

/** What the server as a whole has, beside the types of data (RFC 8887 section 3, RFC 9749 section 3). */
export const SESSION_CAPABILITY = {
  websocket: 'urn:ietf:params:jmap:websocket',
  webPush: 'urn:ietf:params:jmap:webpush-vapid',
} as const;

export type Capability = (typeof CAPABILITY)[keyof typeof CAPABILITY];
