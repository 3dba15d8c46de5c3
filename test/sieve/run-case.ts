/** Runs one case of the conformance set and renders what came out in lines that a case file can hold. */
import { scanMessage } from '../../src/mail/message/scanner.ts';
import { applyEdits, compile, evaluate, SIEVE_LIMITS, sieveMessage } from '../../src/mail/sieve/index.ts';
import type {
  FccTarget,
  SieveAction,
  SieveLimits,
  SievePlan,
  SieveWorld,
} from '../../src/mail/sieve/types.ts';

/** What a case's JSON says of the world around the message; what is missing has a default. */
export interface CaseWorld {
  readonly now?: string;
  readonly zoneMinutes?: number;
  readonly addresses?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly spam?: { readonly level: number; readonly percent: number };
  readonly virus?: number;
  readonly detailSeparator?: string;
  readonly mailboxes?: readonly string[];
  readonly mailboxIds?: readonly string[];
  /** Special use to mailbox. */
  readonly specialUses?: Readonly<Record<string, string>>;
  /** Mailbox ("" the server) to annotations. */
  readonly metadata?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly personal?: Readonly<Record<string, string>>;
  readonly global?: Readonly<Record<string, string>>;
  readonly lists?: Readonly<Record<string, readonly string[]>>;
}

export interface Case {
  readonly about: string;
  /** A file of `messages/` without ".eml"; "plain" where nothing is said. */
  readonly message?: string;
  readonly envelope?: {
    readonly from?: string;
    readonly to?: string;
    readonly auth?: string;
    readonly params?: Readonly<Record<string, string>>;
  };
  readonly world?: CaseWorld;
  readonly limits?: Partial<SieveLimits>;
  readonly extensions?: readonly string[];
  /** How often the script runs with what it remembered; the last run counts. */
  readonly runs?: number;
  /** Compile errors "line:column part of the message", all of them. */
  readonly errors?: readonly string[];
  readonly warnings?: readonly string[];
  /** Actions in order, as `renderAction` writes them. */
  readonly actions?: readonly string[];
  /** The error of the run: "line part of the message", with "script:" before it for an included one. */
  readonly error?: string;
  /** Texts that the message of the last action with edits has, and has not. */
  readonly has?: readonly string[];
  readonly hasNot?: readonly string[];
  /** Parts of log lines. */
  readonly log?: readonly string[];
  /** Seconds for which keys are remembered. */
  readonly remember?: readonly number[];
}

function renderFcc(fcc: FccTarget | undefined): string {
  if (fcc === undefined) return '';
  const flags = fcc.flags.length > 0 ? ` flags=${fcc.flags.join(',')}` : '';
  return ` fcc=${fcc.mailbox}${fcc.create ? ' create' : ''}${flags}${option('use', fcc.specialUse)}${option('id', fcc.mailboxId)}`;
}

function option(name: string, value: string | number | undefined): string {
  return value === undefined ? '' : ` ${name}=${value}`;
}

function renderFlags(flags: readonly string[] | undefined): string {
  return flags === undefined ? '' : ` flags=${flags.join(',')}`;
}

/** One action in one line. */
export function renderAction(action: SieveAction): string {
  switch (action.kind) {
    case 'keep':
      return `keep${action.implicit ? ' implicit' : ''}${renderFlags(action.flags)}`;
    case 'fileinto':
      return `fileinto ${action.mailbox}${option('id', action.mailboxId)}${option('use', action.specialUse)}${action.create ? ' create' : ''}${renderFlags(action.flags)}`;
    case 'redirect':
      return `redirect ${action.address}${option('list', action.list)}${option('notify', action.notify)}${option('ret', action.ret)}`;
    case 'reject':
      return `${action.extended ? 'ereject' : 'reject'} ${action.reason}`;
    case 'vacation':
      return `vacation to=${action.to} seconds=${action.periodSeconds} subject=${action.subject}${action.mime ? ' mime' : ''}${option('from', action.from)}${renderFcc(action.fcc)} reason=${action.reason}`;
    case 'notify':
      return `notify ${action.method} importance=${action.importance}${option('from', action.from)}${option('message', action.message)}${action.options.length > 0 ? ` options=${action.options.join(',')}` : ''}${renderFcc(action.fcc)}`;
    default:
      return action.kind;
  }
}

