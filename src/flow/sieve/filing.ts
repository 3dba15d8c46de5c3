import type { OtherMessage } from '../../data/delivery/scripted.ts';
import { Flag, type FlagSet, type Mailbox, type SpecialUse } from '../../data/mailstore/types.ts';
import type { MessageStructure } from '../../mail/message/structure.ts';
import type { FccTarget, SieveAction } from '../../mail/sieve/types.ts';
import type { PlannedDeposit } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { Intake, parsedContent } from '../intake.ts';
import { depositEvents } from '../journal.ts';
import type { ChangedMessage, DoneAction, ScriptInput } from './types.ts';
import { type AccountFacts, boxForUse, boxNamed, boxWithId } from './world.ts';

type Target = PlannedDeposit['deposit']['mailbox'];
type Fileinto = SieveAction & { readonly kind: 'fileinto' };

/** Where something goes, in words, and whether that is what was asked for. */
export interface Filed {
  readonly mailbox: Target;
  readonly name: string;
  readonly missing: string | undefined;
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
 * script asks for that (RFC 5490 3.2). One that is missing means INBOX: no mail is lost over a folder that went.
 */
export async function targetOf(
  facts: AccountFacts,
  wanted: Pick<Fileinto, 'mailbox' | 'create' | 'mailboxId' | 'specialUse'>,
): Promise<Filed> {
  const boxes = await facts.boxes();
  const found = existing(boxes, wanted);
  if (found !== undefined) return { mailbox: { id: found.id }, name: found.name, missing: undefined };
  const name = wanted.mailbox;
  if (wanted.create) {
    const create = { specialUse: specialUse(wanted.specialUse) };
    return { mailbox: { name, create }, name, missing: undefined };
  }
  return { mailbox: { name: 'INBOX' }, name: 'INBOX', missing: name };
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
  return targetOf(facts, { ...fcc, mailboxId: undefined });
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
  const { mailbox, name, missing } = await targetOf(facts, action);
  const because =
    missing === undefined
      ? `filed into ${name} by ${by}`
      : `${by} files it into ${missing}, and there is no such mailbox`;
  // Its name is what people know it by, not its number.
  return { ...planned, because, shown: name, deposit: { ...planned.deposit, mailbox, set } };
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
  await intake.write(octets);
  const { blob, content } = await intake.finish();
  const shown = { prefix: Buffer.alloc(0), hidden: [] };
  const own = deposits.map((each) => ({ ...each, deposit: { ...each.deposit, ...shown } }));
  return asOther(deps, blob, content, own, trace);
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
