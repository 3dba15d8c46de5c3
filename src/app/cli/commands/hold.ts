import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said } from '../command.ts';
import { plain, wrap } from '../plain-text.ts';
import { spanText } from '../quantities.ts';

const { holds } = operations;

function waiting(messages: number, recipients: number): string {
  if (messages === 0) return 'nothing waits yet';
  return `${messages} message(s) to ${recipients} recipient(s) wait`;
}

export const holdCommands: readonly CliCommand[] = [
  {
    words: ['hold', 'list'],
    summary: 'accounts whose outgoing mail is held, and why',
    details:
      'An account is held when it suddenly sends far more than ever, or what is surely spam: its password may be stolen. What it sends is accepted and waits; nothing expires or bounces meanwhile.',
    args: [],
    options: {},
    example: 'hold list',
    async run({ admin, io }) {
      const value = await admin.call(holds.list, {});
      const now = io.clock.now();
      const entries = value.held.flatMap(({ account, hold, messages, recipients, oldest }) => {
        const wait = waiting(messages, recipients);
        const age = oldest === undefined ? '' : `, the oldest for ${spanText(now - oldest)}`;
        return hold === undefined
          ? [plain(account), `    single messages held as spam: ${wait}${age}`]
          : [
              `${plain(account)}  held for ${spanText(now - hold.since)}`,
              ...wrap(`because ${plain(hold.reason)}`, io.width - 4).map((line) => `    ${line}`),
              `    ${wait}${age}`,
            ];
      });
      const hint = [
        '',
        'It was the person:       postern hold release ACCOUNT',
        'The password is stolen:  postern account passwd ACCOUNT',
        '                         postern hold release ACCOUNT --drop',
      ];
      const lines = [...entries, ...hint];
      return {
        value,
        text: () =>
          value.held.length === 0
            ? "Nobody's outgoing mail is held.\n"
            : lines.map((line) => `${line}\n`).join(''),
      };
    },
  },
  {
    words: ['hold', 'release'],
    summary: 'let an account send again, and send what was held',
    details:
      'With --drop what was held is forgotten, and nobody is told. What is released counts as usual for the account from then on.',
    args: [{ name: 'ACCOUNT', help: 'its address' }],
    options: { drop: { help: 'forget what was held instead of sending it; cannot be undone' } },
    example: 'hold release alice@example.org',
    async run({ admin, arg, on }) {
      const account = plain(arg(0));
      const drop = on('drop');
      const value = await admin.call(holds.release, { account: arg(0), drop });
      const count = `${value.messages} message(s) to ${value.recipients} recipient(s)`;
      if (drop) return said(`${account} can send again; ${count} dropped.`, value);
      if (value.keptHeld === undefined) return said(`${account} can send again; ${count} released.`, value);
      const rest = `${value.messages} message(s) go on waiting: ${plain(value.keptHeld)}`;
      return said(`${account} can send again; ${rest}.`, value);
    },
  },
];
