import { readFile } from 'node:fs/promises';
import { vacationText } from '../../../flow/sieve/vacation.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { facts, plain } from '../plain-text.ts';
import { unreadable } from '../file-words.ts';

const { sieve } = operations;

const ACCOUNT = { name: 'ACCOUNT', help: 'the account' };

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw unreadable(file, error);
  }
}

function dayOption(name: string, given: string | undefined): string | undefined {
  if (given === undefined || /^\d{4}-\d\d-\d\d$/.test(given)) return given;
  throw new UsageError(`--${name} takes a day such as 2026-12-24`);
}

/** "from 2026-12-24 to 2027-01-06". */
function spanText(from: string | undefined, until: string | undefined): string {
  if (from === undefined && until === undefined) return 'until it is switched off';
  return [from === undefined ? '' : `from ${from}`, until === undefined ? '' : `up to ${until}`]
    .join(' ')
    .trim();
}

export const vacationCommands: readonly CliCommand[] = [
  {
    words: ['vacation', 'show'],
    summary: 'whether an account answers that its owner is away, and with what',
    args: [ACCOUNT],
    options: {},
    example: 'vacation show ann@example.org',
    async run({ admin, io, arg }) {
      const { settings } = await admin.call(sieve.settings, { account: arg(0) });
      const { vacation } = settings;
      return {
        value: vacation ?? null,
        text: () =>
          vacation === undefined
            ? `${plain(arg(0))} has no vacation answer.\n`
            : facts(
                [
                  [
                    'Answers',
                    vacation.enabled ? `yes, ${spanText(vacation.from, vacation.until)}` : 'no: switched off',
                  ],
                  ['Once in', `${vacation.days} days to the same sender`],
                  ['Subject', vacation.subject ?? '"Auto: " and that of the message'],
                  ['Text', vacationText(vacation).replaceAll(/\r?\n/g, ' / ')],
                  ...(vacation.html === undefined
                    ? []
                    : ([['HTML', 'yes, sent beside the text']] satisfies [string, string][])),
                ],
                io.width,
              ),
      };
    },
  },
  {
    words: ['vacation', 'set'],
    summary: 'answer senders that the owner of an account is away',
    details:
      'Lists, programs, spam and the same sender within the period get no answer. The days are those of the server, the last one included.',
    args: [ACCOUNT],
    options: {
      text: { value: 'TEXT', help: 'what to say' },
      file: { value: 'FILE', help: 'what to say, from a file' },
      subject: { value: 'TEXT', help: 'subject of the answer' },
      from: { value: 'DAY', help: 'first day, such as 2026-12-24 (default: now)' },
      until: { value: 'DAY', help: 'last day (default: until it is switched off)' },
      days: { value: 'N', help: 'answer the same sender once in so many days (default 7)' },
    },
    example: 'vacation set ann@example.org --until 2027-01-06 --text "Away."',
    async run({ admin, arg, text }) {
      const [given, file, days, subject] = [text('text'), text('file'), text('days'), text('subject')];
      const answer = given ?? (file === undefined ? undefined : await textOf(file));
      if (answer === undefined) throw new UsageError('say what to answer: --text TEXT or --file FILE');
      if (days !== undefined && !/^[1-9]\d?$/.test(days))
        throw new UsageError('--days takes a number from 1 to 90');
      const from = dayOption('from', text('from'));
      const until = dayOption('until', text('until'));
      await admin.call(sieve.setSettings, {
        account: arg(0),
        vacation: {
          text: answer,
          ...(subject !== undefined && { subject }),
          ...(from !== undefined && { from }),
          ...(until !== undefined && { until }),
          ...(days !== undefined && { days: Number(days) }),
        },
      });
      return said(`${plain(arg(0))} answers that its owner is away, ${spanText(from, until)}.`);
    },
  },
  {
    words: ['vacation', 'off'],
    summary: 'answer no longer; the text is kept for the next time',
    args: [ACCOUNT],
    options: {},
    example: 'vacation off ann@example.org',
    async run({ admin, arg }) {
      const account = arg(0);
      const { settings } = await admin.call(sieve.settings, { account });
      if (settings.vacation === undefined) return said(`${plain(account)} has no vacation answer.`);
      await admin.call(sieve.setSettings, { account, vacation: { ...settings.vacation, enabled: false } });
      return said(`${plain(account)} answers no longer.`);
    },
  },
];

export const forwardCommands: readonly CliCommand[] = [
  {
    words: ['forward', 'show'],
    summary: 'where the mail of an account is sent on to',
    args: [ACCOUNT],
    options: {},
    example: 'forward show ann@example.org',
    async run({ admin, arg }) {
      const { forward } = (await admin.call(sieve.settings, { account: arg(0) })).settings;
      return {
        value: forward ?? null,
        text: () =>
          forward === undefined
            ? `The mail of ${plain(arg(0))} is not sent on.\n`
            : `The mail of ${plain(arg(0))} is sent on to ${plain(forward.addresses.join(', '))}; ${forward.keep ? 'a copy stays here' : 'nothing stays here'}.\n`,
      };
    },
  },
  {
    words: ['forward', 'set'],
    summary: 'send the mail of an account on, what the filter takes for spam excepted',
    args: [ACCOUNT, { name: 'ADDRESS', help: 'where to', many: true }],
    options: { 'no-copy': { help: 'keep no copy here' } },
    example: 'forward set ann@example.org ann@example.net',
    async run({ admin, args, arg, on }) {
      const addresses = args.slice(1);
      const forward = { addresses: [...addresses], keep: !on('no-copy') };
      await admin.call(sieve.setSettings, { account: arg(0), forward });
      return said(`The mail of ${plain(arg(0))} is sent on to ${plain(addresses.join(', '))}.`);
    },
  },
  {
    words: ['forward', 'off'],
    summary: 'send it on no longer',
    args: [ACCOUNT],
    options: {},
    example: 'forward off ann@example.org',
    async run({ admin, arg }) {
      await admin.call(sieve.setSettings, { account: arg(0), forward: null });
      return said(`The mail of ${plain(arg(0))} stays here.`);
    },
  },
];
