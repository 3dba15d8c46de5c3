import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { plain, wrap } from '../plain-text.ts';
import { timeText } from '../quantities.ts';

const { setup } = operations;
const MARK = { done: '[x]', open: '[ ]', problem: '[!]', skipped: '[-]' } as const;
const STEPS = ['domain', 'dns', 'certificate', 'account', 'send', 'receive', 'backup'] as const;

export const setupCommands: readonly CliCommand[] = [
  {
    words: ['setup', 'show'],
    summary: 'what is left to do on the first day, and how',
    args: [{ name: 'DOMAIN', help: 'which domain (the first)', optional: true }],
    options: { check: { help: 'ask DNS now' } },
    example: 'setup show --check',
    async run({ admin, io, args: [domain], on }) {
      const value = await admin.call(setup.get, {
        ...(domain !== undefined && { domain }),
        check: on('check') ? 'true' : 'false',
      });
      const lines = value.steps.flatMap(({ state, title, sentence, mend }) => [
        `${MARK[state]} ${title}`,
        ...wrap(plain(sentence), io.width - 6).map((line) => `      ${line}`),
        ...mend.map((line) => `        ${plain(line)}`),
      ]);
      const end = value.complete ? 'All is done.' : '"postern setup skip STEP" leaves a step out.';
      return { value, text: () => `${[...lines, '', end].join('\n')}\n` };
    },
  },
  {
    words: ['setup', 'skip'],
    summary: 'leave a step of the setup out, or with --again take it up',
    args: [{ name: 'STEP', help: STEPS.join(', ') }],
    options: { again: { help: 'take it up again' } },
    example: 'setup skip backup',
    async run({ admin, arg, on }) {
      const id = STEPS.find((one) => one === arg(0));
      if (id === undefined) throw new UsageError(`there is no step "${plain(arg(0))}": ${STEPS.join(', ')}`);
      await admin.call(setup.setStep, { id, skipped: !on('again') });
      return said(on('again') ? `${id} is to be done again.` : `${id} is left out.`);
    },
  },
  {
    words: ['setup', 'test-mail'],
    summary: 'send a test message, to see whether mail goes out',
    args: [],
    options: {
      from: { value: 'ADDRESS', help: 'the account that sends it' },
      to: { value: 'ADDRESS', help: 'where it goes; best an address elsewhere' },
    },
    example: 'setup test-mail --from alice@example.org --to me@example.net',
    async run({ admin, text }) {
      const [from, to] = [text('from'), text('to')];
      if (from === undefined) throw new UsageError('say which account sends it: --from ADDRESS');
      const value = await admin.call(setup.send, { from, ...(to !== undefined && { to }) });
      return said(
        `A message to ${plain(value.to)} is on its way: postern setup test-result ${value.id}`,
        value,
      );
    },
  },
  {
    words: ['setup', 'expect-mail'],
    summary: 'wait for a message from elsewhere, to see whether mail comes in',
    args: [{ name: 'ADDRESS', help: 'the account that is written to' }],
    options: {},
    example: 'setup expect-mail alice@example.org',
    async run({ admin, arg, io }) {
      const value = await admin.call(setup.expect, { address: arg(0) });
      return said(
        `Write to ${plain(value.address)} from elsewhere until ${timeText(value.until, io.timeZone)}; then: postern setup test-result ${value.id}`,
        value,
      );
    },
  },
  {
    words: ['setup', 'test-result'],
    summary: 'what became of a test message',
    args: [{ name: 'ID', help: 'as it was told' }],
    options: {},
    example: 'setup test-result 0123456789ab',
    async run({ admin, arg }) {
      const value = await admin.call(setup.look, { id: arg(0) });
      return { ...said(plain(value.sentence), value), status: value.state === 'failed' ? 1 : 0 };
    },
  },
];
