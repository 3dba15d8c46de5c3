import { scanMessage } from '../../mail/message/scanner.ts';
import { applyEdits, compile, evaluate, SIEVE_LIMITS, sieveMessage } from '../../mail/sieve/index.ts';
import type {
  FccTarget,
  ScriptError,
  SieveAction,
  SieveEnvelope,
  SievePlan,
  SieveWorld,
} from '../../mail/sieve/types.ts';
import { notifyOctets, notifyTarget, vacationOctets } from './compose.ts';

/** What a script would do with a message, without a server: for `postern sieve test`. */

export interface AttemptMailbox {
  readonly name: string;
  readonly specialUse?: string | undefined;
  readonly id?: string | undefined;
}

const NEW_ACCOUNT: readonly AttemptMailbox[] = [
  { name: 'INBOX' },
  ...['Archive', 'Drafts', 'Junk', 'Sent', 'Trash'].map((name) => ({ name, specialUse: `\\${name}` })),
];

export interface AttemptRequest {
  readonly script: string;
  readonly message: Buffer;
  readonly envelope: SieveEnvelope;
  /** Addresses of the owner; the recipient when empty. */
  readonly addresses: readonly string[];
  /** Those that exist; undefined: those of a new account, and any other that is filed into. */
  readonly mailboxes: readonly AttemptMailbox[] | undefined;
  /** Flags that the message has where the script sets none. */
  readonly flags: readonly string[];
  readonly now: number;
  readonly zoneMinutes: number;
  /** 0 to 100; undefined: not tested. */
  readonly spamPercent: number | undefined;
  /** 0 to 5; undefined: not tested. */
  readonly virus: number | undefined;
  /** Keys that `duplicate` has seen. */
  readonly seen: readonly string[];
  readonly personal: Readonly<Record<string, string>>;
  readonly global: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly environment: Readonly<Record<string, string>>;
  /** Annotations; those of the server under ''. */
  readonly metadata: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly detailSeparator: string;
}

export interface StoredCopy {
  readonly folder: string;
  readonly flags: readonly string[];
  readonly line: number;
  readonly script: string;
  /** It was to go elsewhere, and that mailbox is missing. */
  readonly missing?: string;
  readonly message: Buffer;
}

export interface SentMessage {
  readonly kind: 'redirect' | 'vacation' | 'notify';
  readonly from: string;
  readonly to: string;
  readonly line: number;
  readonly script: string;
  readonly message: Buffer;
}

export interface AttemptAnswer {
  readonly actions: readonly SieveAction[];
  readonly stored: readonly StoredCopy[];
  readonly sent: readonly SentMessage[];
  readonly errors: readonly (ScriptError & { readonly script: string })[];
  readonly warnings: readonly ScriptError[];
  readonly remember: SievePlan['remember'];
  readonly log: SievePlan['log'];
}

function normalName(text: string): string {
  return text.normalize('NFC').replace(/^inbox(?=\/|$)/i, 'INBOX');
}

function sameName(a: string, b: string): boolean {
  return normalName(a) === normalName(b);
}

/** Of a record whose keys come from outside. */
function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

function worldOf(request: AttemptRequest): SieveWorld {
  const { mailboxes = NEW_ACCOUNT, spamPercent, virus, lists, metadata } = request;
  const percent = Math.min(Math.max(spamPercent ?? 0, 0), 100);
  const find = (name: string): AttemptMailbox | undefined =>
    mailboxes.find((box) => sameName(box.name, name));
  return {
    now: request.now,
    zoneMinutes: request.zoneMinutes,
    addresses: request.addresses.length > 0 ? request.addresses : [request.envelope.to],
    environment: { location: 'MDA', name: 'Postern', phase: 'during', ...request.environment },
    spam: {
      tested: spamPercent !== undefined,
      level: spamPercent === undefined ? 0 : 1 + Math.round((percent / 100) * 9),
      percent,
    },
    virus: { tested: virus !== undefined, level: virus ?? 0 },
    detailSeparator: request.detailSeparator,
    mailboxExists: (name) => Promise.resolve(find(name) !== undefined),
    mailboxIdExists: (id) => Promise.resolve(mailboxes.some((box) => box.id === id)),
    specialUseExists: (use, mailbox) => {
      const candidates = mailbox === undefined ? mailboxes : [find(mailbox)];
      return Promise.resolve(candidates.some((box) => box?.specialUse?.toLowerCase() === use.toLowerCase()));
    },
    metadata: (mailbox, name) => Promise.resolve(own(own(metadata, mailbox ?? '') ?? {}, name)),
    seen: (key) => Promise.resolve(request.seen.includes(key)),
    include: (name, location) => {
      const of = location === 'global' ? request.global : request.personal;
      return Promise.resolve(own(of, name));
    },
    listHas: (list, value) => Promise.resolve(own(lists, list)?.includes(value) === true),
    listExists: (list) => Promise.resolve(own(lists, list) !== undefined),
  };
}

