import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { timeText } from '../quantities.ts';

const { selfService } = operations;

const ACCOUNT = { name: 'ACCOUNT', help: 'the account' };
const MASKED = { name: 'ADDRESS', help: 'the masked address' };

export const maskedCommands: readonly CliCommand[] = [
  {
    words: ['masked', 'list'],
    summary: 'masked addresses of an account: for whom each was made, who writes to it',
    details: 'LEAKED names domains that write to an address although it was made for another site.',
    args: [ACCOUNT],
    options: {},
    example: 'masked list ann@example.org',
    async run({ admin, io, arg }) {
      const value = await admin.call(selfService.maskedList, { account: arg(0) });
      const columns = [
        { title: 'ADDRESS', whole: true },
        { title: 'STATE', whole: true },
        { title: 'FOR' },
        { title: 'MAILS', whole: true, right: true },
        { title: 'LEAKED' },
      ];
      const rows = value.addresses.map(({ address, state, label, site, count, senders }) => [
        address,
        state,
        label === '' ? site : label,
        String(count),
        senders.flatMap(({ domain, expected }) => (expected ? [] : [domain])).join(', '),
      ]);
      return {
        value,
        text: () => (rows.length === 0 ? 'No masked addresses.\n' : table(columns, rows, io.width)),
      };
    },
  },
  {
    words: ['masked', 'add'],
    summary: 'make a masked address for an account; its name is random',
    args: [ACCOUNT],
    options: {
      site: { value: 'DOMAIN', help: 'the site that it is made for: mail of others means that it leaked' },
      label: { value: 'TEXT', help: 'what its owner calls it' },
    },
    example: 'masked add ann@example.org --site shop.example',
    async run({ admin, arg, text }) {
      const [site, label] = [text('site'), text('label')];
      const value = await admin.call(selfService.maskedAdd, {
        account: arg(0),
        ...(site !== undefined && { site }),
        ...(label !== undefined && { label }),
      });
      return said(`${plain(value.address)} leads to ${plain(arg(0))}.`, value);
    },
  },
  ...(['off', 'on'] as const).map(
    (state): CliCommand => ({
      words: ['masked', state],
      summary: state === 'off' ? 'refuse mail to a masked address from now on' : 'take mail to it again',
      args: [MASKED],
      options: {},
      example: `masked ${state} mubo.tokan.4829@example.org`,
      async run({ admin, arg }) {
        const value = await admin.call(selfService.maskedSet, { address: arg(0), state });
        return said(
          `Mail to ${plain(arg(0))} is ${state === 'off' ? 'refused' : 'taken'} from now on.`,
          value,
        );
      },
    }),
  ),
];

export const snoozeCommands: readonly CliCommand[] = [
  {
    words: ['snooze', 'list'],
    summary: 'mail that an account has put away, by the time it comes back',
    args: [ACCOUNT],
    options: {},
    example: 'snooze list ann@example.org',
    async run({ admin, io, arg }) {
      const value = await admin.call(selfService.snoozed, { account: arg(0) });
      const columns = [
        { title: 'COMES BACK', whole: true },
        { title: 'TO' },
        { title: 'EMAIL', whole: true, right: true },
      ];
      const rows = value.snoozed.map(({ emailId, until, mailbox }) => [
        timeText(until, io.timeZone),
        mailbox,
        String(emailId),
      ]);
      return {
        value,
        text: () => (rows.length === 0 ? 'Nothing is snoozed.\n' : table(columns, rows, io.width)),
      };
    },
  },
];
