import { join } from 'node:path';
import { run, until } from '../../bench/support/processes.ts';
import { cleanEnvironment } from './programs.ts';

/** A program in a terminal of tmux: what a person types, and what they see. */

const PATIENCE_MS = 15_000;
const POLL_MS = 150;

export interface Terminal {
  /** Keys by the names that tmux gives them: "q", "Enter", "C-x". */
  keys(...names: string[]): Promise<void>;
  /** Text as it is. */
  type(text: string): Promise<void>;
  /** Wait until the screen shows all of these; throws with the screen when it does not. */
  shows(...patterns: RegExp[]): Promise<string>;
  /** Wait until the program has ended. */
  ended(): Promise<void>;
  close(): Promise<void>;
}

/** Start a shell command in a terminal of 100 by 30; `home` is where its files and the socket lie. */
export async function openTerminal(home: string, command: string): Promise<Terminal> {
  const env = cleanEnvironment(home);
  const tmux = (...args: string[]) =>
    run('tmux', ['-S', join(home, 'tmux'), '-f', '/dev/null', ...args], { env });
  await tmux('new-session', '-d', '-x', '100', '-y', '30', command);
  // What a program says when it ends stays to be read.
  await tmux('set-option', 'remain-on-exit', 'on');
  return {
    keys: async (...names) => void (await tmux('send-keys', ...names)),
    // An argument that ends with ; would end the command of tmux.
    type: async (text) => void (await tmux('send-keys', '-l', text.replace(/;$/, '\\;'))),
    async shows(...patterns) {
      let screen = '';
      try {
        await until(patterns.join(', '), PATIENCE_MS, POLL_MS, async () => {
          screen = (await tmux('capture-pane', '-p')).stdout;
          return patterns.every((pattern) => pattern.test(screen));
        });
      } catch (error) {
        throw new Error(`${String(error)}; the screen:\n${screen}`);
      }
      return screen;
    },
    ended: () =>
      until('the end of the program', PATIENCE_MS, POLL_MS, async () =>
        (await tmux('list-panes', '-F', '#{pane_dead}')).stdout.startsWith('1'),
      ),
    close: async () => void (await tmux('kill-server').catch(() => undefined)),
  };
}
