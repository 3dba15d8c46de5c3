import type { Mailbox } from '../../data/mailstore/types.ts';
import { isReserved } from '../../data/sharing/namespaces.ts';
import { hasRights, Right } from '../../data/sharing/rights.ts';
import type { KnownMailbox } from '../../data/sharing/types.ts';
import { memoryKey } from '../../data/sieve/memory.ts';
import type { ScriptOwner } from '../../data/sieve/types.ts';
import { mailboxName } from '../../data/mailstore/names.ts';
import { Refusal } from '../../base/errors.ts';
import type { SieveWorld } from '../../mail/sieve/types.ts';
import type { FlowDeps } from '../deps.ts';
import type { Verdict } from '../spam/types.ts';

/** What is asked once about an account, whatever its scripts ask. */
export interface AccountFacts {
  readonly owner: ScriptOwner;
  /** Mailboxes that exist, read when first asked for. */
  boxes(): Promise<readonly Mailbox[]>;
  /** The mailbox of somebody else that a name of others' namespaces means, where mail may be put and there is room. */
  ofOthers(name: string): Promise<KnownMailbox | undefined>;
}

export function accountFacts(deps: FlowDeps, owner: ScriptOwner): AccountFacts {
  let boxes: Promise<readonly Mailbox[]> | undefined;
  const { accountId } = owner;
  return {
    owner,
    boxes: () =>
      (boxes ??= deps.store.read
        .run('mailstore.mailboxes', { accountId })
        .then((all) => all.filter(({ id }) => id > 0))),
    async ofOthers(name) {
      const found = await deps.store.read.run('sharing.resolve', { accountId, name });
      if (found === undefined || found.own || !hasRights(found.rights, Right.Insert | Right.Post))
        return undefined;
      const quota = await deps.store.read.run('mailstore.quota', { accountId: found.mailbox.accountId });
      return quota.limit > 0 && quota.used >= quota.limit ? undefined : found;
    },
  };
}

/** The mailbox of a name as scripts write it; undefined also for what cannot be a name. */
export function boxNamed(boxes: readonly Mailbox[], given: string): Mailbox | undefined {
  try {
    const name = mailboxName(given);
    return boxes.find((box) => box.name === name);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** The mailbox of an object id as IMAP tells it (RFC 8474). */
export function boxWithId(boxes: readonly Mailbox[], id: string): Mailbox | undefined {
  return boxes.find((box) => `F${box.id}` === id);
}

/** Attributes are compared without regard to case (RFC 6154). */
export function boxForUse(boxes: readonly Mailbox[], use: string): Mailbox | undefined {
  return boxes.find((box) => box.specialUse?.toLowerCase() === use.toLowerCase());
}

export interface WorldInput {
  readonly facts: AccountFacts;
  readonly verdict: Verdict | undefined;
  readonly client: { readonly ip: string; readonly name: string; readonly helo: string };
  /** The recipient of the envelope that led here. */
  readonly recipient: string;
}

/** List of whom the account has written to (RFC 6134 2.6: the name of the owner's own address book). */
const ADDRESS_BOOK = 'urn:ietf:params:sieve:addrbook:default';

/** The answers to what scripts of one account ask. */
export function worldOf(deps: FlowDeps, input: WorldInput): SieveWorld {
  const { facts, verdict, client, recipient } = input;
  const { owner, boxes } = facts;
  const { accountId } = owner;
  const { hostname, delimiter } = deps.settings;
  const { read } = deps.store;
  const now = deps.clock.now();
  return {
    now,
    zoneMinutes: -new Date(now).getTimezoneOffset(),
    addresses: [...new Set([owner.address, recipient, ...owner.aliases])],
    environment: {
      domain: owner.address.slice(owner.address.lastIndexOf('@') + 1),
      host: hostname,
      location: 'MDA',
      name: 'Postern',
      phase: 'during',
      'remote-ip': client.ip,
      'remote-host': client.name,
    },
    spam: spamOf(verdict),
    virus: virusOf(verdict),
    detailSeparator: delimiter === '' ? '+' : delimiter,
    mailboxExists: async (name) =>
      boxNamed(await boxes(), name) !== undefined ||
      (isReserved(name) && (await facts.ofOthers(name)) !== undefined),
    mailboxIdExists: async (id) => boxWithId(await boxes(), id) !== undefined,
    async specialUseExists(use, mailbox) {
      const all = await boxes();
      if (mailbox === undefined) return boxForUse(all, use) !== undefined;
      return boxNamed(all, mailbox)?.specialUse?.toLowerCase() === use.toLowerCase();
    },
    metadata: (mailbox, name) => annotation(deps, facts, mailbox, name.toLowerCase()),
    seen: (key) => read.run('sieve.seen', { accountId, key: memoryKey('duplicate', key), now }),
    async include(name, location) {
      const place = location === 'global' ? { kind: location } : { kind: 'account' as const, accountId };
      return (await read.run('sieve.script', { place, name }))?.text;
    },
    listExists: (list) => Promise.resolve(list.toLowerCase() === ADDRESS_BOOK),
    async listHas(list, value) {
      if (list.toLowerCase() !== ADDRESS_BOOK) return false;
      const args = { accountIds: [accountId], from: [value], ip: undefined, references: [] };
      const [relation] = await read.run('spam.relation', args);
      return relation?.wroteTo === true;
    },
  };
}

/** RFC 5490 3.3, 4.3: "/private/comment" of a mailbox, or of the server; no mailbox has none. */
async function annotation(
  { store }: FlowDeps,
  { owner: { accountId }, boxes }: AccountFacts,
  mailbox: string | undefined,
  name: string,
): Promise<string | undefined> {
  const box = mailbox === undefined ? undefined : boxNamed(await boxes(), mailbox);
  if (mailbox !== undefined && box === undefined) return undefined;
  const all = await store.read.run('sharing.annotations', { accountId, mailboxId: box?.id ?? 0 });
  const found = all.find(({ scope, entry }) => `/${scope}${entry}` === name);
  return found && Buffer.from(found.value).toString('utf8');
}

/** RFC 5235 3.1: 0 not tested, 1 surely wanted to 10 surely spam. */
export function spamOf(verdict: Verdict | undefined): SieveWorld['spam'] {
  if (verdict === undefined) return { tested: false, level: 0, percent: 0 };
  const share = Math.min(Math.max(verdict.probability, 0), 1);
  // What was decided by a policy is as sure as that.
  const sure = verdict.decidedBy === undefined ? share : verdict.action === 'inbox' ? 0 : 1;
  return { tested: true, level: 1 + Math.round(sure * 9), percent: Math.round(sure * 100) };
}

/** RFC 5235 3.2: 0 not tested, 1 none was found, 5 there is one. */
function virusOf(verdict: Verdict | undefined): SieveWorld['virus'] {
  if (verdict?.decidedBy?.name === 'VIRUS') return { tested: true, level: 5 };
  return { tested: false, level: 0 };
}
