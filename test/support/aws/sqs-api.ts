import { hash } from 'node:crypto';
import type { Answer, Incoming, Prepared, ServiceModule } from './internal.ts';
import { lastSegment, malformed, ServiceError } from './internal.ts';
import type { MessageAttribute, Queue, Sqs, SqsMessage } from './sqs.ts';
import { type JsonObject, numberIn, readJson, text, optionalText, stringMap } from './json.ts';

type Operation = (input: JsonObject, signal: AbortSignal) => JsonObject | Promise<JsonObject>;

/** Members each operation takes; "!" marks those that must be there. */
const MEMBERS: Readonly<Record<string, string>> = {
  CreateQueue: 'QueueName! Attributes tags',
  GetQueueUrl: 'QueueName! QueueOwnerAWSAccountId',
  ListQueues: 'QueueNamePrefix MaxResults NextToken',
  DeleteQueue: 'QueueUrl!',
  PurgeQueue: 'QueueUrl!',
  GetQueueAttributes: 'QueueUrl! AttributeNames',
  SetQueueAttributes: 'QueueUrl! Attributes!',
  SendMessage: 'QueueUrl! MessageBody! DelaySeconds MessageAttributes MessageSystemAttributes',
  SendMessageBatch: 'QueueUrl! Entries!',
  ReceiveMessage:
    'QueueUrl! AttributeNames MessageSystemAttributeNames MessageAttributeNames MaxNumberOfMessages VisibilityTimeout WaitTimeSeconds ReceiveRequestAttemptId',
  DeleteMessage: 'QueueUrl! ReceiptHandle!',
  DeleteMessageBatch: 'QueueUrl! Entries!',
  ChangeMessageVisibility: 'QueueUrl! ReceiptHandle! VisibilityTimeout!',
  ChangeMessageVisibilityBatch: 'QueueUrl! Entries!',
};

/** What older clients know these errors by. */
const QUERY_CODES: Readonly<Record<string, string>> = {
  QueueDoesNotExist: 'AWS.SimpleQueueService.NonExistentQueue',
  MessageNotInflight: 'AWS.SimpleQueueService.MessageNotInflight',
  EmptyBatchRequest: 'AWS.SimpleQueueService.EmptyBatchRequest',
  TooManyEntriesInBatchRequest: 'AWS.SimpleQueueService.TooManyEntriesInBatchRequest',
  BatchEntryIdsNotDistinct: 'AWS.SimpleQueueService.BatchEntryIdsNotDistinct',
  QueueNameExists: 'QueueAlreadyExists',
};

const JSON_TYPE = 'application/x-amz-json-1.0';

/** SQS's JSON protocol. */
export function sqsModule(sqs: Sqs): ServiceModule {
  const operations = createOperations(sqs);
  return {
    prepare(request: Incoming): Prepared {
      const target = String(request.headers['x-amz-target'] ?? '');
      const name = target.replace(/^AmazonSQS\./, '');
      const json = safely(() => readJson(request.body));
      return {
        operation: name === '' ? 'Unknown' : name,
        resource:
          typeof json === 'object' ? lastSegment(String(json['QueueUrl'] ?? json['QueueName'] ?? '')) : '',
        async run(): Promise<Answer> {
          const operation = operations[name];
          if (operation === undefined || !target.startsWith('AmazonSQS.') || request.method !== 'POST') {
            throw malformed(
              'UnknownOperationException',
              `${request.method} ${target} is no operation of SQS`,
            );
          }
          if (request.headers['content-type'] !== JSON_TYPE) {
            throw malformed('SerializationException', `Content type is not ${JSON_TYPE}`);
          }
          const input = readJson(request.body);
          checkMembers(name, input);
          const body = JSON.stringify(await operation(input, request.signal));
          return { status: 200, headers: { 'content-type': JSON_TYPE }, body };
        },
      };
    },
    renderError(error, requestId) {
      const query = QUERY_CODES[error.code] ?? error.code;
      return {
        status: error.status,
        headers: {
          'content-type': JSON_TYPE,
          'x-amzn-requestid': requestId,
          'x-amzn-query-error': `${query};${error.status >= 500 ? 'Receiver' : 'Sender'}`,
        },
        body: JSON.stringify({ __type: `com.amazonaws.sqs#${error.code}`, message: error.message }),
      };
    },
  };
}

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function checkMembers(operation: string, input: JsonObject): void {
  const members = (MEMBERS[operation] ?? '').split(' ');
  for (const member of members) {
    if (member.endsWith('!') && input[member.slice(0, -1)] === undefined) {
      throw malformed('MissingParameter', `The request must contain the parameter ${member.slice(0, -1)}.`);
    }
  }
  for (const name of Object.keys(input)) {
    if (!members.includes(name) && !members.includes(`${name}!`)) {
      throw malformed('InvalidParameterValue', `${operation} has no parameter ${name}`);
    }
  }
}

