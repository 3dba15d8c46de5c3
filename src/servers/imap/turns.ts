import { SESSION_LIMITS } from './limits.ts';

/**
 * How much a session has worked since it last let the others have a turn. It is counted in steps of a few
 * nanoseconds, not measured: what runs between two turns is then the same on every machine and in every test.
 */
export interface Turns {
  /** Count steps that were done. True when it is time for a turn of the others: await one. */
  spend(steps: number): boolean;
}

export function createTurns(stepsPerTurn: number = SESSION_LIMITS.stepsPerTurn): Turns {
  let done = 0;
  return {
    spend(steps) {
      done += steps;
      if (done < stepsPerTurn) return false;
      done = 0;
      return true;
    },
  };
}
