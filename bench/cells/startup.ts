import type { Setup, StartSystem } from '../support/system.ts';
import { type Cell, type Context, starters } from './cell.ts';

/** From exec until SMTP and IMAP greet: in an empty directory, and again in the same one. */
export const startup: Cell = {
  name: 'startup',
  title: 'start-up time',
  async run(context) {
    for (let round = 0; round < context.rounds; round++) {
      for (const start of starters(context)) await measure(context, start, await context.setup('startup'));
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
