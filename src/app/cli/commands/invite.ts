import { operations } from '../../../servers/http/admin/operations.ts';
import { type CliCommand, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { parseSize, timeText } from '../quantities.ts';

const { invitations } = operations;
const ROLES = ['user', 'domain-admin', 'admin'] as const;

export const inviteCommands: readonly CliCommand[] = [
  {
    words: ['invite', 'add'],
    summary: 'invite somebody: a link by which they make their account, once',
    details:
      'For one address, or with a domain alone for any name in it that is free. The link is shown now and never again: only a digest of it is kept.',
    args: [{ name: 'WHERE', help: 'an address, or a domain' }],
    options: {
      role: { value: 'ROLE', help: 'user (default), domain-admin, admin' },
      quota: { value: 'SIZE', help: 'room for mail, such as 5G' },
      days: { value: 'N', help: 'how long it is good (7)' },
      note: { value: 'TEXT', help: 'for whom, for whoever reads the list later' },
    },
    example: 'invite add carol@example.org --days 3',
    async run({ admin, arg, text, io }) {
      const [role, quota, days, note] = [text('role'), text('quota'), text('days'), text('note')];
      const known = ROLES.find((one) => one === role);
      if (role !== undefined && known === undefined)
        throw new UsageError(`"${plain(role)}" is no role: say ${ROLES.join(', ')}`);
      const where = arg(0).includes('@') ? { address: arg(0) } : { domain: arg(0) };
      const value = await admin.call(invitations.add, {
        ...where,
        ...(known !== undefined && { role: known }),
        ...(quota !== undefined && { quota: parseSize(quota) }),
        ...(days !== undefined && { days: Number(days) }),
        ...(note !== undefined && { note }),
      });
      const { address, domain, expiresAt } = value.invitation;
      const whom = plain(address ?? `any name in ${domain}`);
      return said(
        `For ${whom}, good once, until ${timeText(expiresAt, io.timeZone)}:\n\n  ${value.link}\n`,
        value,
      );
    },
  },
  {
    words: ['invite', 'list'],
    summary: 'invitations and what became of them',
    args: [{ name: 'DOMAIN', help: 'only its invitations', optional: true }],
    options: {},
    example: 'invite list',
    async run({ admin, io, args: [domain] }) {
      const value = await admin.call(invitations.list, domain === undefined ? {} : { domain });
      const rows = value.invitations.map((one) => [
        String(one.id),
        one.address ?? `(any)@${one.domain}`,
        one.role,
        one.state === 'used' ? `used for ${one.usedFor ?? ''}` : one.state,
        timeText(one.expiresAt, io.timeZone),
        one.note,
      ]);
      const columns = [
        { title: 'ID', right: true, whole: true },
        { title: 'FOR', whole: true },
        { title: 'ROLE' },
        { title: 'STATE' },
        { title: 'UNTIL' },
        { title: 'NOTE' },
      ];
      return {
        value,
        text: () => (rows.length === 0 ? 'Nobody is invited.\n' : table(columns, rows, io.width)),
      };
    },
  },
  {
    words: ['invite', 'remove'],
    summary: 'withdraw an invitation',
    args: [{ name: 'ID', help: 'its number, as "invite list" shows it' }],
    options: {},
    example: 'invite remove 3',
    async run({ admin, arg }) {
      await admin.call(invitations.remove, { id: arg(0) });
      return said(`Invitation ${plain(arg(0))} is good no longer.`);
    },
  },
];
