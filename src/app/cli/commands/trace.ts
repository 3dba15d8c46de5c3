import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, UsageError } from '../command.ts';
import { plain } from '../plain-text.ts';
import { parseTime, spanText } from '../quantities.ts';
import { traceText } from '../trace-text.ts';

const { trace } = operations;

const OUTCOMES = ['delivered', 'junk', 'refused', 'deferred', 'failed'] as const;

function outcomeOf(text: string | undefined): (typeof OUTCOMES)[number] | undefined {
  const found = OUTCOMES.find((each) => each === text);
  if (text !== undefined && found === undefined)
    throw new UsageError(`--outcome takes ${OUTCOMES.join(', ')}`);
  return found;
}

export const traceCommands: readonly CliCommand[] = [
  {
    words: ['trace'],
    summary: 'what happened to a message or a connection, step by step',
    details:
      'TERM is a Message-ID, a queue id, the case number of a refusal, an e-mail address, or an IP address. Times are those of this machine: 2026-01-31, "2026-01-31 15:04", or 2h for two hours ago.',
    args: [{ name: 'TERM', help: 'what to look for', optional: true }],
    options: {
      last: { help: 'the newest, whatever it is about' },
      sender: { value: 'ADDRESS', help: 'sent by this address, or by any of @example.org' },
      recipient: { value: 'ADDRESS', help: 'for this address, or for any of @example.org' },
      outcome: { value: 'WHAT', help: 'delivered, junk, refused, deferred (it still waits) or failed' },
      from: { value: 'TIME', help: 'nothing older' },
      to: { value: 'TIME', help: 'nothing newer' },
      limit: { value: 'N', help: 'at most so many (10; with --last 1)' },
    },
    example: 'trace alice@example.org --from 2h',
    async run({ admin, io, args, text, on }) {
      const [term, from, to, limit] = [args[0], text('from'), text('to'), text('limit')];
      const [sender, recipient] = [text('sender'), text('recipient')];
      const outcome = outcomeOf(text('outcome'));
      const given = [term, from, to, sender, recipient, outcome].some((each) => each !== undefined);
      if (!given && !on('last')) {
        throw new UsageError(
          'say what to look for: a Message-ID, queue id, case number, address or IP address, --from TIME, or --last',
        );
      }
      if (term !== undefined && on('last'))
        throw new UsageError('--last takes no TERM: use --limit 1 with it');
      const now = io.clock.now();
      const value = await admin.call(trace.search, {
        ...(term !== undefined && { term }),
        ...(sender !== undefined && { sender }),
        ...(recipient !== undefined && { recipient }),
        ...(outcome !== undefined && { outcome }),
        ...(on('last') && { last: 'true' }),
        ...(from !== undefined && { from: parseTime(from, now) }),
        ...(to !== undefined && { to: parseTime(to, now) }),
        ...(limit !== undefined && { limit }),
      });
      const options = { width: io.width, ...(io.timeZone !== undefined && { timeZone: io.timeZone }) };
      const texts = (): string[] => value.traces.map(({ events }) => traceText(events, options));
      const none = `Nothing is known${term === undefined ? '' : ` about ${plain(term)}`}${from === undefined && to === undefined ? '' : ' in that time'}.${value.keptMs === undefined ? '' : ` Events are kept for ${spanText(value.keptMs)} (store.journal_age).`}\n`;
      const more = value.more && !on('last') ? ['There are older ones: --limit N shows more of them.\n'] : [];
      return { value, text: () => (value.traces.length === 0 ? none : [...texts(), ...more].join('\n')) };
    },
  },
];
