import { operations } from '../../../servers/http/admin/operations.ts';
import type { AdminQueueMessage } from '../../../servers/http/admin/schemas.ts';
import { type Call, type CliCommand, type CliIo, type Outcome, said, UsageError } from '../command.ts';
import { facts, fit, plain } from '../plain-text.ts';
import { sizeText, spanText, timeText } from '../quantities.ts';
import { confirm } from '../prompt.ts';

const { queue } = operations;
const ID = { name: 'ID', help: 'the queue id, as "queue list" shows it' };
const STATES = ['queued', 'leased', 'held', 'delivered', 'failed', 'dropped'] as const;

type State = (typeof STATES)[number];
/** Those that are listed unless one is named. */
const UNSETTLED: readonly State[] = ['queued', 'leased', 'held'];

const STATE_WORDS: Readonly<Record<State, string>> = {
  queued: 'waiting',
  leased: 'being sent',
  held: 'held',
  delivered: 'delivered',
  failed: 'given up',
  dropped: 'dropped',
};

function sender(message: AdminQueueMessage): string {
  return message.reversePath === '' ? '(notification)' : plain(message.reversePath);
}

/** Two lines and more: the message, then who it waits for and why; with `wanted` the recipients in that state. */
function entryText(message: AdminQueueMessage, io: CliIo, wanted: State | undefined): string {
  const now = io.clock.now();
  const age = spanText(now - message.createdAt);
  const head = `${message.queueId}  ${sizeText(message.size)}  ${age} old  from ${sender(message)}`;
  const lines = message.recipients
    .filter(({ state }) => (wanted === undefined ? UNSETTLED.includes(state) : state === wanted))
    .flatMap(({ address, state, nextAt, attempts, lastReply }) => {
      const when =
        state !== 'queued'
          ? ''
          : nextAt <= now
            ? ', due now'
            : `, ${message.releaseAt === undefined ? 'next attempt' : 'to be sent'} in ${spanText(nextAt - now)}`;
      const tries = attempts === 0 ? '' : `, ${attempts} attempt(s)`;
      const why = lastReply === undefined ? [] : [`      ${plain(lastReply)}`];
      return [`    ${plain(address)}: ${STATE_WORDS[state]}${when}${tries}`, ...why];
    });
  const held = message.holdReason === undefined ? [] : [`    held: ${plain(message.holdReason)}`];
  // The first line is never cut: the id in it is for copying.
  return [head, ...[...held, ...lines].map((line) => fit(line, io.width))]
    .map((line) => `${line}\n`)
    .join('');
}

function changed(count: number, one: string, verb: string): string {
  return count === 0
    ? `Nothing of ${plain(one)} was ${verb}: nothing is in a state for that.`
    : `${plain(one)}: ${count} recipient(s) ${verb}.`;
}

function showText({ message }: { message: AdminQueueMessage }, io: CliIo): string {
  const time = (ms: number | undefined): string => (ms === undefined ? 'never' : timeText(ms, io.timeZone));
  const head = facts(
    [
      ['Queue id', message.queueId],
      ['Trace', message.trace],
      ['From', message.reversePath === '' ? '<> (notification)' : message.reversePath],
      ['Message-ID', message.messageId ?? 'none'],
      ['Size', sizeText(message.size)],
      ['Came', time(message.createdAt)],
      ...(message.releaseAt === undefined ? [] : [['To be sent', time(message.releaseAt)] as const]),
      ['Given up', time(message.expiresAt)],
      ['If it fails', message.mayBounce ? 'the sender is told' : 'nobody is told: the sender is not proven'],
      ...(message.holdReason === undefined ? [] : [['Held', message.holdReason] as const]),
    ],
    io.width,
  );
  const recipients = message.recipients.map((one) =>
    facts(
      [
        ['  To', one.address],
        ['  State', `${STATE_WORDS[one.state]}, ${one.attempts} attempt(s)`],
        ...(one.state === 'queued' ? [['  Next', time(one.nextAt)] as const] : []),
        ...(one.lastAt === undefined ? [] : [['  Last', time(one.lastAt)] as const]),
        ...(one.lastHost === undefined ? [] : [['  Host', one.lastHost] as const]),
        ...(one.lastReply === undefined || one.lastReply === '' ? [] : [['  Reply', one.lastReply] as const]),
      ],
      io.width,
    ),
  );
  return [head, ...recipients].join('\n');
}

