import type { DiskState } from '../../base/disk-reserve.ts';
import type { DestinationTrouble, Finding } from '../../data/alerts/alerts.ts';
import type { BackupState } from '../../data/backup/state.ts';
import type { HeldAccount } from '../../data/holds/types.ts';
import type { AlertKind, AlertSettings } from './settings.ts';

/** What can be wrong, each a function of plain facts. Undefined: it is not known at present, what was known stays. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Where most people's mail goes: what fails there concerns many. */
const PROVIDERS: ReadonlySet<string> = new Set([
  'gmail.com',
  'googlemail.com',
  'outlook.com',
  'hotmail.com',
  'live.com',
  'msn.com',
  'yahoo.com',
  'ymail.com',
  'aol.com',
  'icloud.com',
  'me.com',
  'mac.com',
  'proton.me',
  'protonmail.com',
  'gmx.de',
  'gmx.net',
  'web.de',
  't-online.de',
  'freenet.de',
  'orange.fr',
  'free.fr',
  'libero.it',
  'comcast.net',
  'mail.ru',
  'yandex.ru',
  'qq.com',
  '163.com',
  'zoho.com',
  'fastmail.com',
]);

/** All that is looked at, times in milliseconds. */
export interface AlertFacts {
  readonly now: number;
  readonly queue: readonly {
    readonly state: string;
    readonly count: number;
    readonly oldest?: number | undefined;
  }[];
  /** Of the last hour. */
  readonly destinations: readonly DestinationTrouble[];
  readonly certificates: readonly {
    readonly names: readonly string[];
    readonly notAfter: number;
    readonly notBefore?: number | undefined;
  }[];
  readonly disk: DiskState | undefined;
  /** What the doctor found about DNS lists: 0 ok, 1 unknown, 2 warning, 3 problem. */
  readonly lists: number | undefined;
  /** In the last ten minutes. */
  readonly failedLogins: number;
  readonly holds: readonly HeldAccount[];
  /** Undefined: none are scheduled. */
  readonly backup: (BackupState & { readonly everyHours: number; readonly startedAt: number }) | undefined;
  /** Since when mail that SES took waits too long. */
  readonly intakeSince: number | undefined;
}

type Check = (facts: AlertFacts, limits: AlertSettings['limits']) => readonly Found[] | undefined;
type Found = Omit<Finding, 'kind' | 'key'> & { readonly about?: string };

