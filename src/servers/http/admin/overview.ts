import { z } from 'zod';
import { SERIES } from '../../../data/stats/series.ts';
import { EMPTY, merge } from '../../../data/stats/types.ts';
import { isAdmin } from '../../../data/directory/permission.ts';
import type { Actor } from '../../../data/directory/types.ts';
import { type Said, verbatim } from '../../../base/words.ts';
import { healthSentences, healthWords } from '../health-words.ts';
import { remedy, said } from '../said.ts';
import { type AdminContext, operation } from './operation.ts';
import { scopeOf } from './scope.ts';
import { setupState } from './setup-state.ts';
import { pointsOf, valueOf } from './stats.ts';
import { status } from './status.ts';

/** What an administrator wants to see first. */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const problem = z.object({
  severity: z.enum(['warning', 'critical']),
  kind: z.string(),
  sentence: z.string(),
  remedy: z.string(),
  /** The same with codes. */
  words: z.array(said).readonly(),
  mend: remedy,
  since: z.number().optional(),
  /** The page that helps. */
  page: z.string().optional(),
});
type Problem = z.input<typeof problem>;

const today = z.object({
  since: z.number(),
  received: z.number(),
  junk: z.number(),
  refused: z.number(),
  submitted: z.number(),
  delivered: z.number(),
  deferred: z.number(),
  failed: z.number(),
  loginsFailed: z.number(),
  /** Milliseconds from being taken to being delivered elsewhere. */
  delayP50: z.number().optional(),
  delayP90: z.number().optional(),
});

const output = z.object({
  now: z.number(),
  version: z.string(),
  hostname: z.string(),
  mode: z.enum(['try', 'serve']),
  startedAt: z.number(),
  scope: z.enum(['all', 'domains']),
  domains: z.array(z.string()),
  health: z.enum(['good', 'warning', 'critical']),
  problems: z.array(problem),
  /** Absent for those who look after some domains only; so are the others below it. */
  today: today.optional(),
  queue: z.object({ waiting: z.number(), held: z.number(), oldest: z.number().optional() }).optional(),
  counts: z.object({
    domains: z.number(),
    accounts: z.number(),
    aliases: z.number(),
    emails: z.number(),
    mailBytes: z.number(),
    heldAccounts: z.number(),
    bans: z.number(),
  }),
  certificates: z.array(z.object({ names: z.array(z.string()), notAfter: z.number() })),
  backup: z
    .object({
      scheduled: z.boolean(),
      lastAt: z.number().optional(),
      failure: z.string().optional(),
      drillAt: z.number().optional(),
      drillOk: z.boolean().optional(),
    })
    .optional(),
  disk: z.object({ free: z.number(), total: z.number(), reserve: z.number(), low: z.boolean() }).optional(),
  setup: z.object({ complete: z.boolean(), open: z.number() }),
  updates: z.object({ current: z.string(), node: z.string() }),
});

const get = operation({
  method: 'GET',
  path: '/overview',
  summary: 'How the server is: what is wrong and what mends it, the numbers of the last day, what is in use',
  access: 'domain',
  input: z.strictObject({}),
  output,
  run: async (context, _input, actor) => (isAdmin(actor) ? whole(context, actor) : ofDomains(context, actor)),
});

type Overview = z.input<typeof output>;

/** What the whole and a part have in common. */
async function common(context: AdminContext, actor: Actor): Promise<Overview> {
  const { store, clock, facts } = context;
  const scope = await scopeOf(store, actor);
  const all = (await store.read.run('directory.domains', null)).filter(({ name }) => scope.covers(name));
  const accounts = (await store.read.run('directory.accounts', {})).filter(({ address }) =>
    scope.covers(address),
  );
  return {
    now: clock.now(),
    version: facts.version,
    hostname: facts.hostname,
    mode: facts.mode,
    startedAt: facts.startedAt,
    scope: scope.all ? 'all' : 'domains',
    domains: all.map(({ name }) => name),
    health: 'good',
    problems: [],
    counts: {
      domains: all.length,
      accounts: accounts.length,
      aliases: all.reduce((sum, { aliases }) => sum + aliases, 0),
      emails: accounts.reduce((sum, { emails }) => sum + emails, 0),
      mailBytes: accounts.reduce((sum, { used }) => sum + used, 0),
      heldAccounts: 0,
      bans: 0,
    },
    certificates: [],
    setup: { complete: true, open: 0 },
    updates: { current: facts.version, node: process.version },
  };
}

