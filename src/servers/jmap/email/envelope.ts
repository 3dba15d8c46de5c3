import { RELEASE_MS } from '../../../flow/service.ts';
import { parseDateTime } from '../../../mail/date-time.ts';
import { invalidProperties, SetError } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';

/** One recipient, with what NOTIFY and ORCPT ask for (RFC 3461). */
export interface EnvelopeRecipient {
  readonly address: string;
  readonly notify: readonly ('NEVER' | 'SUCCESS' | 'FAILURE' | 'DELAY')[];
  readonly orcpt: { readonly type: string; readonly address: string } | undefined;
  readonly parameters: JsonObject | null;
}

/** Who a message is from and for, as SMTP is told (RFC 8621 section 7, Envelope). */
export interface Envelope {
  readonly mailFrom: string;
  readonly parameters: JsonObject | null;
  readonly ret: 'FULL' | 'HDRS' | undefined;
  readonly envid: string | undefined;
  /** Milliseconds since the epoch (RFC 4865); undefined: at once. */
  readonly releaseAt: number | undefined;
  readonly rcptTo: readonly EnvelopeRecipient[];
}

/** Characters of a parameter. */
const PARAMETER = 500;

function bad(description: string): never {
  throw invalidProperties(['envelope'], description);
}

interface Given {
  readonly email: string;
  /** By name in capitals: they are not told apart by case. */
  readonly parameters: ReadonlyMap<string, string | null>;
  readonly shown: JsonObject | null;
}

function givenAddress(value: Json | undefined): Given {
  if (!isObject(value)) return bad('An address of the envelope is none.');
  const { email, parameters = null } = value;
  if (typeof email !== 'string' || email.length > 320 || /[\r\n<>]/.test(email))
    return bad('An address of the envelope is none.');
  if (parameters !== null && !isObject(parameters)) return bad('parameters must be an object.');
  const found = new Map<string, string | null>();
  for (const [name, each] of Object.entries(parameters ?? {})) {
    if (each !== null && (typeof each !== 'string' || each.length > PARAMETER))
      return bad(`The parameter ${name.slice(0, 40)} must be a string.`);
    found.set(name.toUpperCase(), each);
  }
  return { email, parameters: found, shown: found.size === 0 ? null : parameters };
}

/** What JMAP hands on of MAIL's parameters (RFC 8621 section 7): those of DSN and FUTURERELEASE; SMTP's own are ours to choose. */
function mailFrom(value: Json | undefined, now: number): Omit<Envelope, 'rcptTo'> {
  const { email, parameters, shown } = givenAddress(value);
  let ret: Envelope['ret'];
  let envid: string | undefined;
  let releaseAt: number | undefined;
  for (const [name, text] of parameters) {
    if (name === 'RET' && (text === 'FULL' || text === 'HDRS')) ret = text;
    else if (name === 'ENVID' && text !== null && /^[\x20-\x7e]{1,100}$/.test(text)) envid = text;
    else if ((name === 'HOLDFOR' || name === 'HOLDUNTIL') && releaseAt === undefined)
      releaseAt = releaseTime(name, text, now);
    // What the message needs of these is seen from the message; SIZE is what it is.
    else if (name !== 'SMTPUTF8' && name !== 'BODY' && name !== 'SIZE')
      return bad(`The parameter ${name.slice(0, 40)} of mailFrom is not one that is taken like that.`);
  }
  return { mailFrom: email, parameters: shown, ret, envid, releaseAt };
}

function releaseTime(name: 'HOLDFOR' | 'HOLDUNTIL', text: string | null, now: number): number {
  const seconds = name === 'HOLDFOR' && text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
  const time =
    seconds !== undefined
      ? now + seconds * 1000
      : name === 'HOLDUNTIL'
        ? parseDateTime(text ?? '')
        : undefined;
  if (time === undefined || time < now)
    return bad(`${name} must be ${name === 'HOLDFOR' ? 'seconds' : 'a UTC time that is to come'}.`);
  if (time > now + RELEASE_MS) return bad(`Mail waits for ${RELEASE_MS / 86_400_000} days at most.`);
  return time;
}

function recipient(value: Json): EnvelopeRecipient {
  const { email, parameters, shown } = givenAddress(value);
  let notify: EnvelopeRecipient['notify'] = [];
  let orcpt: EnvelopeRecipient['orcpt'];
  for (const [name, text] of parameters) {
    if (name === 'NOTIFY') notify = notifyOf(text ?? '');
    else if (name === 'ORCPT') orcpt = orcptOf(text ?? '');
    else return bad(`The parameter ${name.slice(0, 40)} of rcptTo is not one that is taken.`);
  }
  return { address: email, notify, orcpt, parameters: shown };
}

