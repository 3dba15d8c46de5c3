import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { JournalData } from '../../../data/journal/types.ts';
import type { QueueEntry } from '../../../data/queue/reads.ts';
import { type AdminContext, operation } from './operation.ts';
import { waySentences } from '../way-words.ts';
import { domainName, journalRow, queueId, queueMessage, rowsInWords } from './schemas.ts';

/** Messages listed at once unless told otherwise, and at most. */
const LIST_DEFAULT = 100;
const LIST_MAX = 1000;

const byId = z.strictObject({ queueId });
const moved = z.object({ count: z.number() });

function view({ message, recipients }: QueueEntry): z.input<typeof queueMessage> {
  const { holdReason } = message;
  return {
    ...message,
    ...(holdReason !== undefined && { holdWords: waySentences(holdReason) }),
    recipients,
  };
}

const list = operation({
  method: 'GET',
  path: '/queue',
  summary: 'Messages in the queue, oldest first; `next` continues a list that was cut',
  access: 'administrator',
  input: z.strictObject({
    state: z.enum(['queued', 'leased', 'held', 'delivered', 'failed', 'dropped']).optional(),
    destination: domainName.optional(),
    /** Part of the sender's or a recipient's address; part of anything shown of a message. */
    address: z.string().min(1).max(320).optional(),
    text: z.string().min(1).max(320).optional(),
    limit: z.coerce.number<number | string>().int().min(1).max(LIST_MAX).default(LIST_DEFAULT),
    after: z.coerce.number<number | string>().int().min(0).default(0),
  }),
  output: z.object({ messages: z.array(queueMessage), next: z.number().optional() }),
  async run({ store }, { state, destination, limit, after, ...words }) {
    const where = {
      ...(state !== undefined && { state }),
      ...(destination !== undefined && { destination: destination.toLowerCase() }),
    };
    const wanted = matcher(words);
    const messages: ReturnType<typeof view>[] = [];
    let place = after;
    for (let looked = 0; looked < LOOKED; looked += LIST_MAX) {
      const size = wanted === undefined ? limit + 1 : LIST_MAX;
      const entries = await store.read.run('queue.list', { limit: size, after: place, ...where });
      for (const entry of entries) {
        if (messages.length >= limit) return { messages, next: place };
        place = entry.message.id;
        if (wanted === undefined || wanted(entry)) messages.push(view(entry));
      }
      if (entries.length < size) return { messages };
    }
    return { messages, next: place };
  },
});

/** Messages looked through in one request when words are given. */
const LOOKED = 20_000;

interface Words {
  readonly address?: string | undefined;
  readonly text?: string | undefined;
}

/** Undefined: every message is wanted. */
function matcher({ address, text }: Words): ((entry: QueueEntry) => boolean) | undefined {
  if (address === undefined && text === undefined) return undefined;
  const [name, words] = [address?.toLowerCase(), text?.toLowerCase()];
  return ({ message, recipients }) => {
    const addresses = [message.reversePath, ...recipients.map((one) => one.address)];
    if (name !== undefined && !addresses.some((one) => one.toLowerCase().includes(name))) return false;
    if (words === undefined) return true;
    const { queueId: id, trace, messageId, holdReason, origin } = message;
    const replies = recipients.flatMap(({ lastReply, lastHost }) => [lastReply, lastHost]);
    return [...addresses, id, trace, messageId, holdReason, origin, ...replies].some(
      (one) => one?.toLowerCase().includes(words) === true,
    );
  };
}

const transcript = operation({
  method: 'GET',
  path: '/queue/:queueId/transcript',
  summary: 'What happened to a message so far: every attempt with what the other host said',
  access: 'administrator',
  input: byId.extend({ words: z.stringbool().optional() }),
  output: z.object({ events: z.array(journalRow) }),
  async run({ store }, { words, ...input }) {
    const entry = await store.read.run('queue.show', input);
    if (entry === undefined)
      throw new Refusal('not-found', `No message in the queue has the id ${input.queueId}.`);
    const all = await store.read.run('journal.byTrace', { trace: entry.message.trace });
    const mine = ({ data }: { data: JournalData }): boolean =>
      typeof data['queueId'] !== 'string' || data['queueId'] === input.queueId;
    return { events: rowsInWords(all.filter(mine), words) };
  },
});

const show = operation({
  method: 'GET',
  path: '/queue/:queueId',
  summary: 'One message with all its recipients',
  access: 'administrator',
  input: byId,
  output: z.object({ message: queueMessage }),
  async run({ store }, input) {
    const entry = await store.read.run('queue.show', input);
    if (entry === undefined) {
      throw new Refusal('not-found', `No message in the queue has the id ${input.queueId}.`);
    }
    return { message: view(entry) };
  },
});

const retryAll = operation({
  method: 'POST',
  path: '/queue/retry',
  summary: 'Try everything that waits now, or what waits for one domain',
  access: 'administrator',
  input: z.strictObject({ destination: domainName.optional() }),
  output: moved,
  run({ store }, { destination }, actor) {
    const args = { actor, queueId: null };
    return store.write.run(
      'queue.retry',
      destination === undefined ? args : { ...args, destination: destination.toLowerCase() },
    );
  },
});

/**
 * Where all outgoing mail is held there is no way out: a release would only make an attempt that fails. What is for
 * a domain that became ours meanwhile is delivered here and may go. Refusal 'conflict'.
 */
async function refuseWhereHeld(
  { store, facts }: AdminContext,
  { queueId: id }: { queueId: string },
): Promise<void> {
  const reason = facts.outgoingHeld?.();
  if (reason === undefined) return;
  const entry = await store.read.run('queue.show', { queueId: id });
  const held = entry?.recipients.filter(({ state }) => state === 'held') ?? [];
  for (const name of new Set(held.map(({ destination }) => destination))) {
    if ((await store.read.run('directory.domain', { name })) === undefined)
      throw new Refusal('conflict', `${id} cannot be released: ${reason}.`);
  }
}

/** The operations that move the recipients of one message and say how many. */
function change(
  name: string,
  summary: string,
  run: (context: AdminContext, input: { queueId: string }, actor: Actor) => Promise<{ count: number }>,
) {
  return operation({
    method: 'POST',
    path: `/queue/:queueId/${name}`,
    summary,
    access: 'administrator',
    input: byId,
    output: moved,
    run,
  });
}

const retry = change('retry', 'Try a message now', ({ store }, input, actor) =>
  store.write.run('queue.retry', { actor, queueId: input.queueId }),
);
const release = change('release', 'Let a held message go on', async (context, input, actor) => {
  await refuseWhereHeld(context, input);
  return context.store.write.run('queue.release', { actor, ...input });
});
const drop = change('drop', 'Forget a message without telling its sender', ({ store }, input, actor) =>
  store.write.run('queue.drop', { actor, ...input }),
);
const bounce = change('bounce', 'Give a message up and tell its sender', ({ store }, input, actor) =>
  store.write.run('queue.bounce', { actor, ...input }),
);

const hold = operation({
  method: 'POST',
  path: '/queue/:queueId/hold',
  summary: 'Keep a message from being sent until it is released',
  access: 'administrator',
  input: z.strictObject({ queueId, reason: z.string().max(500).default('') }),
  output: moved,
  run({ store }, { queueId: id, reason }, actor) {
    const words = reason === '' ? `held by ${actor.name}` : reason;
    return store.write.run('queue.hold', { actor, queueId: id, reason: words });
  },
});

export const queue = { list, show, transcript, retryAll, retry, hold, release, drop, bounce };
