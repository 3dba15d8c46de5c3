import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type JmapClient, jmapClient } from '../jmap/client.ts';
import { skipUnlessLong } from '../support/programs.ts';
import { storeViolations } from '../support/server.ts';
import { startTryServer, type TryServer } from '../support/try-server.ts';

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 4);
const WRITERS = 3;
/** Milliseconds a server lives after its first answer. */
const ALIVE_MS = { least: 1500, more: 2500 };
/** Seconds a message waits, at most. */
const HOLD_S = 3;
const PASSWORD = 'postern';

interface Later {
  readonly subject: string;
  /** Undefined where nobody was told that it was taken. */
  id?: string;
  canceled: 'not asked' | 'yes' | 'too late' | 'no answer';
}

/** A draft and its submission, in one request. */
async function submit(bob: JmapClient, drafts: string, subject: string): Promise<string> {
  const from = 'bob@example.test';
  const draft = {
    mailboxIds: { [drafts]: true },
    keywords: { $draft: true },
    subject,
    from: [{ email: from }],
    to: [{ email: 'alice@example.test' }],
    textBody: [{ partId: '1' }],
    bodyValues: { 1: { value: 'later' } },
  };
  const parameters = { HOLDFOR: String(1 + Math.floor(Math.random() * HOLD_S)) };
  const rcptTo = [{ email: 'alice@example.test', parameters: null }];
  const envelope = { mailFrom: { email: from, parameters }, rcptTo };
  const { accountId } = bob;
  const answers = await bob.calls(
    ['Email/set', { accountId, create: { d: draft } }],
    ['EmailSubmission/set', { accountId, create: { s: { identityId: 'I0', emailId: '#d', envelope } } }],
  );
  return String(answers[1]?.[1]['created'].s.id);
}

async function cancel(bob: JmapClient, id: string): Promise<'yes' | 'too late'> {
  const answer = await bob.call('EmailSubmission/set', { update: { [id]: { undoStatus: 'canceled' } } });
  return Object.keys((answer['updated'] as object | null) ?? {}).includes(id) ? 'yes' : 'too late';
}

/** Submits, and takes every other one back sooner or later, until the server is gone. */
async function write(server: TryServer, label: string, all: Later[], onAnswer: () => void): Promise<void> {
  const bob = await jmapClient(server, 'bob@example.test', PASSWORD, 100);
  const boxes = (await bob.call('Mailbox/get', { ids: null }))['list'] as Answer[];
  const drafts = String(boxes.find(({ role }) => role === 'drafts')?.['id']);
  const cancels: Promise<unknown>[] = [];
  for (let n = 0; ; n++) {
    const later: Later = { subject: `${label}-${n}`, canceled: 'not asked' };
    all.push(later);
    const id = await submit(bob, drafts, later.subject).catch(() => undefined);
    if (id === undefined) break;
    later.id = id;
    onAnswer();
    if (n % 2 === 0) continue;
    cancels.push(
      (async () => {
        await sleep(Math.random() * HOLD_S * 1000);
        later.canceled = 'no answer';
        later.canceled = await cancel(bob, id);
      })().catch(() => undefined),
    );
  }
  await Promise.all(cancels);
}

/** What is wrong with one message, when everything has come to its end. */
function wrong(
  { subject, id, canceled }: Later,
  arrived: number,
  status: string | undefined,
): string | undefined {
  const say = (why: string): string =>
    `${subject} (taken back: ${canceled}, it is ${status ?? 'unknown'}) ${why}, ${arrived} arrived`;
  if (arrived > 1) return say('doubled');
  if (id === undefined) return undefined;
  if (status === undefined) return say('is forgotten');
  if (canceled === 'yes' && status !== 'canceled') return say('said that it was taken back');
  if (canceled !== 'yes' && canceled !== 'no answer' && status !== 'final') return say('never left');
  return arrived === (status === 'canceled' ? 0 : 1) ? undefined : say('is not what its state says');
}

const NAME = 'SIGKILL while mail waits, leaves and is taken back: what was told is so';

it(NAME, { skip: skipUnlessLong() }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
  let server: TryServer | undefined;
  t.after(async () => {
    await server?.end('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });
  const all: Later[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    server = await startTryServer({ directory });
    const running = server;
    const { promise, resolve } = Promise.withResolvers<void>();
    const writers = Array.from({ length: WRITERS }, (_, w) => write(running, `r${round}w${w}`, all, resolve));
    await promise;
    await sleep(ALIVE_MS.least + Math.random() * ALIVE_MS.more);
    assert.equal(await server.end('SIGKILL'), null);
    await Promise.all(writers);
  }
  server = await startTryServer({ directory });
  const bob = await jmapClient(server, 'bob@example.test', PASSWORD, 100);
  const alice = await jmapClient(server, 'alice@example.test', PASSWORD, 100);
  for (;;) {
    const { ids } = await bob.call('EmailSubmission/query', { filter: { undoStatus: 'pending' } });
    if ((ids as string[]).length === 0 && (await server.metric('postern_queue_recipients')) === 0) break;
    await sleep(200);
  }
  const states = new Map<string, string>();
  const ids = all.flatMap(({ id }) => id ?? []);
  for (let at = 0; at < ids.length; at += 200) {
    const { list } = await bob.call('EmailSubmission/get', { ids: ids.slice(at, at + 200) });
    for (const { id, undoStatus } of list as Answer[]) states.set(id as string, undoStatus as string);
  }
  const arrived = new Map<string, number>();
  for (let position = 0; ; ) {
    const found = (await alice.call('Email/query', { position, limit: 200 }))['ids'] as string[];
    if (found.length === 0) break;
    position += found.length;
    const { list } = await alice.call('Email/get', { ids: found, properties: ['subject'] });
    for (const { subject } of list as Answer[]) arrived.set(subject, (arrived.get(subject) ?? 0) + 1);
  }
  const faults = all.flatMap(
    (each) =>
      wrong(each, arrived.get(each.subject) ?? 0, each.id === undefined ? undefined : states.get(each.id)) ??
      [],
  );
  assert.deepEqual(faults, []);
  assert.equal(await server.end('SIGTERM'), 0);
  assert.deepEqual(await storeViolations(directory), []);
  const told = all.filter(({ canceled }) => canceled === 'yes').length;
  assert.ok(told > 0 && ids.length > told, `${told} of ${ids.length} taken back`);
  t.diagnostic(`report: ${ROUNDS} kills, ${all.length} messages, ${ids.length} answered, ${told} taken back`);
});
