import { stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { DiskSpace } from '../../../base/disk-reserve.ts';
import type { BackupState } from '../../../data/backup/state.ts';
import { BANS_MAX } from '../../../data/bans/active.ts';
import { backupState } from './backup.ts';
import { type AdminContext, type IntakeHooks, operation } from './operation.ts';

/** Octets of a file, 0 when there is none. */
async function fileBytes(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  );
}

async function freeBytes(directory: string): Promise<number | undefined> {
  return statfs(directory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => undefined,
  );
}

async function backupFacts(
  backups: AdminContext['backups'],
): Promise<(BackupState & { scheduled: boolean }) | undefined> {
  if (backups === undefined) return undefined;
  const { target, every_hours: every } = await backups.settings();
  const state = await backups.state();
  const known = target !== '' || state.success !== undefined || state.drill !== undefined;
  return known ? { ...state, scheduled: target !== '' && every > 0 } : undefined;
}

const get = operation({
  method: 'GET',
  path: '/status',
  summary: 'How the server is',
  access: 'administrator',
  input: z.strictObject({}),
  output: z.object({
    version: z.string(),
    mode: z.enum(['try', 'serve']),
    hostname: z.string(),
    now: z.number(),
    startedAt: z.number(),
    dataDirectory: z.string(),
    node: z.string(),
    memoryBytes: z.number(),
    listeners: z.array(
      z.object({
        name: z.string(),
        address: z.string(),
        port: z.number(),
        security: z.enum(['tls', 'starttls', 'none']),
        open: z.boolean(),
      }),
    ),
    domains: z.number(),
    accounts: z.number(),
    aliases: z.number(),
    queue: z.array(z.object({ state: z.string(), count: z.number(), oldest: z.number().optional() })),
    store: z.object({
      /** The database with its log; bodies in files come on top. */
      databaseBytes: z.number(),
      /** Mail of all accounts, as quotas count it. */
      mailBytes: z.number(),
      emails: z.number(),
      freeBytes: z.number().optional(),
      /** How often it had to be opened again after a failure since the start. */
      reopened: z.number(),
    }),
    /** The disk of the data directory; `low`: new mail is put off. */
    disk: z
      .object({
        free: z.number(),
        total: z.number(),
        reserve: z.number(),
        low: z.boolean(),
        since: z.number().optional(),
      })
      .optional(),
    /** Accounts whose outgoing mail is held, or some of it. */
    held: z.number(),
    /** Ways to send that destinations ('*': all) refuse at present. */
    refusedWays: z.array(z.object({ way: z.string(), destination: z.string(), cause: z.string() })),
    /** Networks and accounts that are banned at present. */
    bans: z.number(),
    filter: z
      .object({
        enabled: z.boolean(),
        partners: z.array(z.object({ name: z.string(), up: z.boolean(), problem: z.string() })),
        lists: z.array(z.object({ zone: z.string(), state: z.string(), why: z.string().optional() })),
      })
      .optional(),
    /** Undefined: nothing is set, and nobody has made one. */
    backup: backupState.extend({ scheduled: z.boolean() }).optional(),
    /** Lookup tables that cannot be used as they are now. */
    lookup: z.array(z.object({ name: z.string(), state: z.string(), problem: z.string() })),
    /** Since when mail that SES took has waited too long; sources that cannot be used. */
    intake: z.object({ alarmSince: z.number().optional(), problems: z.array(z.string()) }).optional(),
    /** Certificates that could not be got by ACME, a sentence each. */
    acme: z.array(z.string()),
    journalError: z.object({ at: z.number(), message: z.string() }).optional(),
    certificates: z.array(
      z.object({
        names: z.array(z.string()).readonly(),
        notAfter: z.number(),
        certFile: z.string().optional(),
      }),
    ),
  }),
  async run({ store, clock, facts, guard, filter, lookup, intake, backups, certificates, housekeeping }) {
    await guard?.settled();
    const [domains, accounts, queue, held, refusals, bans] = await Promise.all([
      store.read.run('directory.domains', null),
      store.read.run('directory.accounts', {}),
      store.read.run('queue.counts', null),
      store.read.run('holds.list', null),
      store.read.run('routing.allRefusals', null),
      store.read.run('bans.after', { after: clock.now(), limit: BANS_MAX }),
    ]);
    const database = join(facts.dataDirectory, 'mail.db');
    const tables = ((await lookup?.states()) ?? []).filter(({ state }) => state !== 'ready');
    const backup = await backupFacts(backups);
    const journalError = facts.lastJournalError?.();
    return {
      version: facts.version,
      mode: facts.mode,
      hostname: facts.hostname,
      now: clock.now(),
      startedAt: facts.startedAt,
      dataDirectory: facts.dataDirectory,
      node: process.version,
      memoryBytes: process.memoryUsage.rss(),
      listeners: [...facts.listeners()],
      domains: domains.length,
      accounts: accounts.length,
      aliases: domains.reduce((sum, domain) => sum + domain.aliases, 0),
      queue,
      store: {
        databaseBytes: (await fileBytes(database)) + (await fileBytes(`${database}-wal`)),
        mailBytes: accounts.reduce((sum, { used }) => sum + used, 0),
        emails: accounts.reduce((sum, { emails }) => sum + emails, 0),
        freeBytes: await freeBytes(facts.dataDirectory),
        reopened: store.reopened(),
      },
      ...diskState(housekeeping),
      held: held.length,
      refusedWays: refusals.filter(({ until }) => until > clock.now()),
      bans: new Set(bans.map(({ kind, subject }) => `${kind} ${subject}`)).size,
      ...(filter !== undefined && {
        filter: { enabled: filter.enabled, partners: [...filter.partners()], lists: [...filter.lists()] },
      }),
      lookup: tables.map(({ name, state, problems }) => ({ name, state, problem: problems[0] ?? '' })),
      ...(intake !== undefined && { intake: intakeState(intake) }),
      ...(backup !== undefined && { backup }),
      acme: [...(certificates?.problems() ?? [])],
      ...(journalError !== undefined && { journalError }),
      certificates: [...facts.certificates()],
    };
  },
});

function diskState(hooks: AdminContext['housekeeping']): {
  disk?: DiskSpace & { reserve: number; low: boolean; since?: number };
} {
  const state = hooks?.disk.state();
  if (state === undefined) return {};
  const { since, ...rest } = state;
  return { disk: { ...rest, ...(since !== undefined && { since }) } };
}

function intakeState(hooks: IntakeHooks): { alarmSince?: number; problems: string[] } {
  const { alarmSince } = hooks;
  const problems = hooks
    .status()
    .flatMap(({ name, problem, ways }) => [
      ...(problem === '' ? [] : [`${name}: ${problem}`]),
      ...ways.filter((each) => each.problem !== '').map((each) => `${name}, ${each.way}: ${each.problem}`),
    ]);
  return { ...(alarmSince !== undefined && { alarmSince }), problems };
}

export const status = { get };