const look: readonly CliCommand[] = [
  {
    words: ['queue', 'list'],
    summary: 'mail that waits to be sent',
    args: [],
    options: {
      state: { value: 'STATE', help: `only with a recipient that is ${STATES.join(', ')}` },
      to: { value: 'DOMAIN', help: 'only to this domain' },
      address: { value: 'TEXT', help: "part of the sender's or a recipient's address" },
      text: { value: 'TEXT', help: 'part of an id, an address, a reply or the reason it is held' },
      limit: { value: 'N', help: 'at most so many messages (100)' },
    },
    example: 'queue list --to example.net',
    async run({ admin, io, text }) {
      const [state, destination, limit] = [text('state'), text('to'), text('limit')];
      const [address, part] = [text('address'), text('text')];
      const words = {
        ...(address !== undefined && { address }),
        ...(part !== undefined && { text: part }),
      };
      const known = STATES.find((one) => one === state);
      if (state !== undefined && known === undefined)
        throw new UsageError(`"${plain(state)}" is no state: say ${STATES.join(', ')}`);
      const value = await admin.call(queue.list, {
        ...(known !== undefined && { state: known }),
        ...(destination !== undefined && { destination }),
        ...(limit !== undefined && { limit }),
        ...words,
      });
      const more =
        value.next === undefined ? '' : `\nThere is more: --limit ${value.messages.length * 10}.\n`;
      const list = (): string =>
        value.messages.map((message) => entryText(message, io, known)).join('') + more;
      const none =
        known === undefined && destination === undefined && Object.keys(words).length === 0
          ? 'The queue is empty.\n'
          : 'Nothing in the queue is like that.\n';
      return { value, text: () => (value.messages.length === 0 ? none : list()) };
    },
  },
  {
    words: ['queue', 'transcript'],
    summary: 'what happened to a message so far: each attempt, and what the other host said',
    args: [ID],
    options: {},
    example: 'queue transcript 01ks4p7e2m5x8n3q6t',
    async run({ admin, io, arg }) {
      const value = await admin.call(queue.transcript, { queueId: arg(0) });
      const lines = value.events.map(({ at, kind, data }) =>
        plain(`${timeText(at, io.timeZone)}  ${kind}  ${JSON.stringify(data)}`),
      );
      return {
        value,
        text: () =>
          lines.length === 0 ? 'The journal knows nothing of it any more.\n' : `${lines.join('\n')}\n`,
      };
    },
  },
  {
    words: ['queue', 'show'],
    summary: 'everything about one message',
    args: [ID],
    options: {},
    example: 'queue show 01k2m3n4p5q6r7s8t9',
    async run({ admin, io, arg }) {
      const value = await admin.call(queue.show, { queueId: arg(0) });
      const trace = `\nWhat happened to it: postern trace ${plain(value.message.queueId)}\n`;
      return { value, text: () => showText(value, io) + trace };
    },
  },
];

async function retry({ admin, args, on, text }: Call): Promise<Outcome> {
  const [id, destination] = [args[0], text('to')];
  const ways = Number(id !== undefined) + Number(on('all')) + Number(destination !== undefined);
  if (ways !== 1) throw new UsageError('say what to retry: an ID, --to DOMAIN, or --all');
  const value =
    id === undefined
      ? await admin.call(queue.retryAll, destination === undefined ? {} : { destination })
      : await admin.call(queue.retry, { queueId: id });
  return said(changed(value.count, id ?? destination ?? 'the queue', 'due now'), value);
}

const change: readonly CliCommand[] = [
  {
    words: ['queue', 'retry'],
    summary: 'try now instead of later',
    args: [{ ...ID, optional: true }],
    options: {
      all: { help: 'everything that waits' },
      to: { value: 'DOMAIN', help: 'what waits for this domain' },
    },
    example: 'queue retry --to example.net',
    run: retry,
  },
  {
    words: ['queue', 'hold'],
    summary: 'keep a message from being sent',
    args: [ID],
    options: { reason: { value: 'TEXT', help: 'why, for whoever looks at it' } },
    example: 'queue hold 01k2m3n4p5q6r7s8t9 --reason "asked the sender"',
    async run({ admin, arg, text }) {
      const value = await admin.call(queue.hold, { queueId: arg(0), reason: text('reason') ?? '' });
      return said(changed(value.count, arg(0), 'held'), value);
    },
  },
  {
    words: ['queue', 'release'],
    summary: 'let a held message go on',
    args: [ID],
    options: {},
    example: 'queue release 01k2m3n4p5q6r7s8t9',
    async run({ admin, arg }) {
      const value = await admin.call(queue.release, { queueId: arg(0) });
      return said(changed(value.count, arg(0), 'released'), value);
    },
  },
  {
    words: ['queue', 'drop'],
    summary: 'forget a message; its sender is not told',
    details: 'Cannot be undone. To tell the sender, use "queue bounce".',
    args: [ID],
    options: { yes: { help: 'do not ask' } },
    example: 'queue drop 01k2m3n4p5q6r7s8t9',
    async run({ admin, io, arg, on }) {
      const question = `Drop ${plain(arg(0))} for good, without telling its sender?`;
      if (!on('yes') && !(await confirm(io, question))) throw new UsageError('not dropped');
      const value = await admin.call(queue.drop, { queueId: arg(0) });
      return said(changed(value.count, arg(0), 'dropped'), value);
    },
  },
  {
    words: ['queue', 'bounce'],
    summary: 'give a message up and tell its sender',
    args: [ID],
    options: { yes: { help: 'do not ask' } },
    example: 'queue bounce 01k2m3n4p5q6r7s8t9',
    async run({ admin, io, arg, on }) {
      const question = `Give ${plain(arg(0))} up and tell its sender?`;
      if (!on('yes') && !(await confirm(io, question))) throw new UsageError('not given up');
      const value = await admin.call(queue.bounce, { queueId: arg(0) });
      return said(changed(value.count, arg(0), 'given up'), value);
    },
  },
];

export const queueCommands: readonly CliCommand[] = [...look, ...change];
