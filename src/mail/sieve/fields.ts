/** Header fields as tests see them. */
import { guessText } from '../charset.ts';
import { parseAddressList } from '../message/addresses.ts';
import { decodeWords } from '../message/words.ts';
import type { SieveField } from './types.ts';

/** Addresses of one field that are looked at. */
const MAX_ADDRESSES = 2000;

const decoded = new WeakMap<SieveField, string>();

/** The value as text: encoded words decoded, outer white space removed (RFC 5228 2.7.2, 5.7). */
export function fieldText(field: SieveField): string {
  let text = decoded.get(field);
  if (text === undefined) {
    text = decodeWords(field.value).trim();
    decoded.set(field, text);
  }
  return text;
}

export function fieldsNamed(fields: readonly SieveField[], names: readonly string[]): SieveField[] {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return fields.filter((field) => wanted.has(field.name.toLowerCase()));
}

/** An address in its parts; a domain is undefined where there is none. */
export interface AddressParts {
  readonly local: string;
  readonly domain: string | undefined;
}

function asText(latin1: string): string {
  return guessText(Buffer.from(latin1, 'latin1'));
}

/** In-Reply-To holds message ids, whatever its name. */
const ADDRESS_FIELDS =
  /^(?!in-reply-to$)(?:(?:resent-|original-)?(?:from|to|cc|bcc|sender|reply-to)|return-path|author|x-.*|.*-to)$/i;

/** Whether a field of that name holds addresses: the test "address" is of no other (RFC 5228 5.1). */
export function holdsAddresses(name: string): boolean {
  return ADDRESS_FIELDS.test(name);
}

/** The addresses of a field, those of groups among them. */
export function fieldAddresses(field: SieveField): AddressParts[] {
  const out: AddressParts[] = [];
  for (const entry of parseAddressList(field.value, MAX_ADDRESSES)) {
    if (entry.kind !== 'mailbox' || (entry.local === undefined && entry.domain === undefined)) continue;
    out.push({
      local: asText(entry.local ?? ''),
      domain: entry.domain === undefined ? undefined : asText(entry.domain),
    });
  }
  return out;
}

/** An address of the envelope; the null path has neither part. */
export function splitAddress(address: string): AddressParts {
  const at = address.lastIndexOf('@');
  return at === -1
    ? { local: address, domain: undefined }
    : { local: address.slice(0, at), domain: address.slice(at + 1) };
}

export type AddressPart = 'all' | 'localpart' | 'domain' | 'user' | 'detail';

/** The part of an address that a test asks for (RFC 5228 2.7.4, RFC 5233 4); undefined: it has none. */
export function addressPart(address: AddressParts, part: AddressPart, separator: string): string | undefined {
  const { local, domain } = address;
  const at = separator === '' ? -1 : local.indexOf(separator);
  switch (part) {
    case 'localpart':
      return local;
    case 'domain':
      return domain;
    case 'user':
      return at === -1 ? local : local.slice(0, at);
    case 'detail':
      return at === -1 ? undefined : local.slice(at + separator.length);
    default:
      return domain === undefined ? local : `${local}@${domain}`;
  }
}
