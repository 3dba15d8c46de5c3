import { parentPort } from 'node:worker_threads';
import { errorText } from '../../base/errors.ts';
import { createInterpreter } from './engine.ts';
import type { EngineCall, FromThread, QuestionName, RunPort, RunResult, ToThread } from './engine-types.ts';

/** Compiles and runs scripts beside the event loop; several at a time, each giving way to the others now and then. */

const interpreter = createInterpreter();
const asked = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let serial = 0;

parentPort?.on('message', (message: ToThread) => {
  if ('call' in message) {
    void answer(message.id, message.call);
    return;
  }
  const waiting = asked.get(message.question);
  asked.delete(message.question);
  if ('failed' in message) waiting?.reject(new Error(message.failed));
  else waiting?.resolve(message.value);
});

async function answer(id: number, call: EngineCall): Promise<void> {
  try {
    const value =
      call.kind === 'check' ? interpreter.check(call.text) : await interpreter.run(call.job, portOf(id));
    send({ id, value }, call.kind === 'run' ? octetsOf(value as RunResult) : []);
  } catch (error) {
    send({ id, bug: error instanceof Error ? (error.stack ?? error.message) : errorText(error) });
  }
}

function send(message: FromThread, transfer: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, [...transfer]);
}

/** New messages are handed over, not copied; small ones may lie in memory that others use. */
function octetsOf(result: RunResult): ArrayBuffer[] {
  if (result.kind !== 'plan') return [];
  const buffers = new Set<ArrayBuffer>();
  for (const { edits } of result.plan.actions) {
    const content = edits?.content;
    if (content === undefined || content.byteLength < content.buffer.byteLength) continue;
    if (content.buffer instanceof ArrayBuffer) buffers.add(content.buffer);
  }
  return [...buffers];
}

function portOf(id: number): RunPort {
  const ask =
    <N extends QuestionName>(name: N) =>
    (...args: Parameters<RunPort[N]>): ReturnType<RunPort[N]> => {
      const question = ++serial;
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      asked.set(question, { resolve, reject });
      send({ id, question, name, args });
      return promise as ReturnType<RunPort[N]>;
    };
  return {
    text: ask('text'),
    octets: ask('octets'),
    mailboxExists: ask('mailboxExists'),
    mailboxIdExists: ask('mailboxIdExists'),
    specialUseExists: ask('specialUseExists'),
    metadata: ask('metadata'),
    seen: ask('seen'),
    include: ask('include'),
    listHas: ask('listHas'),
    listExists: ask('listExists'),
  };
}