async function ofDomains(context: AdminContext, actor: Actor): Promise<Overview> {
  const shown = await common(context, actor);
  const full = (await context.store.read.run('directory.accounts', {})).filter(
    ({ address, quota, used }) =>
      quota > 0 &&
      used >= quota * 0.95 &&
      shown.domains.includes(address.slice(address.lastIndexOf('@') + 1)),
  );
  const problems = full
    .slice(0, 20)
    .map(
      ({ address }): Problem =>
        problemOf('quota', 'warning', say('quotaNearly', { address }), say('quotaMend'), 'accounts'),
    );
  return { ...shown, problems, health: problems.length > 0 ? 'warning' : 'good' };
}

async function whole(context: AdminContext, actor: Actor): Promise<Overview> {
  const [shown, state, alerts, setup, day] = await Promise.all([
    common(context, actor),
    status.get.run(context, {}, actor),
    context.store.read.run('alerts.list', null),
    setupState(context),
    lastDay(context),
  ]);
  const problems = [
    ...alerts.filter(({ clearedAt }) => clearedAt === undefined).map(alertProblem),
    ...statusProblems(
      state,
      new Set(alerts.flatMap(({ kind, clearedAt }) => (clearedAt === undefined ? [kind] : []))),
    ),
    ...(setup.firstRun ? [NO_DOMAIN] : []),
  ];
  const rows = new Map(state.queue.map((row) => [row.state, row]));
  const oldest = Math.min(...state.queue.flatMap((row) => row.oldest ?? []));
  const { success, failure, drill, scheduled } = state.backup ?? {};
  return {
    ...shown,
    problems,
    health: problems.some(({ severity }) => severity === 'critical')
      ? 'critical'
      : problems.length > 0
        ? 'warning'
        : 'good',
    today: day,
    queue: {
      waiting: (rows.get('queued')?.count ?? 0) + (rows.get('leased')?.count ?? 0),
      held: rows.get('held')?.count ?? 0,
      ...(Number.isFinite(oldest) && { oldest }),
    },
    counts: { ...shown.counts, heldAccounts: state.held, bans: state.bans },
    certificates: state.certificates.map(({ names, notAfter }) => ({ names: [...names], notAfter })),
    ...(state.backup !== undefined && {
      backup: {
        scheduled: scheduled === true,
        ...(success !== undefined && { lastAt: success.at }),
        ...(failure !== undefined && { failure: failure.message }),
        ...(drill !== undefined && { drillAt: drill.at, drillOk: drill.ok }),
      },
    }),
    ...(state.disk !== undefined && { disk: state.disk }),
    setup: { complete: setup.complete, open: setup.open },
  };
}

const { say } = healthWords;

/** `mends`: a sentence, or a command. */
function problemOf(
  kind: string,
  severity: Problem['severity'],
  sentence: Said,
  mends: Said | string,
  page: string,
): Problem {
  const mend = typeof mends === 'string' ? { command: mends } : { said: [mends] };
  const text = typeof mends === 'string' ? mends : mends.text;
  return { severity, kind, sentence: sentence.text, remedy: text, words: [sentence], mend, page };
}

const NO_DOMAIN = problemOf('setup', 'warning', say('noDomain'), say('noDomainMend'), 'setup');

/** The page that helps with each kind of alert (flow/alerts/settings.ts). */
const PAGES: Readonly<Record<string, string>> = {
  queue: 'queue',
  destination: 'queue',
  certificate: 'certificates',
  disk: 'status',
  'dns-list': 'dns',
  attack: 'bans',
  hold: 'holds',
  backup: 'backups',
  ses: 'ses',
};

