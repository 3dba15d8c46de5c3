import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { said } from '../said.ts';
import { setupWords } from '../setup-words.ts';
import { Refusal } from '../../../base/errors.ts';
import { type JournalRow, terms } from '../../../data/journal/types.ts';
import { type AdminContext, operation } from './operation.ts';
import { address, journalRow } from './schemas.ts';
import { type Probe, PROBES_MAX, readSetup, saveSetup } from './setup-state.ts';

/** Test messages: one that goes out and is followed, one from elsewhere that is waited for. */

/** Milliseconds that a message from elsewhere is waited for. */
const EXPECT_MS = 24 * 3_600_000;
/** Events of one account that are looked through, the newest. */
const EVENTS = 2000;

const state = z.enum(['waiting', 'sent', 'arrived', 'deferred', 'failed']);

const send = operation({
  method: 'POST',
  path: '/setup/test-mail',
  summary: 'Send a test message as an account here, to see whether mail goes out',
  access: 'administrator',
  input: z.strictObject({ from: address, to: address.optional() }),
  output: z.object({ id: z.string(), to: z.string(), trace: z.string() }),
  audited: ({ from, to = from }) => ({ action: 'mail.test', subject: from, data: { to } }),
  async run(context, { from, to = from }) {
    const { probe, store, clock, facts } = context;
    if (probe === undefined) throw new Refusal('unavailable', 'Nothing is sent from here.');
    const account = await store.read.run('directory.account', { address: from });
    if (account === undefined) throw new Refusal('no-such-account', `There is no account ${from}.`);
    const id = newId();
    const subject = `Postern test ${id}`;
    const text = `This message shows that ${facts.hostname} can send mail.\n\nNobody needs to answer it.\n`;
    const { trace } = await probe.send({ from: account.address, to, subject, text });
    const made: Probe = { id, kind: 'send', at: clock.now(), address: account.address, to, subject, trace };
    await remember(context, made);
    return { id, to, trace };
  },
});

const expect = operation({
  method: 'POST',
  path: '/setup/test-mail/expect',
  summary: 'Wait for a message from elsewhere to an address here',
  access: 'administrator',
  input: z.strictObject({ address }),
  output: z.object({ id: z.string(), subject: z.string(), address: z.string(), until: z.number() }),
  async run(context, { address: name }) {
    const { store, clock } = context;
    const account = await store.read.run('directory.account', { address: name });
    if (account === undefined) throw new Refusal('no-such-account', `There is no account ${name}.`);
    const id = newId();
    const at = clock.now();
    const subject = `Postern test ${id}`;
    await remember(context, {
      id,
      kind: 'expect',
      at,
      address: account.address,
      to: account.address,
      subject,
    });
    return { id, subject, address: account.address, until: at + EXPECT_MS };
  },
});

const look = operation({
  method: 'GET',
  path: '/setup/test-mail/:id',
  summary: 'What became of a test message',
  access: 'administrator',
  input: z.strictObject({ id: z.string().regex(/^[0-9a-f]{12}$/) }),
  output: z.object({
    id: z.string(),
    state,
    sentence: z.string(),
    words: said.optional(),
    events: z.array(journalRow),
  }),
  async run(context, { id }) {
    const found = (await readSetup(context.store)).probes.find((one) => one.id === id);
    if (found === undefined) throw new Refusal('not-found', 'There is no such test message.');
    const outcome = found.kind === 'send' ? await outcomeOf(context, found) : await arrivalOf(context, found);
    if (outcome.state === 'arrived' && found.arrivedAt === undefined) await arrived(context, found);
    return { id, ...outcome, words: setupWords.of(outcome.sentence) };
  },
});

function newId(): string {
  return randomBytes(6).toString('hex');
}

async function remember({ store }: AdminContext, made: Probe): Promise<void> {
  await saveSetup(store, (before) => ({
    ...before,
    probes: [made, ...before.probes].slice(0, PROBES_MAX),
  }));
}

async function arrived({ store, clock }: AdminContext, found: Probe): Promise<void> {
  const at = clock.now();
  await saveSetup(store, (before) => ({
    ...before,
    probes: before.probes.map((one) => (one.id === found.id ? { ...one, arrivedAt: at } : one)),
    // A message to oneself shows nothing of the way to others.
    ...(found.kind === 'expect' && { receivedAt: at }),
    ...(found.kind === 'send' && found.to !== found.address && { sentAt: at }),
  }));
}

interface Outcome {
  state: z.output<typeof state>;
  sentence: string;
  events: JournalRow[];
}

async function outcomeOf({ store }: AdminContext, { trace = '', to }: Probe): Promise<Outcome> {
  const events = await store.read.run('journal.byTrace', { trace });
  const last = (kind: string): JournalRow | undefined => events.findLast((event) => event.kind === kind);
  const reply = (event: JournalRow): string =>
    typeof event.data['reply'] === 'string' ? `: ${event.data['reply']}` : '.';
  const delivered = last('delivery.delivered') ?? last('message.deposited');
  const failed = last('delivery.failed');
  const deferred = last('delivery.deferred');
  if (delivered !== undefined)
    return { state: 'arrived', sentence: `The host of ${to} has taken it.`, events };
  if (failed !== undefined)
    return { state: 'failed', sentence: `It could not be delivered${reply(failed)}`, events };
  if (deferred !== undefined)
    return {
      state: 'deferred',
      sentence: `It was put off and will be tried again${reply(deferred)}`,
      events,
    };
  return { state: 'sent', sentence: 'It is on its way.', events };
}

async function arrivalOf({ store, clock }: AdminContext, found: Probe): Promise<Outcome> {
  const { address: name, at } = found;
  const to = at + EXPECT_MS;
  const { rows } = await store.read.run('journal.search', {
    terms: [terms.address(name)],
    from: at,
    to,
    limit: EVENTS,
  });
  const deposited = new Set(
    rows.filter(({ kind }) => kind === 'message.deposited').map(({ trace }) => trace),
  );
  const accepted = rows.find(
    ({ kind, trace, data }) =>
      kind === 'message.accepted' && data['protocol'] !== 'submission' && deposited.has(trace),
  );
  if (accepted !== undefined)
    return {
      state: 'arrived',
      sentence: `A message from ${String(accepted.data['from'] || 'elsewhere')} has arrived.`,
      events: rows.filter(({ trace }) => trace === accepted.trace).toReversed(),
    };
  const refused = rows.find(({ kind }) => kind === 'message.refused' || kind === 'recipient.refused');
  if (refused !== undefined)
    return {
      state: 'failed',
      sentence: `A message was refused: ${String(refused.data['reason'] ?? '')}`,
      events: rows.filter(({ trace }) => trace === refused.trace).toReversed(),
    };
  const over = clock.now() > to;
  return {
    state: over ? 'failed' : 'waiting',
    sentence: over ? 'Nothing has come within a day.' : `Write to ${name} from an address elsewhere.`,
    events: [],
  };
}

export const setupProbes = { send, expect, look };