function createOperations(sqs: Sqs): Record<string, Operation | undefined> {
  const queueOf = (input: JsonObject): Queue => sqs.find(text(input, 'QueueUrl'));
  const send = (queue: Queue, input: JsonObject): JsonObject => {
    const body = text(input, 'MessageBody');
    const limit = Number(queue.attributes['MaximumMessageSize']);
    if (body === '')
      throw malformed('MissingParameter', 'The request must contain the parameter MessageBody.');
    if (Buffer.byteLength(body) > limit) {
      throw new ServiceError(
        400,
        'InvalidParameterValue',
        `One or more parameters are invalid. Reason: Message must be shorter than ${limit} bytes.`,
      );
    }
    const delay = numberIn(input, 'DelaySeconds', 0, 900);
    const attributes = (input['MessageAttributes'] ?? {}) as Record<string, MessageAttribute>;
    const message = sqs.send(queue, body, {
      attributes,
      ...(delay === undefined ? {} : { delaySeconds: delay }),
    });
    return {
      MessageId: message.id,
      MD5OfMessageBody: message.md5,
      ...(Object.keys(attributes).length === 0
        ? {}
        : { MD5OfMessageAttributes: md5OfAttributes(attributes) }),
    };
  };
  const hide = (queue: Queue, input: JsonObject): JsonObject => {
    sqs.hide(queue, text(input, 'ReceiptHandle'), numberIn(input, 'VisibilityTimeout', 0, 43_200) ?? 0);
    return {};
  };
  const remove = (queue: Queue, input: JsonObject): JsonObject => {
    sqs.remove(queue, text(input, 'ReceiptHandle'));
    return {};
  };
  return {
    CreateQueue(input) {
      const name = text(input, 'QueueName');
      if (!/^[\w-]{1,80}$/.test(name)) {
        throw malformed(
          'InvalidParameterValue',
          'Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length',
        );
      }
      return { QueueUrl: sqs.create(name, stringMap(input, 'Attributes')).url };
    },
    GetQueueUrl: (input) => ({ QueueUrl: sqs.find(text(input, 'QueueName')).url }),
    ListQueues(input) {
      const prefix = optionalText(input, 'QueueNamePrefix') ?? '';
      const urls = [...sqs.queues.values()]
        .filter(({ name }) => name.startsWith(prefix))
        .map(({ url }) => url);
      return urls.length === 0 ? {} : { QueueUrls: urls };
    },
    DeleteQueue(input) {
      sqs.queues.delete(queueOf(input).name);
      return {};
    },
    PurgeQueue(input) {
      queueOf(input).messages = [];
      return {};
    },
    GetQueueAttributes: (input) => ({
      Attributes: attributesOf(queueOf(input), names(input, 'AttributeNames')),
    }),
    SetQueueAttributes(input) {
      Object.assign(queueOf(input).attributes, stringMap(input, 'Attributes'));
      return {};
    },
    SendMessage: (input) => send(queueOf(input), input),
    SendMessageBatch: (input) => batch(input, (entry) => send(queueOf(input), entry)),
    async ReceiveMessage(input, signal) {
      const queue = queueOf(input);
      const messages = await sqs.receive(queue, {
        max: numberIn(input, 'MaxNumberOfMessages', 1, 10) ?? 1,
        waitSeconds:
          numberIn(input, 'WaitTimeSeconds', 0, 20) ??
          Number(queue.attributes['ReceiveMessageWaitTimeSeconds']),
        visibilitySeconds:
          numberIn(input, 'VisibilityTimeout', 0, 43_200) ?? Number(queue.attributes['VisibilityTimeout']),
        signal,
      });
      return messages.length === 0 ? {} : { Messages: messages.map((message) => received(message, input)) };
    },
    DeleteMessage: (input) => remove(queueOf(input), input),
    DeleteMessageBatch: (input) => batch(input, (entry) => remove(queueOf(input), entry)),
    ChangeMessageVisibility: (input) => hide(queueOf(input), input),
    ChangeMessageVisibilityBatch: (input) => batch(input, (entry) => hide(queueOf(input), entry)),
  };
}

