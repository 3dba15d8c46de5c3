import { systemClock } from '../../src/base/clock.ts';
import { deliver, type Load, pour } from '../support/load.ts';
import type { MailSystem } from '../support/system.ts';
import { type Cell, type Context, withNewPeer, withNewSystems } from './cell.ts';

const SESSIONS = 20;
const KiB = 1024;

const KEPT = { sessions: SESSIONS, kept: true } as const;

const LOADS: readonly (readonly [name: string, title: string, load: Load])[] = [
  ['kept', '4 KiB, 20 kept connections', { messages: 4000, bytes: 4 * KiB, ...KEPT }],
  ['each', '4 KiB, a connection each', { messages: 4000, bytes: 4 * KiB, sessions: SESSIONS, kept: false }],
  ['large', '100 KiB, 20 kept connections', { messages: 1000, bytes: 100 * KiB, ...KEPT }],
  [
    'random',
    '4 KiB, random, 20 kept connections',
    { messages: 4000, bytes: 4 * KiB, ...KEPT, body: 'random' },
  ],
  [
    'attached',
    '100 KiB, random, 20 kept connections',
    { messages: 1000, bytes: 100 * KiB, ...KEPT, body: 'random' },
  ],
];

const WARM_UP: Load = { messages: 1000, bytes: 4 * KiB, ...KEPT };

export const throughput: Cell[] = LOADS.map(([name, title, load]) => ({
  name,
  title,
  run: (context) =>
    withNewSystems(context, name, async (systems) => {
      const messages = Math.round(load.messages * context.scale);
      // Not counted: processes are there and code is compiled when the first round begins.
      for (const system of systems) await deliver(system, WARM_UP);
      for (let round = 0; round < context.rounds; round++) {
        for (const system of alternate(systems, round)) {
          await measure(context, title, system, { ...load, messages });
        }
      }
    }),
}));

async function measure(context: Context, title: string, system: MailSystem, load: Load): Promise<void> {
  const { figures } = context;
  const { accepted, delivered, cpuMs } = await deliver(system, load);
  context.say(`${system.name}: ${accepted.toFixed(0)} accepted/s, ${delivered.toFixed(0)} delivered/s`);
  figures.add(system.name, title, 'accepted', 'messages/s', true, accepted);
  figures.add(system.name, title, 'delivered', 'messages/s', true, delivered);
  figures.add(system.name, title, 'CPU of the server', 'ms/message', false, cpuMs);
}

/** Each round begins with the other system, so that neither always runs on a warm or a busy disk. */
function alternate<T>(items: readonly T[], round: number): T[] {
  return round % 2 === 0 ? [...items] : items.toReversed();
}

/** What Postfix takes while nothing is delivered: its queue fills, Dovecot rests. */
export const acceptOnly: Cell = {
  name: 'accept',
  title: 'accepted while delivery is switched off (Postfix alone)',
  run: (context) =>
    withNewPeer(context, 'accept', async (peer) => {
      await deliver(peer, WARM_UP);
      await peer.set('defer_transports=lmtp');
      for (let round = 0; round < context.rounds; round++) {
        for (const [name, title, load] of LOADS) {
          if (name === 'kept' || name === 'each') await measureAccept(context, peer, title, load);
        }
      }
    }),
};

async function measureAccept(context: Context, peer: MailSystem, title: string, load: Load): Promise<void> {
  const messages = Math.round(load.messages * context.scale);
  const from = systemClock.monotonic();
  await pour(peer, { ...load, messages });
  const rate = (messages * 1000) / (systemClock.monotonic() - from);
  context.say(`${peer.name}: ${rate.toFixed(0)} accepted/s, ${title}`);
  context.figures.add(peer.name, title, 'accepted, delivery off', 'messages/s', true, rate);
}