/** RFC 3461 section 4.1: NEVER stands alone. */
function notifyOf(text: string): EnvelopeRecipient['notify'] {
  const words = new Set(text.toUpperCase().split(',', 5));
  const known = (['NEVER', 'SUCCESS', 'FAILURE', 'DELAY'] as const).filter((word) => words.has(word));
  if (known.length !== words.size || (words.has('NEVER') && words.size > 1)) return bad('NOTIFY is wrong.');
  return known;
}

function orcptOf(text: string): EnvelopeRecipient['orcpt'] {
  const [, type, address] =
    /^([A-Za-z0-9][A-Za-z0-9-]{0,39});([\x20-\x7e\u0080-\uffff]{1,400})$/.exec(text) ?? [];
  if (type === undefined || address === undefined) return bad('ORCPT is wrong.');
  return { type: type.toLowerCase(), address };
}

/** @throws SetError 'invalidProperties' */
export function givenEnvelope(value: JsonObject, now: number): Envelope {
  const { rcptTo } = value;
  if (!Array.isArray(rcptTo)) return bad('rcptTo must be a list.');
  // go-jmap up to 0.4 writes it in small letters, and with it the aerc that Debian 13 has.
  const from = value['mailFrom'] ?? value['mailfrom'];
  return { ...mailFrom(from, now), rcptTo: (rcptTo as readonly Json[]).map(recipient) };
}

export function emailsIn(value: Json | undefined): string[] {
  if (!Array.isArray(value)) return [];
  return (value as readonly Json[]).flatMap((each) =>
    isObject(each) && typeof each['email'] === 'string' && each['email'] !== '' ? [each['email']] : [],
  );
}

/** The one address of a field; undefined: there is no such field. @throws SetError 'invalidEmail' */
function soleAddress(fields: Json | undefined, property: string): string | undefined {
  const all = Array.isArray(fields) ? (fields as readonly Json[]) : [];
  if (all.length === 0) return undefined;
  const found = all.flatMap(emailsIn);
  if (all.length > 1 || found.length > 1)
    throw new SetError('invalidEmail', `It has more than one address in ${property}.`, {
      properties: [property],
    });
  return found[0];
}

/** RFC 8621 section 6: "*@example.org" is an identity for any address of that domain. */
function isOf(identity: string, address: string): boolean {
  const [own, other] = [identity.toLowerCase(), address.toLowerCase()];
  return own.startsWith('*@') ? other.endsWith(own.slice(1)) : own === other;
}

/**
 * RFC 8621 section 7: without an envelope it is made of the header; an address that is not the identity's is replaced by
 * that. `email`: with the properties of ENVELOPE_PROPERTIES. @throws SetError 'invalidEmail'
 */
export function envelopeOf(email: JsonObject, identity: string): Envelope {
  const said =
    soleAddress(email['header:Sender:asAddresses:all'], 'sender') ??
    soleAddress(email['header:From:asAddresses:all'], 'from') ??
    '';
  const from = isOf(identity, said) || identity.startsWith('*@') ? said : identity;
  const to = new Map<string, string>();
  for (const name of ['to', 'cc', 'bcc']) {
    for (const fields of [email[`header:${name}:asAddresses:all`]].flat())
      for (const address of emailsIn(fields)) to.set(address.toLowerCase(), address);
  }
  const plain = { notify: [], orcpt: undefined, parameters: null };
  return {
    mailFrom: from,
    parameters: null,
    ret: undefined,
    envid: undefined,
    releaseAt: undefined,
    rcptTo: [...to.values()].map((address) => ({ address, ...plain })),
  };
}

/** What an envelope is made of. */
export const ENVELOPE_PROPERTIES: readonly string[] = [
  'header:Sender:asAddresses:all',
  'header:From:asAddresses:all',
  'header:to:asAddresses:all',
  'header:cc:asAddresses:all',
  'header:bcc:asAddresses:all',
];

/** An envelope as it is told again. */
export function envelopeJson({ mailFrom: email, parameters, rcptTo }: Envelope): JsonObject {
  return {
    mailFrom: { email, parameters },
    rcptTo: rcptTo.map((each) => ({ email: each.address, parameters: each.parameters })),
  };
}
