import { createFaults, type Faults, matches } from './faults.ts';
import type { AwsService, Call, CallStep, FaultMatch } from './types.ts';

/** The log of calls, its listeners and its faults. */
export interface Calls {
  readonly log: Call[];
  readonly faults: Faults;
  open(service: AwsService): Call;
  step(call: Call, phase: CallStep['phase']): Promise<void>;
  on(listener: (step: CallStep) => void | Promise<void>): () => void;
  next(match: FaultMatch, phase: CallStep['phase']): Promise<CallStep>;
}

export function createCalls(): Calls {
  const log: Call[] = [];
  const listeners = new Set<(step: CallStep) => void | Promise<void>>();
  const calls: Calls = {
    log,
    faults: createFaults(),
    open(service) {
      const call: Call = {
        id: log.length + 1,
        service,
        operation: 'Unknown',
        resource: '',
        at: Date.now(),
        status: undefined,
      };
      log.push(call);
      return call;
    },
    async step(call, phase) {
      for (const listener of listeners) await listener({ ...call, phase });
    },
    on(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    next(match, phase) {
      return new Promise((resolve) => {
        const stop = calls.on((step) => {
          if (step.phase !== phase || !matches(match, step)) return;
          stop();
          resolve(step);
        });
      });
    },
  };
  return calls;
}
