import type { OtherMessage } from '../../data/delivery/scripted.ts';
import { Flag, type FlagSet, type Mailbox, type SpecialUse } from '../../data/mailstore/types.ts';
import { SEPARATOR } from '../../data/mailstore/names.ts';
import { isReserved, validName } from '../../data/sharing/namespaces.ts';
import { hasRights, Right } from '../../data/sharing/rights.ts';
import type { MessageStructure } from '../../mail/message/structure.ts';
import type { FccTarget, SieveAction } from '../../mail/sieve/types.ts';
import type { PlannedDeposit } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { Intake, parsedContent } from '../intake.ts';
import { depositEvents } from '../journal.ts';
import type { ChangedMessage, DoneAction, ScriptInput } from './types.ts';
import { type AccountFacts, boxForUse, boxNamed, boxWithId } from './world.ts';

/** Octets that are scanned in one go. */
const PIECE = 64 * 1024;

type Target = PlannedDeposit['deposit']['mailbox'];
type Fileinto = SieveAction & { readonly kind: 'fileinto' };

/** Where something goes, in words, and whether that is what was asked for. */
export interface Filed {
  readonly mailbox: Target;
  readonly name: string;
  /** Why it is not where it was to go. */
  readonly missing: string | undefined;
  /** Of a mailbox of somebody else: whose, and what may be done there. */
  readonly other?: { readonly accountId: number; readonly rights: number };
}

const SYSTEM_FLAGS: ReadonlyMap<string, number> = new Map([
  ['\\seen', Flag.Seen],
  ['\\answered', Flag.Answered],
  ['\\flagged', Flag.Flagged],
  ['\\deleted', Flag.Deleted],
  ['\\draft', Flag.Draft],
]);

/** Flags as scripts write them (RFC 5232 2); what is no flag is left out when it is stored. */
export function flagSet(flags: readonly string[] | undefined): FlagSet {
  let bits = 0;
  const keywords: string[] = [];
  for (const flag of flags ?? []) {
    const bit = SYSTEM_FLAGS.get(flag.toLowerCase());
    if (bit !== undefined) bits |= bit;
    else if (!flag.startsWith('\\')) keywords.push(flag);
  }
  return { flags: bits, keywords };
}

const USES: readonly SpecialUse[] = [
  '\\Archive',
  '\\Drafts',
  '\\Junk',
  '\\Sent',
  '\\Trash',
  '\\Flagged',
  '\\All',
];

function specialUse(text: string | undefined): SpecialUse | undefined {
  return USES.find((use) => use.toLowerCase() === text?.toLowerCase());
}

/**
 * The mailbox of a fileinto: by its object id (RFC 9042), by its special use (RFC 8579), by its name; made where the
 * script asks for that (RFC 5490 3.2). One that is missing means INBOX: no mail is lost over a folder that went. One of
 * somebody else has to take what is put and sent there (the rights i and p of RFC 4314), and to have room for it.
 */
export async function targetOf(
  facts: AccountFacts,
  wanted: Pick<Fileinto, 'mailbox' | 'create' | 'mailboxId' | 'specialUse'>,
): Promise<Filed> {
  const boxes = await facts.boxes();
  const found = existing(boxes, wanted);
  if (found !== undefined) return { mailbox: { id: found.id }, name: found.name, missing: undefined };
  const name = wanted.mailbox;
  if (isReserved(name)) return (await ofOthers(facts, name)) ?? nowhere(`${printable(name)}, ${NO_SUCH}`);
  const why = wanted.create ? whyNoName(name) : NO_SUCH;
  if (why !== undefined) return nowhere(`${printable(name)}, ${why}`);
  const create = { specialUse: specialUse(wanted.specialUse) };
  return { mailbox: { name, create }, name, missing: undefined };
}

function nowhere(missing: string): Filed {
  return { mailbox: { name: 'INBOX' }, name: 'INBOX', missing };
}

const NO_SUCH = 'and there is no such mailbox';
/** Characters of a name that is none, in the journal. */
const NAME_SHOWN = 200;

/** Names of scripts may hold anything, and stand in the journal. */
function printable(name: string): string {
  return name.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '?').slice(0, NAME_SHOWN);
}

/** Why nothing can have that name; levels that mean another place elsewhere would confuse every program that lists it. */
function whyNoName(name: string): string | undefined {
  if (name.split(SEPARATOR).some((level) => level === '.' || level === '..'))
    return 'which cannot be the name of a mailbox';
  return validName(name) === undefined ? 'which cannot be the name of a mailbox' : undefined;
}

async function ofOthers(facts: AccountFacts, name: string): Promise<Filed | undefined> {
  const found = await facts.ofOthers(name);
  if (found === undefined) return undefined;
  const { mailbox, rights } = found;
  const other = { accountId: mailbox.accountId, rights };
  return { mailbox: { id: mailbox.id }, name: mailbox.name, missing: undefined, other };
}

