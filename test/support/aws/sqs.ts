import { hash } from 'node:crypto';
import type { Core } from './internal.ts';
import { lastSegment, ServiceError } from './internal.ts';
import { allows } from './policy.ts';
import type { QueueFacts, SqsControl } from './types.ts';

export interface SqsMessage {
  readonly id: string;
  readonly body: string;
  readonly md5: string;
  readonly sentAt: number;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  /** Not handed out before, milliseconds since the epoch. */
  visibleAt: number;
  receives: number;
  firstReceivedAt: number | undefined;
  /** The newest is the one that counts, all of them delete. */
  receipts: string[];
  /** Times it may still be handed out although hidden. */
  doubles: number;
}

export interface MessageAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

export interface Queue extends QueueFacts {
  attributes: Record<string, string>;
  messages: SqsMessage[];
  readonly createdAt: number;
  /** Woken when something may have become visible. */
  readonly waiting: Set<() => void>;
}

export interface Sqs {
  readonly queues: Map<string, Queue>;
  create(name: string, attributes: Record<string, string>): Queue;
  /** By name, URL or ARN; throws as SQS does. */
  find(name: string): Queue;
  send(
    queue: Queue,
    body: string,
    options?: { delaySeconds?: number; attributes?: Record<string, MessageAttribute> },
  ): SqsMessage;
  receive(
    queue: Queue,
    options: { max: number; waitSeconds: number; visibilitySeconds: number; signal: AbortSignal },
  ): Promise<SqsMessage[]>;
  /** What is gone already is no error. */
  remove(queue: Queue, receipt: string): void;
  hide(queue: Queue, receipt: string, seconds: number): void;
  /** SNS sends, if the queue's policy lets it; throws otherwise. */
  sendFromTopic(arn: string, topicArn: string, body: string): void;
  readonly control: SqsControl;
}

const DEFAULTS: Readonly<Record<string, string>> = {
  VisibilityTimeout: '30',
  MaximumMessageSize: '1048576',
  MessageRetentionPeriod: '345600',
  DelaySeconds: '0',
  ReceiveMessageWaitTimeSeconds: '0',
  SqsManagedSseEnabled: 'true',
};

export function createSqs(core: Core): Sqs {
  const queues = new Map<string, Queue>();
  const wake = (queue: Queue): void => {
    for (const resume of queue.waiting) resume();
  };
  const sqs: Sqs = {
    queues,
    create(name, attributes) {
      const existing = queues.get(name);
      if (existing !== undefined) return existing;
      const queue: Queue = {
        name,
        get url() {
          return `${core.endpoint()}/${core.accountId}/${name}`;
        },
        arn: `arn:aws:sqs:${core.region}:${core.accountId}:${name}`,
        attributes: { ...DEFAULTS, ...attributes },
        messages: [],
        createdAt: Date.now(),
        waiting: new Set(),
      };
      queues.set(name, queue);
      return queue;
    },
    find(name) {
      const queue = queues.get(lastSegment(name));
      if (queue === undefined) throw nonExistent();
      return queue;
    },
    send(queue, body, options = {}) {
      const delay = options.delaySeconds ?? Number(queue.attributes['DelaySeconds'] ?? 0);
      const message: SqsMessage = {
        id: crypto.randomUUID(),
        body,
        md5: hash('md5', body),
        sentAt: Date.now(),
        attributes: options.attributes ?? {},
        visibleAt: Date.now() + core.scaled(delay),
        receives: 0,
        firstReceivedAt: undefined,
        receipts: [],
        doubles: control.duplicates,
      };
      queue.messages.push(message);
      wake(queue);
      return message;
    },
    async receive(queue, options) {
      const deadline = Date.now() + core.scaled(options.waitSeconds);
      for (;;) {
        const found = options.signal.aborted ? [] : take(core, sqs, queue, options);
        const left = deadline - Date.now();
        if (found.length > 0 || left <= 0 || options.signal.aborted || core.closing.aborted) return found;
        await somethingVisible(core, queue, left, options.signal);
      }
    },
    remove(queue, receipt) {
      checkReceipt(receipt);
      queue.messages = queue.messages.filter((message) => !message.receipts.includes(receipt));
    },
    hide(queue, receipt, seconds) {
      checkReceipt(receipt);
      const message = queue.messages.find(({ receipts }) => receipts.includes(receipt));
      if (message === undefined) {
        throw new ServiceError(
          400,
          'InvalidParameterValue',
          `Value ${receipt} for parameter ReceiptHandle is invalid.`,
        );
      }
      if (message.visibleAt <= Date.now()) {
        throw new ServiceError(400, 'MessageNotInflight', 'The message referred to is not in flight.');
      }
      message.visibleAt = Date.now() + core.scaled(seconds);
      message.doubles = 0;
      wake(queue);
    },
    sendFromTopic(arn, topicArn, body) {
      const queue = [...queues.values()].find((each) => each.arn === arn);
      if (queue === undefined) throw nonExistent();
      const allowed = allows(queue.attributes['Policy'], {
        service: 'sns.amazonaws.com',
        action: 'sqs:SendMessage',
        resource: queue.arn,
        context: { 'aws:sourcearn': topicArn, 'aws:sourceaccount': core.accountId },
      });
      if (!allowed)
        throw new ServiceError(403, 'AccessDenied', `The policy of ${arn} does not let ${topicArn} send`);
      sqs.send(queue, body);
    },
    get control() {
      return control;
    },
  };
  const control = createControl(sqs, wake);
  return sqs;
}

