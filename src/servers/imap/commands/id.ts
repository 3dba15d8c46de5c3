import { SESSION_LIMITS } from '../limits.ts';
import { untagged } from '../session.ts';
import type { Decoder } from '../wire/decoder.ts';
import { ANY_STATE, type Command } from './command.ts';

/** Pairs of RFC 2971 section 3.3. */
const MAX_PAIRS = 30;

/** ID (RFC 2971): who are you. The answer names the program, not its version: that helps attackers only. */
export const id: Command = {
  name: 'ID',
  states: ANY_STATE,
  capabilities: ['ID'],
  run(session, d) {
    d.sp();
    const client = parameters(d);
    d.end();
    if (client.length > 0) {
      session.options.logger.debug({ session: session.facts.id, client }, 'imap: client says who it is');
    }
    untagged(session, 'ID ("name" "Postern")');
    return undefined;
  },
};

function parameters(d: Decoder): string[] {
  if (d.skip('NIL')) return [];
  const pairs = d.list(
    () => {
      const field = d.string('a field name').toString('latin1');
      d.sp();
      const value = d.nstringText() ?? '';
      return `${field}=${value}`.slice(0, SESSION_LIMITS.subjectBytes);
    },
    { empty: true },
  );
  if (pairs.length > MAX_PAIRS) d.fail(`at most ${MAX_PAIRS} pairs`);
  return pairs;
}