function names(input: JsonObject, member: string): string[] {
  const value = input[member] ?? [];
  if (!Array.isArray(value)) throw malformed('SerializationException', `${member} is not a list`);
  return value.map(String);
}

function batch(input: JsonObject, each: (entry: JsonObject) => JsonObject): JsonObject {
  const entries = input['Entries'];
  if (!Array.isArray(entries) || entries.length === 0) {
    throw malformed('EmptyBatchRequest', 'There should be at least one entry in the request.');
  }
  if (entries.length > 10) {
    throw malformed('TooManyEntriesInBatchRequest', 'Maximum number of entries per request are 10.');
  }
  const successful: JsonObject[] = [];
  const failed: JsonObject[] = [];
  const ids = new Set<string>();
  for (const entry of entries as JsonObject[]) {
    const id = text(entry, 'Id');
    if (ids.has(id)) throw malformed('BatchEntryIdsNotDistinct', `Id ${id} repeated.`);
    ids.add(id);
    try {
      successful.push({ Id: id, ...each(entry) });
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      failed.push({ Id: id, Code: error.code, Message: error.message, SenderFault: true });
    }
  }
  return { Successful: successful, Failed: failed };
}

function attributesOf(queue: Queue, wanted: readonly string[]): Record<string, string> {
  const now = Date.now();
  const hidden = queue.messages.filter(({ visibleAt }) => visibleAt > now);
  const delayed = hidden.filter(({ receives }) => receives === 0).length;
  const all: Record<string, string> = {
    ...queue.attributes,
    QueueArn: queue.arn,
    ApproximateNumberOfMessages: String(queue.messages.length - hidden.length),
    ApproximateNumberOfMessagesNotVisible: String(hidden.length - delayed),
    ApproximateNumberOfMessagesDelayed: String(delayed),
    CreatedTimestamp: String(Math.floor(queue.createdAt / 1000)),
    LastModifiedTimestamp: String(Math.floor(queue.createdAt / 1000)),
  };
  const every = wanted.includes('All');
  return Object.fromEntries(Object.entries(all).filter(([name]) => every || wanted.includes(name)));
}

function received(message: SqsMessage, input: JsonObject): JsonObject {
  const wanted = [...names(input, 'AttributeNames'), ...names(input, 'MessageSystemAttributeNames')];
  const all: Record<string, string> = {
    SenderId: 'AIDAEMULATOR',
    SentTimestamp: String(message.sentAt),
    ApproximateReceiveCount: String(message.receives),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt ?? message.sentAt),
  };
  const attributes = Object.entries(all).filter(([name]) => wanted.includes('All') || wanted.includes(name));
  const custom = names(input, 'MessageAttributeNames').length > 0 ? message.attributes : {};
  return {
    MessageId: message.id,
    ReceiptHandle: message.receipts.at(-1) ?? '',
    MD5OfBody: message.md5,
    Body: message.body,
    ...(attributes.length === 0 ? {} : { Attributes: Object.fromEntries(attributes) }),
    ...(Object.keys(custom).length === 0
      ? {}
      : {
          MessageAttributes: custom as unknown as JsonObject,
          MD5OfMessageAttributes: md5OfAttributes(custom),
        }),
  };
}

/** As SQS's guide says: names in order; length and octets of name, type, and value with its kind between. */
function md5OfAttributes(attributes: Readonly<Record<string, MessageAttribute>>): string {
  const parts: Buffer[] = [];
  const add = (bytes: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  };
  for (const [name, value] of Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    add(Buffer.from(name));
    add(Buffer.from(value.DataType));
    const binary = value.DataType.startsWith('Binary');
    parts.push(Buffer.from([binary ? 2 : 1]));
    add(binary ? Buffer.from(value.BinaryValue ?? '', 'base64') : Buffer.from(value.StringValue ?? ''));
  }
  return hash('md5', Buffer.concat(parts));
}