export async function attempt(request: AttemptRequest): Promise<AttemptAnswer> {
  const compiled = compile(request.script, { limits: SIEVE_LIMITS });
  if (!compiled.ok) {
    const errors = compiled.errors.map((error) => ({ ...error, script: '' }));
    return { actions: [], stored: [], sent: [], errors, warnings: [], remember: [], log: [] };
  }
  const { message } = request;
  const structure = scanMessage(message);
  const seen = await sieveMessage(structure, (start, end) => message.subarray(start, end));
  const plan = await evaluate(compiled.script, seen, request.envelope, worldOf(request), SIEVE_LIMITS);
  const made = plan.actions.map((action) => outcomeOf(request, action, structure.root.bodyStart));
  return {
    actions: plan.actions,
    stored: made.flatMap(({ stored }) => stored),
    sent: made.flatMap(({ sent }) => sent),
    errors: plan.error === undefined ? [] : [plan.error],
    warnings: compiled.script.warnings,
    remember: plan.remember,
    log: plan.log,
  };
}

interface Made {
  readonly stored: readonly StoredCopy[];
  readonly sent: readonly SentMessage[];
}

function outcomeOf(request: AttemptRequest, action: SieveAction, bodyStart: number): Made {
  switch (action.kind) {
    case 'keep':
    case 'fileinto':
      return storedBy(request, action);
    case 'redirect':
      return {
        stored: [],
        sent: [sentBy(action, request.envelope.from, action.address, octetsOf(request, action))],
      };
    case 'vacation':
    case 'notify':
      return answeredBy(request, action, bodyStart);
    default:
      return { stored: [], sent: [] };
  }
}

function octetsOf({ message }: AttemptRequest, { edits }: SieveAction): Buffer {
  return edits === undefined ? message : applyEdits(message, edits);
}

function storedBy(
  request: AttemptRequest,
  action: SieveAction & { readonly kind: 'keep' | 'fileinto' },
): Made {
  const { line, script, flags = request.flags } = action;
  const place = action.kind === 'keep' ? { folder: 'INBOX' } : folderOf(request, action);
  return { stored: [{ ...place, flags, line, script, message: octetsOf(request, action) }], sent: [] };
}

function sentBy(
  { kind, line, script }: SieveAction & { readonly kind: SentMessage['kind'] },
  from: string,
  to: string,
  message: Buffer,
): SentMessage {
  return { kind, from, to, line, script, message };
}

function answeredBy(
  request: AttemptRequest,
  action: SieveAction & { readonly kind: 'vacation' | 'notify' },
  bodyStart: number,
): Made {
  const [owner = request.envelope.to] = request.addresses;
  const header = request.message.subarray(0, bodyStart);
  const about = { header, reversePath: request.envelope.from, owner, from: action.from ?? owner };
  const mails: SentMessage[] = [];
  if (action.kind === 'vacation') {
    mails.push(sentBy(action, '', action.to, vacationOctets(request.now, about, action)));
  } else {
    const target = notifyTarget(action);
    if (target !== undefined) {
      const octets = notifyOctets(request.now, about, action, target);
      mails.push(...target.recipients.map((to) => sentBy(action, '', to, octets)));
    }
  }
  const [first] = mails;
  return {
    stored: first === undefined ? [] : fccOf(request, action, action.fcc, first.message),
    sent: mails,
  };
}

function folderOf(
  { mailboxes: given }: AttemptRequest,
  action: Pick<SieveAction & { kind: 'fileinto' }, 'mailbox' | 'mailboxId' | 'specialUse' | 'create'>,
): Pick<StoredCopy, 'folder' | 'missing'> {
  const mailboxes = given ?? NEW_ACCOUNT;
  const found =
    (action.mailboxId === undefined ? undefined : mailboxes.find(({ id }) => id === action.mailboxId)) ??
    (action.specialUse === undefined
      ? undefined
      : mailboxes.find(({ specialUse }) => specialUse?.toLowerCase() === action.specialUse?.toLowerCase())) ??
    mailboxes.find(({ name }) => sameName(name, action.mailbox));
  if (found !== undefined) return { folder: found.name };
  if (action.create || given === undefined) return { folder: action.mailbox };
  return { folder: 'INBOX', missing: action.mailbox };
}

function fccOf(
  request: AttemptRequest,
  { line, script }: SieveAction,
  fcc: FccTarget | undefined,
  message: Buffer,
): StoredCopy[] {
  if (fcc === undefined) return [];
  return [
    { ...folderOf(request, { ...fcc, mailboxId: fcc.mailboxId }), flags: fcc.flags, line, script, message },
  ];
}