function createControl(sqs: Sqs, wake: (queue: Queue) => void): SqsControl {
  return {
    createQueue(name, { attributes = {}, allowTopic } = {}) {
      const queue = sqs.create(name, attributes);
      if (allowTopic !== undefined) queue.attributes['Policy'] = topicPolicy(queue.arn, allowTopic);
      return queue;
    },
    queue: (name) => sqs.find(name),
    send: (name, body) => sqs.send(sqs.find(name), body).id,
    messages: (name) =>
      sqs.find(name).messages.map(({ id, body, receives, sentAt, visibleAt }) => {
        return { id, body, receives, sentAt, hidden: visibleAt > Date.now() };
      }),
    reveal(name) {
      const queue = sqs.find(name);
      for (const message of queue.messages) message.visibleAt = 0;
      wake(queue);
    },
    purge(name) {
      sqs.find(name).messages = [];
    },
    duplicates: 0,
  };
}

function topicPolicy(queueArn: string, topicArn: string): string {
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Service: 'sns.amazonaws.com' },
        Action: 'sqs:SendMessage',
        Resource: queueArn,
        Condition: { ArnLike: { 'aws:SourceArn': topicArn } },
      },
    ],
  });
}

export function nonExistent(): ServiceError {
  return new ServiceError(400, 'QueueDoesNotExist', 'The specified queue does not exist.');
}

const RECEIPT = 'AQEB';

function checkReceipt(receipt: string): void {
  if (!receipt.startsWith(RECEIPT)) {
    throw new ServiceError(
      400,
      'ReceiptHandleIsInvalid',
      `The input receipt handle "${receipt}" is not valid.`,
    );
  }
}

/** Hand out what is visible; what was received too often goes to the dead-letter queue instead. */
function take(
  core: Core,
  sqs: Sqs,
  queue: Queue,
  options: { max: number; visibilitySeconds: number },
): SqsMessage[] {
  const now = Date.now();
  const redrive = redriveOf(queue);
  const taken: SqsMessage[] = [];
  for (const message of queue.messages) {
    if (taken.length === options.max) break;
    const doubled = message.visibleAt > now && message.receives > 0 && message.doubles > 0;
    if (message.visibleAt > now && !doubled) continue;
    if (redrive !== undefined && message.receives >= redrive.maxReceiveCount) {
      queue.messages = queue.messages.filter((each) => each !== message);
      const target = sqs.queues.get(lastSegment(redrive.deadLetterTargetArn));
      // The message keeps its id, its age and its count of receives.
      target?.messages.push({
        ...message,
        visibleAt: now,
        receipts: [],
        firstReceivedAt: undefined,
      });
      for (const resume of target?.waiting ?? []) resume();
      continue;
    }
    if (doubled) message.doubles--;
    message.receives++;
    message.firstReceivedAt ??= now;
    message.visibleAt = now + core.scaled(options.visibilitySeconds);
    message.receipts.push(RECEIPT + Buffer.from(`${queue.name} ${crypto.randomUUID()}`).toString('base64'));
    taken.push(message);
  }
  return taken;
}

function redriveOf(queue: Queue): { deadLetterTargetArn: string; maxReceiveCount: number } | undefined {
  const text = queue.attributes['RedrivePolicy'];
  if (text === undefined || text === '') return undefined;
  const policy = JSON.parse(text) as { deadLetterTargetArn?: string; maxReceiveCount?: number | string };
  return {
    deadLetterTargetArn: policy.deadLetterTargetArn ?? '',
    maxReceiveCount: Number(policy.maxReceiveCount ?? Infinity),
  };
}

/** Until a message is sent or shown, the next hidden one becomes visible, the time is over or the client is gone. */
function somethingVisible(core: Core, queue: Queue, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const next = Math.min(...queue.messages.map(({ visibleAt }) => visibleAt - Date.now()), ms);
    const done = (): void => {
      cancel();
      queue.waiting.delete(done);
      signal.removeEventListener('abort', done);
      core.closing.removeEventListener('abort', done);
      resolve();
    };
    const cancel = core.later(Math.max(1, next), false, done);
    queue.waiting.add(done);
    signal.addEventListener('abort', done);
    core.closing.addEventListener('abort', done);
  });
}