/** Flags that whoever has these rights may set (RFC 4314 4); the others are left out. */
function permitted({ flags, keywords }: FlagSet, rights: number): FlagSet {
  let bits = 0;
  if (hasRights(rights, Right.Seen)) bits |= Flag.Seen;
  if (hasRights(rights, Right.DeleteMessages)) bits |= Flag.Deleted;
  const write = hasRights(rights, Right.Write);
  if (write) bits |= Flag.Answered | Flag.Flagged | Flag.Draft;
  return { flags: flags & bits, keywords: write ? keywords : [] };
}

function existing(
  boxes: readonly Mailbox[],
  wanted: Pick<Fileinto, 'mailbox' | 'mailboxId' | 'specialUse'>,
): Mailbox | undefined {
  const byId = wanted.mailboxId === undefined ? undefined : boxWithId(boxes, wanted.mailboxId);
  const byUse = wanted.specialUse === undefined ? undefined : boxForUse(boxes, wanted.specialUse);
  return byId ?? byUse ?? boxNamed(boxes, wanted.mailbox);
}

export function fccTarget(facts: AccountFacts, fcc: FccTarget): Promise<Filed> {
  return targetOf(facts, { ...fcc, mailboxId: fcc.mailboxId });
}

/** The deposit of an action that stores the message, with why it goes there. */
export async function depositFor(
  facts: AccountFacts,
  planned: PlannedDeposit,
  { action, by }: DoneAction,
  /** Why it is kept at all when no script says so. */
  fallback: string | undefined,
): Promise<PlannedDeposit> {
  const set = 'flags' in action ? flagSet(action.flags) : planned.deposit.set;
  if (action.kind !== 'fileinto') {
    const explicit = action.kind === 'keep' && !action.implicit ? `kept by ${by}` : undefined;
    const because = fallback ?? planned.because ?? explicit;
    return { ...planned, ...(because !== undefined && { because }), deposit: { ...planned.deposit, set } };
  }
  const filed = await targetOf(facts, action);
  const { name, missing } = filed;
  const because = missing === undefined ? `filed into ${name} by ${by}` : `${by} files it into ${missing}`;
  // Its name is what people know it by, not its number.
  return { ...planned, because, shown: name, deposit: depositAt(planned.deposit, filed, set) };
}

/** The deposit of an account, in the mailbox that was found. */
export function depositAt(
  deposit: PlannedDeposit['deposit'],
  { mailbox, other }: Filed,
  set: FlagSet,
): PlannedDeposit['deposit'] {
  if (other === undefined) return { ...deposit, mailbox, set };
  return { ...deposit, mailbox, accountId: other.accountId, set: permitted(set, other.rights) };
}

/**
 * Deposits of a message that a script has changed. With a changed header they share the octets that are stored: the new
 * header stands before them and the old one is hidden. Otherwise they have octets of their own and nothing before them.
 */
export async function changedDeposits(
  deps: FlowDeps,
  { message, trace }: Pick<ScriptInput, 'message' | 'trace'>,
  changed: ChangedMessage,
  deposits: readonly PlannedDeposit[],
): Promise<OtherMessage> {
  if (changed.header === undefined) return otherMessage(deps, await changed.octets(), deposits, trace);
  const header = await changed.header();
  const { structure } = message;
  const shown = { prefix: header, hidden: wholeHeader(structure) };
  const own = deposits.map((each) => ({ ...each, deposit: { ...each.deposit, ...shown } }));
  return asOther(deps, 'same', parsedContent(structure, header), own, trace);
}

/** The stored header as a range that is not shown. */
export function wholeHeader({ root }: MessageStructure): (readonly [number, number])[] {
  return root.bodyStart === 0 ? [] : [[0, root.bodyStart]];
}

/** Deposits of octets that a script has made. */
export async function otherMessage(
  deps: FlowDeps,
  octets: Buffer,
  deposits: readonly PlannedDeposit[],
  trace: string,
): Promise<OtherMessage> {
  const intake = new Intake({ bodies: deps.store.bodies, maxBytes: Number.POSITIVE_INFINITY });
  // In pieces: to scan a large message takes a while, and others want their turn.
  for (let at = 0; at < octets.length; at += PIECE) {
    if (at > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    await intake.write(octets.subarray(at, at + PIECE));
  }
  const { blob, content } = await intake.finish();
  const shown = { prefix: Buffer.alloc(0), hidden: [] };
  const own = deposits.map((each) => ({ ...each, deposit: { ...each.deposit, ...shown } }));
  return asOther(deps, blob, content, own, trace);
}

/** Deposits of the message as it came, in mailboxes of somebody else. */
export function forOthers(
  deps: FlowDeps,
  { message, trace }: Pick<ScriptInput, 'message' | 'trace'>,
  deposits: readonly PlannedDeposit[],
): OtherMessage {
  return asOther(deps, 'same', message.content, deposits, trace);
}

function asOther(
  { clock }: FlowDeps,
  blob: OtherMessage['blob'],
  content: OtherMessage['content'],
  deposits: readonly PlannedDeposit[],
  trace: string,
): OtherMessage {
  const events = depositEvents({ deposits, forwards: [] }, trace, clock.now());
  return { blob, content, deposits: deposits.map(({ deposit }) => deposit), depositEvents: events };
}
