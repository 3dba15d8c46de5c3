import type { Figures } from '../support/figures.ts';
import { type Peer, startPeer } from '../support/peer.ts';
import { startPostern } from '../support/postern.ts';
import type { MailSystem, Setup } from '../support/system.ts';

/** What every cell works with. */
export interface Context {
  readonly figures: Figures;
  readonly rounds: number;
  /** 1, or less for a quick look: counts of messages and sessions are multiplied by it. */
  readonly scale: number;
  readonly withPostern: boolean;
  readonly withPeer: boolean;
  /** An empty directory and ports for a new system. */
  setup(name: string): Promise<Setup>;
  say(text: string): void;
}

export interface Cell {
  readonly name: string;
  readonly title: string;
  run(context: Context): Promise<void>;
}

/** A starter for each system that takes part, Postern first. */
export function starters(context: Context): ((setup: Setup) => Promise<MailSystem>)[] {
  return [...(context.withPostern ? [startPostern] : []), ...(context.withPeer ? [startPeer] : [])];
}

/** Start the systems with empty mailboxes, so that no cell bears what an earlier one left behind; stop them after. */
export async function withNewSystems(
  context: Context,
  name: string,
  use: (systems: readonly MailSystem[]) => Promise<void>,
): Promise<void> {
  const systems: MailSystem[] = [];
  try {
    for (const start of starters(context)) systems.push(await start(await context.setup(name)));
    await use(systems);
  } finally {
    for (const system of systems) await system.stop();
  }
}

/** The same for Postfix + Dovecot alone. */
export async function withNewPeer(
  context: Context,
  name: string,
  use: (peer: Peer) => Promise<void>,
): Promise<void> {
  if (!context.withPeer) return;
  const peer = await startPeer(await context.setup(name));
  try {
    await use(peer);
  } finally {
    await peer.stop();
  }
}