function alertProblem(alert: {
  kind: string;
  severity: 'warning' | 'critical';
  summary: string;
  remedy: string;
  since: number;
}): Problem {
  const { kind, severity, summary: sentence, remedy: mend, since } = alert;
  const page = PAGES[kind];
  const mends = healthSentences(mend);
  return {
    severity,
    kind,
    sentence,
    remedy: mend,
    words: healthSentences(sentence),
    mend: mends.every(({ code }) => code !== '') ? { said: mends } : { command: mend },
    since,
    ...(page !== undefined && { page }),
  };
}

type Status = Awaited<ReturnType<typeof status.get.run>>;

type AddProblem = (...problem: Parameters<typeof problemOf>) => void;

/** What the status tells and no alert has told already. */
function statusProblems(state: Status, told: ReadonlySet<string>): Problem[] {
  const found: Problem[] = [];
  const add: AddProblem = (kind, ...rest) => {
    if (!told.has(kind)) found.push(problemOf(kind, ...rest));
  };
  if (state.journalError !== undefined)
    add(
      'journal',
      'critical',
      say('journal', { reason: state.journalError.message }),
      say('journalMend'),
      'status',
    );
  if (state.store.reopened > 0)
    add('store', 'warning', say('store', { count: state.store.reopened }), say('storeMend'), 'status');
  if (state.disk?.low === true) add('disk', 'critical', say('diskLow'), say('diskMend'), 'status');
  addPartProblems(state, add);
  return found;
}

/** Problems of the parts around the store. */
function addPartProblems(state: Status, add: AddProblem): void {
  for (const sentence of state.acme)
    add('certificate', 'warning', verbatim(sentence), 'postern certificate list', 'certificates');
  for (const { name, problem: reason } of state.lookup)
    add('lookup', 'warning', say('lookup', { name, reason }), 'postern lookup check', 'status');
  for (const words of state.intake?.problems ?? [])
    add('ses', 'warning', verbatim(words), 'postern intake status', 'ses');
  for (const { way, destination, cause: reason } of state.refusedWays.slice(0, 5)) {
    const host = destination === '*' ? say('everyHost') : destination;
    add('routes', 'warning', say('refusesWay', { host, way, reason }), 'postern route refused', 'routes');
  }
  for (const { name, up, problem: reason } of state.filter?.partners ?? [])
    if (!up) add('filter', 'warning', say('filterDown', { name, reason }), 'postern filter show', 'spam');
  // Port 143 is open without a certificate, too, and takes no login then.
  const readable = state.listeners.some(
    ({ name, open, security }) => open && security !== 'none' && /^imaps?$/.test(name),
  );
  if (!readable && state.mode === 'serve')
    add('listeners', 'warning', say('noImap'), 'postern certificate list', 'certificates');
}

async function lastDay(context: AdminContext): Promise<z.input<typeof today>> {
  const to = context.clock.now();
  const since = to - DAY_MS;
  const span = { resolution: 'minute', step: HOUR_MS, from: since, to } as const;
  let sum = EMPTY;
  for (const { sample } of await pointsOf(context, span)) if (sample !== undefined) sum = merge(sum, sample);
  const of = (name: string): number => sum.counts[name] ?? 0;
  const share = (name: string): number | undefined => {
    const series = SERIES.find((one) => one.name === name);
    return (series && valueOf(series, sum)) ?? undefined;
  };
  const [p50, p90] = [share('delay.p50'), share('delay.p90')];
  return {
    since,
    received: of('mail.received'),
    junk: of('mail.junk'),
    refused: of('mail.refused'),
    submitted: of('mail.submitted'),
    delivered: of('mail.delivered'),
    deferred: of('mail.deferred'),
    failed: of('mail.failed'),
    loginsFailed: of('logins.failed'),
    ...(p50 !== undefined && { delayP50: p50 }),
    ...(p90 !== undefined && { delayP90: p90 }),
  };
}

export const overview = { get };
