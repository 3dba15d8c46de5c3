import type { z } from 'zod';
import { operations } from '../../../servers/http/admin/operations.ts';
import type { CliCommand, CliIo } from '../command.ts';
import { facts, plain, table } from '../plain-text.ts';
import { sizeText, spanText, timeText } from '../quantities.ts';

const { status, audit } = operations;
type Status = z.output<typeof status.get.output>;

/** Milliseconds before a certificate's end from which it is worth a warning. */
const CERTIFICATE_SOON_MS = 14 * 86_400_000;

function statusText(value: Status, io: CliIo): string {
  const { store, now } = value;
  const up = spanText(now - value.startedAt);
  const open = value.listeners.filter((listener) => listener.open);
  const closed = value.listeners.filter((listener) => !listener.open);
  const pairs: [string, string][] = [
    [
      'Server',
      `${value.hostname}, Postern ${value.version}${value.mode === 'try' ? ' (local try-out)' : ''}`,
    ],
    [
      'Running',
      `for ${up}, since ${timeText(value.startedAt, io.timeZone)}; ${sizeText(value.memoryBytes)} of memory, Node.js ${value.node}`,
    ],
    ['Data', value.dataDirectory],
    ['Listening', ports(open)],
    ...(closed.length === 0 ? [] : [['NOT LISTENING', ports(closed)] as [string, string]]),
    ['Directory', `${value.domains} domain(s), ${value.accounts} account(s), ${value.aliases} alias(es)`],
    ['Mail', `${store.emails} message(s), ${sizeText(store.mailBytes)}`],
    ['Store', storeText(value)],
    ...diskRows(value, io),
    ['Queue', queueText(value)],
    ...(value.held === 0
      ? []
      : [['HELD', `mail of ${value.held} account(s): postern hold list`] as [string, string]]),
    ...refusedRows(value),
    ...(value.bans === 0
      ? []
      : [['Banned', `${value.bans} from logging in: postern ban list`] as [string, string]]),
    ...filterRows(value),
    ...intakeRows(value, io),
    ...value.lookup.map(({ name, state, problem }): [string, string] => [
      'LOOKUP',
      state === 'old'
        ? `${name} cannot be used as it is now (${problem}); its last good version answers`
        : `${name} cannot be used, mail that needs it is put off: ${problem}`,
    ]),
    ...backupRows(value),
    [
      'Journal',
      value.journalError === undefined
        ? 'ok'
        : `FAILED at ${timeText(value.journalError.at, io.timeZone)}: ${value.journalError.message}`,
    ],
    ...certificates(value, io),
    ...value.acme.map((problem): [string, string] => [
      'CERTIFICATE',
      `${problem} (postern certificate list)`,
    ]),
  ];
  return facts(pairs, io.width);
}

/** Only when it stops new mail. */
function diskRows({ disk }: Status, { timeZone }: CliIo): [string, string][] {
  if (disk?.low !== true) return [];
  const since = disk.since === undefined ? '' : ` since ${timeText(disk.since, timeZone)}`;
  return [
    [
      'DISK FULL',
      `new mail is put off${since}: ${sizeText(disk.free)} of ${sizeText(disk.total)} are free, ${sizeText(disk.reserve)} are kept back (docs/guides/housekeeping.md)`,
    ],
  ];
}

/** How old what could be restored is, and whether that was tried. */
function backupRows({ backup, mode, now }: Status): [string, string][] {
  if (backup === undefined)
    return mode === 'try'
      ? []
      : [['BACKUP', 'none: postern backup create --to PLACE, docs/guides/backup.md']];
  const { success, failure, drill, scheduled } = backup;
  const good =
    success === undefined
      ? 'none yet'
      : `${spanText(now - success.at)} old, ${sizeText(success.bytes)}, ${success.emails} message(s)`;
  const when = scheduled ? '' : ' (none is made by itself)';
  const tried =
    drill === undefined
      ? ', never restored to try it'
      : drill.ok
        ? `, restored to try it ${spanText(now - drill.at)} ago: all well`
        : '';
  return [
    [success === undefined ? 'BACKUP' : 'Backup', `${good}${success === undefined ? '' : tried}${when}`],
    ...(failure === undefined
      ? []
      : [
          ['BACKUP FAILED', `${spanText(now - failure.at)} ago: ${plain(failure.message)}`] as [
            string,
            string,
          ],
        ]),
    ...(drill === undefined || drill.ok
      ? []
      : [
          ['RESTORE DRILL FAILED', `${spanText(now - drill.at)} ago: ${plain(drill.problems[0] ?? '')}`] as [
            string,
            string,
          ],
        ]),
  ];
}

function refusedRows({ refusedWays }: Status): [string, string][] {
  if (refusedWays.length === 0) return [];
  const some = refusedWays.slice(0, 3).map(({ way, destination, cause }) => {
    return `${way} by ${destination === '*' ? 'everybody' : destination} (${cause})`;
  });
  const more = refusedWays.length > some.length ? `, and ${refusedWays.length - some.length} more` : '';
  return [['WAYS REFUSED', `${some.join(', ')}${more}: postern route refused`]];
}

