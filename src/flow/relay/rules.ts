import { RE2JS } from 're2js';
import { Refusal } from '../../base/errors.ts';
import { canonicalAddress, networkList } from '../../net/ip.ts';

/** Who may send through the relay, and to whom. */
export interface RelayRules {
  /** Undefined: any client. */
  readonly mayConnect: ((address: string) => boolean) | undefined;
  /** Whether the expression for allowed senders lets this reverse-path pass. */
  senderAllowed(address: string): boolean;
  /** Whether the expression for denied recipients matches. */
  recipientDenied(address: string): boolean;
}

/** Characters of an expression: RE2 matches in linear time, but the automaton grows with it. */
const EXPRESSION_MAX = 10_000;

/** Build the rules; undefined or '' is no rule. Throws a `Refusal` that says which is wrong. */
export function relayRules(given: {
  readonly allowedIps?: string | undefined;
  readonly allowedSenders?: string | undefined;
  readonly deniedRecipients?: string | undefined;
}): RelayRules {
  const sender = expression('Allowed sender emails', given.allowedSenders);
  const recipient = expression('Denied recipient emails', given.deniedRecipients);
  return {
    mayConnect: addressList(given.allowedIps),
    senderAllowed: (address) => sender === undefined || sender(address),
    recipientDenied: (address) => recipient?.(address) ?? false,
  };
}

/** A RE2 expression in Go's syntax: unanchored, case-sensitive unless it says (?i), matched in linear time. */
function expression(what: string, text: string | undefined): ((address: string) => boolean) | undefined {
  if (text === undefined || text === '') return undefined;
  if (text.length > EXPRESSION_MAX)
    throw new Refusal('bad-input', `${what}: the expression is longer than ${EXPRESSION_MAX} characters`);
  try {
    const compiled = RE2JS.compile(text);
    return (address) => compiled.matcher(address).find();
  } catch (error) {
    throw new Refusal('bad-input', `${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Entries of a comma-separated list, blanks trimmed, empty ones left out. */
export function listed(text: string): readonly string[] {
  return text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

/** Addresses and networks. IPv4-mapped addresses mean the IPv4 one, as the client's own address is written. */
function addressList(text: string | undefined): ((address: string) => boolean) | undefined {
  const entries = listed(text ?? '');
  if (entries.length === 0) return undefined;
  try {
    return networkList(entries.map((entry) => canonicalAddress(entry) ?? entry));
  } catch (error) {
    throw error instanceof Refusal ? new Refusal('bad-input', `Allowed IPs: ${error.message}`) : error;
  }
}

/** Whether a list of client addresses lets everybody in. */
export function letsEverybodyIn(text: string | undefined): boolean {
  return listed(text ?? '').some((entry) => entry.endsWith('/0'));
}
