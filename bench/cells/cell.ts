import type { Figures } from '../support/figures.ts';
import type { Peer } from '../support/peer.ts';
import type { MailSystem, Setup } from '../support/system.ts';

/** What every cell works with. Both systems run all the time; the one not measured is idle. */
export interface Context {
  readonly figures: Figures;
  readonly rounds: number;
  /** 1, or less for a quick look: counts of messages and sessions are multiplied by it. */
  readonly scale: number;
  readonly postern: MailSystem | undefined;
  readonly peer: Peer | undefined;
  /** New systems beside the running ones, in directories and on ports of their own. */
  setup(name: string): Promise<Setup>;
  say(text: string): void;
}

export interface Cell {
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<void>;
}

export function systemsOf(context: Context): MailSystem[] {
  return [context.postern, context.peer].filter((system) => system !== undefined);
}
