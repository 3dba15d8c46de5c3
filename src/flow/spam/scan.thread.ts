import { parentPort } from 'node:worker_threads';
import { collectGarbage, onQuiet } from '../../base/quiet.ts';
import { createEngine } from './scan-engine.ts';
import type { ScanAnswer, ScanCall } from './scan-types.ts';

/** Judges and learns messages beside the event loop. One at a time: each is bounded, and none is worth stopping for. */

const engine = createEngine();
onQuiet(collectGarbage);

parentPort?.on('message', ({ id, call }: { readonly id: number; readonly call: ScanCall }) => {
  let answer: ScanAnswer;
  try {
    answer = { id, value: run(call) };
  } catch (error) {
    answer = { id, bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  if (id > 0) parentPort?.postMessage(answer);
});

function run(call: ScanCall): unknown {
  switch (call.kind) {
    case 'judge':
      return engine.judge(call.question);
    case 'learn':
      engine.learn(call.lesson);
      return null;
    case 'save':
      return engine.save(call.owners);
    case 'load':
      engine.load(call.owner, call.model);
      return null;
    case 'forget':
      engine.forget(call.owner);
      return null;
  }
}
