import { resolve } from 'node:path';
import type { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { pruneBackups } from '../../../data/backup/prune.ts';
import { removeDamaged, verifySnapshots } from '../../../data/backup/verify.ts';
import { chosenSnapshot } from '../../../flow/backup/job.ts';
import { operations } from '../../../servers/http/admin/operations.ts';
import { createOffline, progressTo, restoreOffline, restoreToFiles } from '../backup-offline.ts';
import {
  forServer,
  FROM_OPTION,
  isNobody,
  SOURCE_OPTIONS,
  sourceOf,
  withRepository,
} from '../backup-source.ts';
import { type Call, type CliCommand, type Outcome, said, UsageError } from '../command.ts';
import { plain, table } from '../plain-text.ts';
import { sizeText, spanText, timeText } from '../quantities.ts';

const { backup } = operations;
type Task = NonNullable<z.output<typeof backup.state.output>['task']>;
type Result = Extract<NonNullable<Task['end']>, { ok: true }>['result'];

/** Milliseconds between two looks at what the server does. */
const LOOK_MS = 150;

/** Wait for a task of the server. */
async function follow(call: Call, { id }: Task): Promise<Result> {
  const { admin, io } = call;
  const progress = progressTo(call);
  for (;;) {
    const { task } = await admin.call(backup.state, {});
    if (task === undefined || task.id !== id)
      throw new Refusal('unavailable', 'The server has begun anew, and with it what it did for you.');
    if (task.progress !== undefined) progress?.(task.progress);
    if (task.end?.ok === true) return task.end.result;
    if (task.end?.ok === false) throw new Refusal('unavailable', task.end.message);
    await io.clock.sleep(LOOK_MS);
  }
}

async function create(call: Call): Promise<Outcome> {
  const { admin, text } = call;
  const to = text('to');
  const source = to === undefined ? undefined : await sourceOf(call, to, { twice: true });
  const told = (
    snapshot: { id: string; bytes: number; added: number; emails: number; files: number },
    problems: readonly string[],
  ): Outcome => {
    const { id, bytes, added, emails, files } = snapshot;
    const lines = [
      `Backup ${id} is made: ${emails} message(s), ${files} file(s), ${sizeText(bytes)}, of which ${sizeText(added)} were added.`,
      ...problems.map((problem) => `LEFT OUT: ${plain(problem)}`),
    ];
    return said(lines.join('\n'), { snapshot, problems });
  };
  try {
    const where = source === undefined ? {} : { elsewhere: forServer(source) };
    const { task } = await admin.call(backup.run, { kind: 'create', ...where });
    const result = await follow(call, task);
    if (result.kind !== 'create') throw new Error('another task answered');
    return told(result.snapshot, result.problems);
  } catch (error) {
    if (source === undefined || !isNobody(error)) throw error;
    const { snapshot, problems } = await createOffline(call, source);
    return told(snapshot, [...problems, 'the configuration (it is taken along while the server runs)']);
  }
}

async function list(call: Call): Promise<Outcome> {
  const { io, text } = call;
  const { snapshots, damaged } = await withRepository(
    call,
    await sourceOf(call, text('from')),
    (repository) => repository.snapshots(),
  );
  const rows = snapshots.map(({ id, at, host, emails, bytes, added }) => [
    id,
    timeText(at, io.timeZone),
    String(emails),
    sizeText(bytes),
    sizeText(added),
    host,
  ]);
  const columns = [
    { title: 'ID', whole: true },
    { title: 'OF', whole: true },
    { title: 'MAIL', whole: true, right: true },
    { title: 'SIZE', whole: true, right: true },
    { title: 'ADDED', whole: true, right: true },
    { title: 'HOST' },
  ];
  const bad = damaged.map((name) => `DAMAGED: ${plain(name)}\n`).join('');
  return {
    value: {
      snapshots: snapshots.map(({ index, ...facts }) => ({ ...facts, pieces: index.length })),
      damaged,
    },
    text: () =>
      rows.length === 0 ? `There is no whole backup yet.\n${bad}` : table(columns, rows, io.width) + bad,
    status: damaged.length > 0 ? 1 : 0,
  };
}

async function verify(call: Call): Promise<Outcome> {
  const { text, on, io } = call;
  const source = await sourceOf(call, text('from'));
  const value = await withRepository(call, source, async (repository) => {
    const { snapshots, damaged } = await repository.snapshots();
    const named = text('snapshot');
    const wanted = named === undefined ? snapshots : [await chosenSnapshot(repository, named)];
    const result = await verifySnapshots(repository, wanted);
    if (on('repair')) await removeDamaged(repository, result, io.clock);
    const problems = [...damaged.map((name) => `${name} cannot be read`), ...result.problems];
    return { ...result, problems };
  });
  const { snapshots, chunks, bytes, problems } = value;
  const good = `${snapshots} backup(s) were read back whole: ${chunks} chunks, ${sizeText(bytes)}, each as it was written.\n`;
  return {
    value,
    text: () =>
      problems.length === 0
        ? good
        : `THE BACKUP IS DAMAGED:\n${problems.map((problem) => `  ${plain(problem)}\n`).join('')}${
            on('repair')
              ? 'What is damaged is removed: make a backup now, and verify again.\n'
              : '--repair removes what is damaged, so that the next backup writes it anew.\n'
          }`,
    status: problems.length === 0 ? 0 : 1,
  };
}

async function prune(call: Call): Promise<Outcome> {
  const { text, on, io, admin } = call;
  const from = text('from');
  const source = await sourceOf(call, from);
  const settings = from === undefined ? (await admin.call(backup.show, {})).settings : undefined;
  const number = (option: string, otherwise: number): number => {
    const given = text(option);
    if (given === undefined) return otherwise;
    if (!/^\d{1,4}$/.test(given)) throw new UsageError(`--${option} takes a number`);
    return Number(given);
  };
  const rules = {
    daily: number('daily', settings?.keep_daily ?? 7),
    weekly: number('weekly', settings?.keep_weekly ?? 4),
    monthly: number('monthly', settings?.keep_monthly ?? 6),
  };
  const dryRun = on('dry-run');
  const value = await withRepository(call, source, (repository) =>
    pruneBackups(repository, rules, io.clock, { dryRun }),
  );
  const [would, are] = dryRun ? [' would be', 'would stay'] : [' are', 'stay'];
  const lines = [
    ...value.removed.map((id) => `${id}${dryRun ? ' would go' : ' is gone'}`),
    `${value.kept.length} backup(s) ${are}; ${value.chunks} chunks, ${sizeText(value.bytes)},${would} given back.`,
  ];
  return said(lines.join('\n'), value);
}

async function restore(call: Call): Promise<Outcome> {
  const { text, on, io } = call;
  const [account, mailbox, uid] = [text('account'), text('mailbox'), text('uid')];
  if (account === undefined && (mailbox !== undefined || uid !== undefined))
    throw new UsageError('say whose mailbox: --account ADDRESS');
  if (uid !== undefined && (!/^\d{1,10}$/.test(uid) || mailbox === undefined))
    throw new UsageError('--uid takes a number, and needs --mailbox');
  if (account === undefined) return restoreAll(call);
  const what = {
    account,
    mailbox,
    uid: uid === undefined ? undefined : Number(uid),
    snapshot: text('snapshot'),
  };
  const files = text('eml');
  const source = await sourceOf(call, text('from'));
  if (files !== undefined) {
    const count = await restoreToFiles(call, source, what, resolve(io.cwd, files));
    return said(`${count} message(s) of ${plain(account)} are in ${files}.`, { count });
  }
  if (on('hold-queue') || on('as-it-was') || on('place-system'))
    throw new UsageError('that is for restoring everything, without --account');
  return restoreInto(call, { ...what, elsewhere: forServer(source) });
}

async function restoreInto(call: Call, request: z.input<typeof backup.restore.input>): Promise<Outcome> {
  const { admin, text } = call;
  const [to, below] = [text('to'), text('below')];
  const wanted = Object.entries({ ...request, to, below }).filter(([, value]) => value !== undefined);
  const { task } = await admin.call(backup.restore, Object.fromEntries(wanted) as typeof request);
  const result = await follow(call, task);
  if (result.kind !== 'restore') throw new Error('another task answered');
  const lines = result.mailboxes
    .filter(({ restored, there }) => restored + there > 0)
    .map(({ name, restored, there }) => `${plain(name)}: ${restored} restored, ${there} there already`);
  const scripts = result.scripts === 0 ? [] : [`${result.scripts} filter script(s) are back.`];
  return said([...lines, `${result.restored} message(s) are back.`, ...scripts].join('\n'), result);
}

async function restoreAll(call: Call): Promise<Outcome> {
  const { text, io, on } = call;
  if (text('to') !== undefined || text('below') !== undefined || text('eml') !== undefined)
    throw new UsageError('that needs --account; without it everything is restored');
  const from = text('from');
  if (from === undefined) throw new UsageError('say which backup: --from PLACE');
  const value = await restoreOffline(call, await sourceOf(call, from));
  const { directory, at, emails, bytes, waiting, system } = value;
  const lines = [
    `${emails} message(s), ${sizeText(bytes)}, as of ${timeText(at, io.timeZone)}, are in ${directory}.`,
    ...(system.length === 0
      ? []
      : ['From elsewhere on the machine:', ...system.map((path) => `  ${plain(path)}`)]),
    ...(on('hold-queue')
      ? ['What waited in the queue is held: "postern queue list", then "postern queue release".']
      : waiting === 0
        ? []
        : [
            `${waiting} recipient(s) wait in the queue and are tried when the server starts, also those that got their mail since.`,
          ]),
    `Now start the server ("systemctl start postern"), and look: "postern status".`,
  ];
  return said(lines.join('\n'), value);
}

async function drill(call: Call): Promise<Outcome> {
  const { admin, text } = call;
  const from = text('from');
  const where = from === undefined ? {} : { elsewhere: forServer(await sourceOf(call, from)) };
  const { task } = await admin.call(backup.run, { kind: 'drill', ...where });
  const value = await follow(call, task);
  if (value.kind !== 'drill') throw new Error('another task answered');
  const { ok, snapshot, mailboxes, messages, compared, bytes, problems } = value;
  const lines = ok
    ? [
        `Backup ${snapshot} was restored and read: ${messages} message(s) in ${mailboxes.length} mailboxes, ${sizeText(bytes)}; the database is whole.`,
        `${compared} of them the server still has, the same octet by octet.`,
      ]
    : ['THE RESTORE DRILL FAILED:', ...problems.map((problem) => `  ${plain(problem)}`)];
  return { value, text: () => `${lines.join('\n')}\n`, status: ok ? 0 : 1 };
}

async function show({ admin, io }: Call): Promise<Outcome> {
  const [{ settings, changed }, { state, task, now }] = await Promise.all([
    admin.call(backup.show, {}),
    admin.call(backup.state, {}),
  ]);
  const rows = Object.entries(settings).map(([name, value]) => [
    `${changed.includes(name) ? '* ' : '  '}${name}`,
    value === '' ? '""' : String(value),
  ]);
  const { success, failure, drill: tried } = state;
  const lines = [
    success === undefined
      ? 'No backup was made yet.'
      : `Last backup: ${success.snapshot}, ${spanText(now - success.at)} old, ${sizeText(success.bytes)}; ${success.snapshots} are there.`,
    ...(success?.problems ?? []).map((problem) => `LEFT OUT: ${plain(problem)}`),
    ...(failure === undefined ? [] : [`FAILED ${spanText(now - failure.at)} ago: ${plain(failure.message)}`]),
    tried === undefined
      ? 'No restore drill yet.'
      : `Restore drill ${spanText(now - tried.at)} ago: ${tried.ok ? `all well, ${tried.messages} message(s)` : plain(tried.problems.join('; '))}.`,
    ...(task === undefined || task.end !== undefined ? [] : [`At work now: ${task.kind}.`]),
  ];
  return {
    value: { settings, changed, state },
    text: () =>
      `${table([{ title: '  SETTING', whole: true }, { title: 'VALUE' }], rows, io.width)}\n${lines.join('\n')}\n`,
  };
}

async function set({ admin, arg }: Call): Promise<Outcome> {
  const [name, given] = [arg(0), arg(1)];
  const number = /^\d+(\.\d+)?$/.test(given) ? Number(given) : given;
  const value = await admin.call(backup.set, { name, value: given === 'default' ? null : number });
  return said(`${plain(name)} is set.`, value);
}

const SNAPSHOT = {
  value: 'ID',
  help: 'which backup, as "postern backup list" names it (default: the newest)',
};

export const backupCommands: readonly CliCommand[] = [
  {
    words: ['backup', 'create'],
    summary: 'make a backup now: everything, what is new since the last one',
    details:
      'Mail goes on meanwhile. The first one at a place makes it ready; without its passphrase or key file nobody can ever read it, you neither. A stopped server is backed up too. docs/guides/backup.md.',
    args: [],
    options: {
      to: {
        value: 'PLACE',
        help: 'a directory or s3://BUCKET/PREFIX (default: the one of "postern backup show")',
      },
      ...SOURCE_OPTIONS,
    },
    example: 'backup create --to /mnt/backup/postern',
    offline: true,
    run: create,
  },
  {
    words: ['backup', 'list'],
    summary: 'the backups that are there',
    args: [],
    options: { from: FROM_OPTION, ...SOURCE_OPTIONS },
    example: 'backup list',
    offline: true,
    run: list,
  },
  {
    words: ['backup', 'verify'],
    summary: 'read everything back and compare it with what was written',
    args: [],
    options: {
      from: FROM_OPTION,
      snapshot: { ...SNAPSHOT, help: 'only this one (default: all)' },
      repair: { help: 'remove what is damaged, so that the next backup writes it anew' },
      ...SOURCE_OPTIONS,
    },
    example: 'backup verify --from /mnt/backup/postern',
    offline: true,
    run: verify,
  },
  {
    words: ['backup', 'restore'],
    summary: 'put back everything onto a new machine, or an account, a mailbox, a message',
    details:
      'Without --account everything goes into the data directory (--data), which must be empty: install Postern, run this, start it. With --account the mail goes to the running server, beside what is there and without doubles, or to files (--eml).',
    args: [],
    options: {
      from: FROM_OPTION,
      snapshot: SNAPSHOT,
      account: { value: 'ADDRESS', help: 'only the mail of this account' },
      mailbox: { value: 'NAME', help: 'only this mailbox of it' },
      uid: { value: 'N', help: 'only this message of the mailbox' },
      to: { value: 'ADDRESS', help: 'into another account' },
      below: { value: 'NAME', help: 'into mailboxes below this one' },
      eml: { value: 'DIR', help: 'as files into this directory; needs no server' },
      'hold-queue': { help: 'everything: hold what waits in the queue, as it may have been sent since' },
      'place-system': { help: 'everything: put configuration and certificates to where they were' },
      'as-it-was': { help: 'everything: to look at, not to go on with' },
      user: { value: 'NAME', help: 'everything, as root: whose the files are (default: postern)' },
      ...SOURCE_OPTIONS,
    },
    example: 'backup restore --account alice@example.org --mailbox Archive',
    offline: true,
    run: restore,
  },
  {
    words: ['backup', 'prune'],
    summary: 'remove old backups: the last of each day, week and month stay for a while',
    args: [],
    options: {
      from: FROM_OPTION,
      daily: { value: 'N', help: 'days (7)' },
      weekly: { value: 'N', help: 'weeks (4)' },
      monthly: { value: 'N', help: 'months (6)' },
      'dry-run': { help: 'only say what would go' },
      ...SOURCE_OPTIONS,
    },
    example: 'backup prune --dry-run',
    offline: true,
    run: prune,
  },
  {
    words: ['backup', 'drill'],
    summary: 'restore the newest backup into a scratch directory and compare it with the server',
    args: [],
    options: { from: FROM_OPTION, ...SOURCE_OPTIONS },
    example: 'backup drill',
    run: drill,
  },
  {
    words: ['backup', 'show'],
    summary: 'where and when backups are made, and how the last ones went',
    details: 'Settings marked with * were changed. docs/guides/backup.md explains each.',
    args: [],
    options: {},
    example: 'backup show',
    run: show,
  },
  {
    words: ['backup', 'set'],
    summary: 'change where and when backups are made',
    args: [
      { name: 'NAME', help: 'as "postern backup show" names it' },
      { name: 'VALUE', help: 'the new value; "default" brings the default back' },
    ],
    options: {},
    example: 'backup set target /mnt/backup/postern',
    run: set,
  },
];
