import { startPeer } from '../support/peer.ts';
import { startPostern } from '../support/postern.ts';
import type { Setup, StartSystem } from '../support/system.ts';
import type { Cell, Context } from './cell.ts';

/** From exec until SMTP and IMAP greet: in an empty directory, and again in the same one. */
export const startup: Cell = {
  name: 'startup',
  title: 'start-up time',
  async run(context) {
    for (let round = 0; round < context.rounds; round++) {
      if (context.postern !== undefined) await measure(context, startPostern, await context.setup('startup'));
      if (context.peer !== undefined) await measure(context, startPeer, await context.setup('startup'));
    }
  },
};

async function measure(context: Context, start: StartSystem, setup: Setup): Promise<void> {
  for (const figure of ['the first time', 'again']) {
    const system = await start(setup);
    await system.stop();
    context.figures.add(system.name, 'start-up', figure, 'ms', false, system.startMs);
    context.say(`${system.name}: ${system.startMs.toFixed(0)} ms ${figure}`);
  }
}
