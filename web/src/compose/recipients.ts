import type { EmailAddress, Identity } from '../jmap/types.ts';
import { addressKey, distinct, parseAddresses } from './addresses.ts';
import type { Purpose } from './open.ts';

/** Who an answer goes to, and who it comes from. */

/** What may stand in From: an identity's own address, or a masked one that the account may send as. */
export interface Sender {
  readonly identityId: string;
  readonly name: string;
  readonly email: string;
  /** Where answers should go, when not there. */
  readonly replyTo?: readonly EmailAddress[];
  /** What a masked address was made for. */
  readonly label?: string;
}

/** Senders there are: each identity, then masked addresses as the first identity. */
export function sendersOf(
  identities: readonly Identity[],
  masked: readonly { readonly address: string; readonly label: string; readonly state: 'on' | 'off' }[],
): Sender[] {
  const senders: Sender[] = identities
    .filter(({ email }) => !email.startsWith('*'))
    .map(({ id, name, email, replyTo }) => ({
      identityId: id,
      name,
      email,
      ...(replyTo?.length && { replyTo }),
    }));
  const first = identities[0];
  if (first === undefined) return senders;
  const known = new Set(senders.map(({ email }) => addressKey(email)));
  for (const { address, label, state } of masked) {
    if (state === 'off' || known.has(addressKey(address))) continue;
    // A name would tell who is behind the mask.
    senders.push({ identityId: first.id, name: '', email: address, label });
  }
  return senders;
}

export interface Answered {
  readonly from: readonly EmailAddress[] | null;
  readonly replyTo: readonly EmailAddress[] | null;
  readonly to: readonly EmailAddress[] | null;
  readonly cc: readonly EmailAddress[] | null;
  readonly bcc: readonly EmailAddress[] | null;
  /** Where it was delivered to (Delivered-To, X-Original-To), the nearest first. */
  readonly deliveredTo?: readonly string[];
  /** List-Post (RFC 2369 section 3.4), as it stands. */
  readonly listPost?: string | null;
}

/** The sender whose address the message came to; the one it was sent from when it is our own; the first otherwise. */
export function senderFor(message: Answered, senders: readonly Sender[]): Sender | undefined {
  const by = new Map(senders.map((each) => [addressKey(each.email), each]));
  const places: readonly (readonly string[])[] = [
    emails(message.from),
    emails(message.to),
    emails(message.cc),
    emails(message.bcc),
    message.deliveredTo ?? [],
  ];
  for (const place of places) {
    for (const email of place) {
      const found = by.get(addressKey(email)) ?? by.get(withoutDetail(email));
      if (found !== undefined) return found;
    }
  }
  return senders[0];
}

/** RFC 5233: "name+detail@domain" is "name@domain". */
function withoutDetail(email: string): string {
  return addressKey(email).replace(/\+[^@]*@/, '@');
}

function emails(addresses: readonly EmailAddress[] | null): string[] {
  return (addresses ?? []).map(({ email }) => email);
}

export interface Recipients {
  readonly to: readonly EmailAddress[];
  readonly cc: readonly EmailAddress[];
}

/** Who an answer goes to (RFC 5322 section 3.6.3). Our own addresses are left out, unless nobody else is there. */
export function recipientsFor(message: Answered, purpose: Purpose, senders: readonly Sender[]): Recipients {
  const own = senders.map(({ name, email }) => ({ name, email }));
  const from = message.from ?? [];
  const reply = message.replyTo?.length ? message.replyTo : from;
  // An answer to what one wrote oneself goes to whom it went to.
  const ours = from.length > 0 && distinct(from, own).length === 0;
  const list = listAddress(message.listPost);
  switch (purpose) {
    case 'reply-list':
      return { to: list === undefined ? reply : [list], cc: [] };
    case 'reply':
      return { to: ours ? (message.to ?? []) : reply, cc: [] };
    case 'reply-all': {
      const to = ours ? (message.to ?? []) : reply;
      const others = ours ? (message.cc ?? []) : [...(message.to ?? []), ...(message.cc ?? [])];
      return { to: distinct(to), cc: distinct(others, [...own, ...to]) };
    }
    default:
      return { to: [], cc: [] };
  }
}

/** The address that a list takes messages at; undefined: none, or it takes none ("NO"). */
export function listAddress(listPost: string | null | undefined): EmailAddress | undefined {
  const [, url] = /<\s*mailto:([^>?\s]+)[^>]*>/i.exec((listPost ?? '').slice(0, 2000)) ?? [];
  return url === undefined ? undefined : parseAddresses(url).addresses[0];
}
