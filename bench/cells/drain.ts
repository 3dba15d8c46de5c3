import { systemClock } from '../../src/base/clock.ts';
import { until } from '../support/processes.ts';
import { startSink } from '../support/sink.ts';
import { filler, messageOf, SmtpClient } from '../support/smtp.ts';
import type { MailSystem, Setup, StartSystem } from '../support/system.ts';
import { type Cell, type Context, starters } from './cell.ts';

const MESSAGES = 3000;
const SESSIONS = 20;
const BYTES = 4096;
const TIMEOUT_MS = 300_000;
/** After the last message: long enough to see one that comes twice. */
const AFTERMATH_MS = 1500;

/**
 * Mail for elsewhere is handed to smtp-sink through a relay. First with the relay down, so that everything waits in the
 * queue, then the relay comes up and the queue is told to go. A system of its own each round: no other mail waits.
 */
export const drain: Cell = {
  name: 'drain',
  title: 'queue drain to a sink',
  async run(context) {
    for (let round = 0; round < context.rounds; round++) {
      for (const start of starters(context)) await measure(context, start, await context.setup('drain'));
    }
  },
};

async function measure(context: Context, start: StartSystem, setup: Setup): Promise<void> {
  const system = await start(setup);
  const messages = Math.round(MESSAGES * context.scale);
  try {
    await submit(system, messages);
    // Let the last attempts at the absent relay fail.
    await systemClock.sleep(2000);
    const sink = await startSink(setup.relayPort);
    try {
      const from = systemClock.monotonic();
      await system.flushQueue();
      await until(
        `${system.name}: ${messages} messages at the sink`,
        TIMEOUT_MS,
        20,
        () => sink.count() >= messages,
      );
      const rate = (messages * 1000) / (sink.lastAt() - from);
      await systemClock.sleep(AFTERMATH_MS);
      if (sink.count() !== messages)
        throw new Error(`${system.name}: ${sink.count()} of ${messages} at the sink`);
      context.figures.add(system.name, 'queue drain to a sink', 'sent', 'messages/s', true, rate);
      context.say(`${system.name}: ${rate.toFixed(0)} messages/s`);
    } finally {
      await sink.stop();
    }
  } finally {
    await system.stop();
  }
}

/** Hand in mail for another domain as alice; the peer takes it from loopback without a login. */
async function submit(system: MailSystem, messages: number): Promise<void> {
  const [alice] = system.accounts;
  if (alice === undefined) throw new Error('there is no account');
  const login = system.submission === system.ports.smtp ? undefined : alice;
  let next = 0;
  const one = async (): Promise<void> => {
    const client = await SmtpClient.open(system.submission, login);
    for (let n = next++; n < messages; n = next++) {
      const to = `someone${n}@outside.example`;
      await client.send(alice.address, to, messageOf(`drain${n}`, alice.address, to, filler(BYTES)));
    }
    client.close();
  };
  await Promise.all(Array.from({ length: SESSIONS }, one));
}
