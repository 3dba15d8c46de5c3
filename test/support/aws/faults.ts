import type { Call, Fault, FaultHandle, FaultMatch } from './types.ts';

interface Planned {
  readonly match: FaultMatch;
  readonly fault: Fault;
  left: number;
  skip: number;
  hits: number;
}

export interface Faults {
  plan(match: FaultMatch, fault: Fault, times: number): FaultHandle;
  clear(): void;
  /** The fault for this call, if one is due; it is used up by that. `early`: only the header is known. */
  take(call: Call, early: boolean): Fault | undefined;
}

export function createFaults(): Faults {
  let planned: Planned[] = [];
  return {
    plan(match, fault, times) {
      const plan: Planned = { match, fault, left: times, skip: match.skip ?? 0, hits: 0 };
      planned.push(plan);
      return {
        get hits() {
          return plan.hits;
        },
        cancel() {
          planned = planned.filter((each) => each !== plan);
        },
      };
    },
    clear() {
      planned = [];
    },
    take(call, early) {
      for (const plan of planned) {
        if ((plan.fault.kind === 'drop') !== early || plan.left <= 0 || !matches(plan.match, call)) continue;
        if (plan.skip > 0) {
          plan.skip--;
          continue;
        }
        plan.left--;
        plan.hits++;
        return plan.fault;
      }
      return undefined;
    },
  };
}

export function matches(match: FaultMatch, call: Call): boolean {
  const { operation, key } = match;
  if (match.service !== call.service) return false;
  const wanted = typeof operation === 'string' ? [operation] : operation;
  if (wanted !== undefined && !wanted.includes(call.operation)) return false;
  if (key === undefined) return true;
  return typeof key === 'string' ? key === call.resource : key.test(call.resource);
}