function span(ms: number): string {
  if (ms < 2 * HOUR) return `${Math.floor(ms / MINUTE)} min`;
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} hours` : `${Math.floor(ms / DAY)} days`;
}

const queue: Check = ({ queue: rows, now }, limits) => {
  const open = rows.filter(({ state }) => state !== 'held');
  const count = open.reduce((sum, row) => sum + row.count, 0);
  const oldest = Math.min(...open.flatMap((row) => row.oldest ?? []), now);
  const found: Found[] = [];
  if (count >= limits.queue_recipients)
    found.push({
      about: 'size',
      severity: 'warning',
      summary: `${count} recipients wait in the queue.`,
      remedy: 'postern queue list',
    });
  if (now - oldest >= limits.queue_minutes * MINUTE)
    found.push({
      about: 'age',
      severity: 'warning',
      summary: `Mail has waited in the queue for ${span(now - oldest)}.`,
      remedy: 'postern queue list',
    });
  return found;
};

const destination: Check = ({ destinations }, limits) =>
  destinations.flatMap(({ destination: domain, waiting, failed, delivered, reply }) => {
    const lost = waiting + failed;
    const large = PROVIDERS.has(domain);
    const limit = large ? limits.provider_recipients : limits.destination_recipients;
    // A few that do not exist among many that got theirs are nothing.
    if (lost < limit || delivered > lost) return [];
    const words = reply === '' ? '' : ` It says: ${reply.slice(0, 200)}`;
    return {
      about: domain,
      severity: large ? 'critical' : 'warning',
      summary: `Mail to ${domain} does not arrive: in the last hour ${failed} recipients were refused, ${waiting} wait, ${delivered} got it.${words}`,
      remedy: `postern queue list --to ${domain}`,
    };
  });

const certificate: Check = ({ certificates, now }, limits) =>
  certificates.flatMap(({ names, notAfter, notBefore }) => {
    const left = notAfter - now;
    const life = notBefore === undefined ? Number.POSITIVE_INFINITY : notAfter - notBefore;
    if (left > Math.min(limits.certificate_days * DAY, life / 6)) return [];
    const name = names[0] ?? '';
    return {
      about: name,
      severity: left < 2 * DAY ? 'critical' : 'warning',
      summary:
        left <= 0
          ? `The certificate of ${name} has ended: mail programs refuse to connect.`
          : `The certificate of ${name} ends in ${span(left)}.`,
      remedy: 'postern certificate list',
    };
  });

const disk: Check = ({ disk: state }) => {
  if (state === undefined) return undefined;
  const megabytes = Math.round(state.free / 1_000_000);
  if (state.low)
    return [
      {
        severity: 'critical',
        summary: `The disk is nearly full (${megabytes} MB free): new mail is put off.`,
        remedy: 'Make room, or give it a larger disk',
      },
    ];
  if (state.free >= 2 * state.reserve) return [];
  return [
    {
      severity: 'warning',
      summary: `The disk fills: ${megabytes} MB are free; below ${Math.round(state.reserve / 1_000_000)} MB new mail is put off.`,
      remedy: 'Make room, or give it a larger disk',
    },
  ];
};

const dnsList: Check = ({ lists }) => {
  // Nobody has looked, or could.
  if (lists === undefined || lists === 1) return undefined;
  if (lists < 2) return [];
  return [
    {
      severity: lists === 3 ? 'critical' : 'warning',
      summary: 'An address of ours is on a DNS list: others refuse our mail.',
      remedy: 'postern doctor',
    },
  ];
};

const attack: Check = ({ failedLogins }, limits) =>
  failedLogins < limits.failed_logins
    ? []
    : [
        {
          severity: 'warning',
          summary: `Somebody guesses passwords: ${failedLogins} failed logins within ten minutes.`,
          remedy: 'postern ban list',
        },
      ];

const hold: Check = ({ holds }) =>
  holds.flatMap(({ account, hold: held }) =>
    held === undefined
      ? []
      : {
          about: account,
          severity: 'critical',
          summary: `What ${account} sends is held, because ${held.reason}. Its password may be stolen.`,
          remedy: 'postern hold list',
        },
  );

const backup: Check = ({ backup: state, now }, limits) => {
  if (state === undefined) return [];
  const found: Found[] = [];
  const age = now - (state.success?.at ?? state.startedAt);
  if (age > Math.max(limits.backup_hours, 2 * state.everyHours) * HOUR) {
    const why = state.failure === undefined ? '' : ` The last try failed: ${state.failure.message}`;
    const none = `There is no good backup, for ${span(age)} now.`;
    found.push({
      about: 'age',
      severity: 'critical',
      summary: `${state.success === undefined ? none : `The last good backup is ${span(age)} old.`}${why}`,
      remedy: 'postern status',
    });
  }
  if (state.drill?.ok === false)
    found.push({
      about: 'drill',
      severity: 'critical',
      summary: `A backup could not be restored when that was tried: ${state.drill.problems[0] ?? ''}`,
      remedy: 'postern status',
    });
  return found;
};

const ses: Check = ({ intakeSince, now }) =>
  intakeSince === undefined
    ? []
    : [
        {
          severity: 'critical',
          summary: `Mail that Amazon SES took for us has waited too long, since ${span(now - intakeSince)}.`,
          remedy: 'postern intake status',
        },
      ];

const CHECKS: Readonly<Record<AlertKind, Check>> = {
  queue,
  destination,
  certificate,
  disk,
  'dns-list': dnsList,
  attack,
  hold,
  backup,
  ses,
};

export interface Looked {
  readonly found: readonly Finding[];
  /** Kinds that could not be judged. */
  readonly unknown: ReadonlySet<string>;
}

/** Everything that is wrong now, of the kinds that are wanted. */
export function runChecks(facts: AlertFacts, settings: AlertSettings): Looked {
  const found: Finding[] = [];
  const unknown = new Set<string>();
  for (const [kind, check] of Object.entries(CHECKS) as [AlertKind, Check][]) {
    if (settings.off.includes(kind)) continue;
    const result = check(facts, settings.limits);
    if (result === undefined) unknown.add(kind);
    for (const { about = '', severity, summary, remedy } of result ?? [])
      found.push({ key: `${kind} ${about}`.trim(), kind, severity, summary, remedy });
  }
  return { found, unknown };
}