function worldOf(world: CaseWorld, seen: ReadonlySet<string>): SieveWorld {
  const own = (name: string, of: Readonly<Record<string, string>> | undefined): string | undefined =>
    of !== undefined && Object.hasOwn(of, name) ? of[name] : undefined;
  return {
    now: Date.parse(world.now ?? '2026-03-04T05:06:07Z'),
    zoneMinutes: world.zoneMinutes ?? 0,
    addresses: world.addresses ?? ['ann@example.org'],
    environment: world.environment ?? {},
    spam: { tested: world.spam !== undefined, ...(world.spam ?? { level: 0, percent: 0 }) },
    virus: { tested: world.virus !== undefined, level: world.virus ?? 0 },
    detailSeparator: world.detailSeparator ?? '+',
    mailboxExists: async (name) => (world.mailboxes ?? []).includes(name),
    mailboxIdExists: async (id) => (world.mailboxIds ?? []).includes(id),
    specialUseExists: async (use, mailbox) => {
      const found = own(use, world.specialUses);
      return found !== undefined && (mailbox === undefined || found === mailbox);
    },
    metadata: async (mailbox, name) => own(name, world.metadata?.[mailbox ?? '']),
    seen: async (key) => seen.has(key),
    include: async (name, location) => own(name, location === 'global' ? world.global : world.personal),
    listHas: async (list, value) => (world.lists?.[list] ?? []).includes(value.toLowerCase()),
    listExists: async (list) => world.lists !== undefined && Object.hasOwn(world.lists, list),
  };
}

export interface Outcome {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  readonly actions: readonly string[];
  readonly error: string | undefined;
  readonly log: readonly string[];
  readonly remember: readonly number[];
  /** The message as the last action with edits has it. */
  readonly edited: string | undefined;
}

function outcomeOf(plan: SievePlan, octets: Buffer): Outcome {
  const edits = plan.actions.findLast((action) => action.edits !== undefined)?.edits;
  const { error } = plan;
  return {
    errors: [],
    warnings: [],
    actions: plan.actions.map(renderAction),
    error: error && `${error.script === '' ? '' : `${error.script}:`}${error.line} ${error.message}`,
    log: plan.log.map(({ text }) => text),
    remember: plan.remember.map(({ seconds }) => seconds),
    edited: edits && applyEdits(octets, edits).toString('utf8'),
  };
}

/** Runs a script on a message as a case says. */
export async function runCase(source: string, octets: Buffer, one: Case): Promise<Outcome> {
  const limits = { ...SIEVE_LIMITS, ...one.limits };
  const compiled = compile(source, { limits, ...(one.extensions && { extensions: one.extensions }) });
  const place = (list: readonly { line: number; column: number; message: string }[]): string[] =>
    list.map(({ line, column, message }) => `${line}:${column} ${message}`);
  if (!compiled.ok) {
    const nothing = { warnings: [], actions: [], error: undefined, log: [], remember: [], edited: undefined };
    return { ...nothing, errors: place(compiled.errors) };
  }
  const envelope = {
    from: one.envelope?.from ?? 'bob@example.com',
    to: one.envelope?.to ?? 'ann@example.org',
    auth: one.envelope?.auth,
    ...(one.envelope?.params && { params: one.envelope.params }),
  };
  const seen = new Set<string>();
  let outcome: Outcome | undefined;
  for (let run = 0; run < (one.runs ?? 1); run++) {
    const message = await sieveMessage(scanMessage(octets), (start, end) => octets.subarray(start, end));
    const plan = await evaluate(compiled.script, message, envelope, worldOf(one.world ?? {}, seen), limits);
    for (const { key } of plan.remember) seen.add(key);
    outcome = outcomeOf(plan, octets);
  }
  if (outcome === undefined) throw new Error('a case that runs not at all');
  return { ...outcome, warnings: place(compiled.script.warnings) };
}
