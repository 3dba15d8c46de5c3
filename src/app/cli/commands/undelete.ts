import { operations } from '../../../servers/http/admin/operations.ts';
import { type Call, type CliCommand, type Outcome, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { parseTime, timeText } from '../quantities.ts';

const { accounts } = operations;

interface Selection {
  readonly mailbox?: string;
  readonly since?: number;
}

async function list({ admin, io, arg }: Call, selection: Selection): Promise<Outcome> {
  const value = await admin.call(accounts.listDeleted, { address: arg(0), ...selection, limit: 500 });
  const rows = value.messages.map(({ id, deletedAt, mailbox }) => [
    String(id),
    timeText(deletedAt, io.timeZone),
    mailbox ?? '(gone; it would go to INBOX)',
  ]);
  const columns = [
    { title: 'ID', whole: true, right: true },
    { title: 'DELETED', whole: true },
    { title: 'FROM MAILBOX' },
  ];
  const more = value.more ? 'There is more, older: narrow it down with --mailbox.\n' : '';
  const how = `Bring it back with --id ID..., --mailbox NAME or --since TIME.\n`;
  return {
    value,
    text: () =>
      rows.length === 0
        ? 'There is no deleted mail that could be brought back.\n'
        : `${table(columns, rows, io.width)}${more}${how}`,
  };
}

/** In several requests when there is much. */
async function restore({ admin, arg }: Call, selection: Selection, ids: readonly number[]): Promise<Outcome> {
  const input = { address: arg(0), ...selection, ...(ids.length > 0 && { ids: [...ids] }) };
  const counts = new Map<string, number>();
  const restored = [];
  let stopped: string | undefined;
  for (;;) {
    const answer = await admin.call(accounts.undelete, input);
    restored.push(...answer.restored);
    for (const { mailbox } of answer.restored) counts.set(mailbox, (counts.get(mailbox) ?? 0) + 1);
    stopped = answer.stopped;
    if (!answer.more) break;
  }
  const lines = [...counts].map(([mailbox, count]) => `${count} message(s) are back in ${plain(mailbox)}.\n`);
  if (stopped !== undefined) lines.push(`It stopped before the end: ${plain(stopped)}\n`);
  return {
    value: { restored, ...(stopped !== undefined && { stopped }) },
    text: () => lines.join(''),
  };
}

function parseId(text: string): number {
  const id = Number(text);
  if (/^\d{1,15}$/.test(text) && id > 0) return id;
  throw new UsageError(`"${plain(text)}" is no id: see "account undelete ADDRESS --list"`);
}

export const undeleteCommands: readonly CliCommand[] = [
  {
    words: ['account', 'undelete'],
    summary: 'bring back mail that was deleted',
    details:
      'Deleted mail is kept for 30 days, or as long as store.undelete says. It goes back to the mailbox it was deleted from, or to INBOX where that is gone. Without --mailbox, --since or --id, it only lists.',
    args: [{ name: 'ADDRESS', help: 'the e-mail address of the account' }],
    options: {
      list: { help: 'only show what could be brought back' },
      mailbox: { value: 'NAME', help: 'what was in this mailbox' },
      since: { value: 'TIME', help: 'what was deleted since then: 2026-01-31, or 2d for two days ago' },
      id: { value: 'N', help: 'this message; may be given several times', many: true },
    },
    example: 'account undelete alice@example.org --since 2d',
    async run(call) {
      const { io, text, texts, on } = call;
      const [mailbox, since] = [text('mailbox'), text('since')];
      const ids = texts('id').map(parseId);
      const selection = {
        ...(mailbox !== undefined && { mailbox }),
        ...(since !== undefined && { since: parseTime(since, io.clock.now()) }),
      };
      const all = mailbox === undefined && since === undefined && ids.length === 0;
      if (on('list') && ids.length > 0) throw new UsageError('--list shows what there is; leave --id out');
      return on('list') || all ? list(call, selection) : restore(call, selection, ids);
    },
  },
];