/** Only what is not as it should be. */
function intakeRows({ intake }: Status, { timeZone }: CliIo): [string, string][] {
  if (intake === undefined) return [];
  const { alarmSince, problems } = intake;
  return [
    ...(alarmSince === undefined
      ? []
      : [
          ['INTAKE', `mail from Amazon SES waits too long, since ${timeText(alarmSince, timeZone)}`] as [
            string,
            string,
          ],
        ]),
    ...problems.map((problem): [string, string] => ['INTAKE', `${problem} (postern intake status)`]),
  ];
}

function filterRows({ filter }: Status): [string, string][] {
  if (filter === undefined) return [];
  if (!filter.enabled)
    return [['Filter', 'off: everything goes to the inbox (postern filter set enabled true)']];
  const down = filter.partners.filter(({ up }) => !up);
  const lists = filter.lists.filter(({ state }) => state === 'off' || state === 'resting');
  return [
    ...down.map(({ name, problem }): [string, string] => ['FILTER', `${name} does not answer: ${problem}`]),
    ...lists.map(({ zone, state, why }): [string, string] => [
      'DNS LIST',
      `${zone} is ${state}: ${why ?? ''}`,
    ]),
    ...(down.length + lists.length === 0 ? [['Filter', 'ok'] as [string, string]] : []),
  ];
}

/** "smtp 25 (starttls), imaps 993 (tls)"; both families of addresses are one. */
function ports(listeners: Status['listeners']): string {
  const texts = listeners.map(({ name, port, security }) => {
    const where = port === 0 ? '' : ` ${port}`;
    return `${name}${where}${security === 'none' ? '' : ` (${security.toUpperCase()})`}`;
  });
  return [...new Set(texts)].join(', ') || 'nothing';
}

function storeText({ store }: Status): string {
  const free = store.freeBytes === undefined ? '' : `, ${sizeText(store.freeBytes)} free on its disk`;
  const reopened =
    store.reopened === 0 ? '' : `; REOPENED ${store.reopened} time(s) after a failure, see the log`;
  return `database of ${sizeText(store.databaseBytes)}${free}${reopened}`;
}

function queueText({ queue, now }: Status): string {
  const waiting = queue.filter(({ count }) => count > 0);
  if (waiting.length === 0) return 'empty';
  return waiting
    .map(
      ({ state, count, oldest }) =>
        `${count} ${state}${oldest === undefined ? '' : ` (oldest ${spanText(now - oldest)})`}`,
    )
    .join(', ');
}

function certificates(value: Status, io: CliIo): [string, string][] {
  if (value.certificates.length === 0) return [['Certificate', 'none: mail programs cannot connect safely']];
  return value.certificates.map(({ names, notAfter }) => {
    const left = notAfter - value.now;
    const state =
      left <= 0
        ? 'EXPIRED'
        : left < CERTIFICATE_SOON_MS
          ? `EXPIRES in ${spanText(left)}`
          : `good for ${spanText(left)}`;
    return ['Certificate', `${names.join(', ')}: ${state}, until ${timeText(notAfter, io.timeZone)}`];
  });
}

export const statusCommands: readonly CliCommand[] = [
  {
    words: ['status'],
    summary: 'is all well: services, queue, certificates, disk',
    args: [],
    options: {},
    example: 'status',
    async run({ admin, io }) {
      const value = await admin.call(status.get, {});
      return { value, text: () => statusText(value, io) };
    },
  },
  {
    words: ['audit'],
    summary: 'who changed what',
    args: [],
    details: 'What is marked * can be taken back by "postern audit undo ID".',
    options: {
      limit: { value: 'N', help: 'at most so many changes (50)' },
      before: { value: 'ID', help: 'go on before this entry' },
      actor: { value: 'WHO', help: 'only of this person' },
      action: { value: 'WHAT', help: 'only account.role, or account for all that begin so' },
      text: { value: 'TEXT', help: 'part of anything in it' },
    },
    example: 'audit --limit 10',
    async run({ admin, io, text }) {
      const given = (['limit', 'before', 'actor', 'action', 'text'] as const).flatMap((name) => {
        const wanted = text(name);
        return wanted === undefined ? [] : [[name, wanted] as const];
      });
      const value = await admin.call(audit.list, Object.fromEntries(given));
      const rows = value.rows.map(({ id, undo, at, actor, action, subject, data }) => [
        `${id}${undo === 'possible' ? '*' : ''}`,
        timeText(at, io.timeZone),
        actor,
        action,
        subject,
        data === '{}' ? '' : plain(data),
      ]);
      const columns = [
        { title: 'ID', whole: true },
        { title: 'TIME', whole: true },
        { title: 'WHO' },
        { title: 'WHAT' },
        { title: 'OF' },
        { title: 'MORE' },
      ];
      return {
        value,
        text: () => (rows.length === 0 ? 'Nothing was changed yet.\n' : table(columns, rows, io.width)),
      };
    },
  },
];
