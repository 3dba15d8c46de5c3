import { Refusal } from '../../base/errors.ts';
import type { SettledRecipient } from '../../data/intake/types.ts';
import { parseAddressList } from '../../mail/message/addresses.ts';
import { readHeader } from '../../mail/message/headers.ts';
import type { PlannedRecipient } from '../delivery/plan.ts';
import type { FlowDeps } from '../deps.ts';
import { recipientTargets } from '../inbound/targets.ts';
import { addressText, parseRecipient, resolve } from '../recipient.ts';
import { replies } from '../replies.ts';
import type { SesFields } from './ses-fields.ts';

/** A recipient that cannot have the message. */
export interface Unreachable {
  /** As SES named it. */
  readonly address: string;
  readonly refusal: Refusal;
}

export interface Addressed {
  /** Those that get it. */
  readonly reached: readonly PlannedRecipient[];
  /** No such recipient, now or ever. */
  readonly unknown: readonly Unreachable[];
  /** To be tried again: a full mailbox, a domain that is not ours (yet). */
  readonly later: readonly Unreachable[];
}

/** How recipients are told apart in the table: the canonical text, whatever way they were written. */
export function recipientId(address: string, hostname: string): string {
  try {
    return addressText(parseRecipient(address, true, hostname)).toLowerCase();
  } catch {
    return address.toLowerCase();
  }
}

/** Where each address leads that has not got the message yet. */
export async function addressAll(
  deps: FlowDeps,
  addresses: readonly string[],
  settled: readonly SettledRecipient[],
  reversePath: string,
  size: number,
): Promise<Addressed> {
  const has = new Set(settled.map(({ recipient }) => recipient));
  const reached: PlannedRecipient[] = [];
  const unknown: Unreachable[] = [];
  const later: Unreachable[] = [];
  for (const address of addresses) {
    const id = recipientId(address, deps.settings.hostname);
    if (has.has(id)) continue;
    has.add(id);
    try {
      const mailbox = parseRecipient(address, true, deps.settings.hostname);
      const targets = await recipientTargets(deps, mailbox, reversePath, size);
      reached.push({ address: addressText(mailbox), notify: [], orcpt: undefined, targets });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const temporary = (error.smtp?.code ?? 450) < 500 || isForeign(error);
      (temporary ? later : unknown).push({ address, refusal: error });
    }
  }
  return { reached, unknown, later };
}

/** SES took mail for a domain that we do not know: somebody has yet to add it, or it is another system's. */
export function isForeign({ message }: Refusal): boolean {
  return message === replies.relayDenied(/^<([^>]{0,1000})>/.exec(message)?.[1] ?? '').message;
}

/** Addresses of one header that are looked at: mail to more people at once is a list's. */
const GUESSES_MAX = 100;
const FIELD_OCTETS = 64 * 1024;

/**
 * Who a message is for when nobody said: whom SES's own Received field names, and whoever in the header has an account
 * or alias here. Recipients of blind copies cannot be known.
 */
export async function guessRecipients(
  deps: FlowDeps,
  header: Buffer,
  fields: SesFields,
): Promise<readonly string[]> {
  const read = readHeader(header);
  const named = ['to', 'cc'].flatMap((name) => read.all(name).flatMap(addressesIn));
  const passed = ['x-original-to', 'delivered-to'].flatMap((name) =>
    read.all(name).map((value) => value.trim().replace(/^<|>$/g, '')),
  );
  const first = fields.recipient === undefined ? [] : [fields.recipient];
  const candidates = new Map(
    [...first, ...named, ...passed].map((each) => [recipientId(each, deps.settings.hostname), each]),
  );
  const found: string[] = [];
  for (const address of [...candidates.values()].slice(0, GUESSES_MAX)) {
    if (await isHere(deps, address)) found.push(address);
  }
  return found;
}

function addressesIn(value: string): string[] {
  return parseAddressList(value, GUESSES_MAX, FIELD_OCTETS).flatMap((entry) =>
    entry.kind === 'mailbox' && entry.local !== undefined && entry.domain !== undefined
      ? [`${entry.local}@${entry.domain}`]
      : [],
  );
}

async function isHere(deps: FlowDeps, address: string): Promise<boolean> {
  try {
    const mailbox = parseRecipient(address, true, deps.settings.hostname);
    return addressText(mailbox) !== '' && (await resolve(deps, mailbox, 0)).status === 'ok';
  } catch (error) {
    if (error instanceof Refusal && (error.smtp?.code ?? 450) >= 500) return false;
    throw error;
  }
}
