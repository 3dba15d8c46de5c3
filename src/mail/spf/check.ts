import type { Dns, DnsAnswer, DnsType } from '../dns.ts';
import { dotted, type IpAddress, inNetwork, parseIp, readable, reverseName, unmapped } from './ip.ts';
import { expand, fitName, type MacroLetter, type MacroString, mentions, parseMacroString } from './macro.ts';
import { checkableDomain, isAscii, isQueryable, printable } from './names.ts';
import { type Directive, isSpfRecord, parseRecord, type SpfRecord } from './record.ts';

/** RFC 7208 section 2.6. */
export type SpfStatus = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror';

export interface SpfInput {
  /** The client's address. */
  readonly ip: string;
  /** The argument of HELO or EHLO. */
  readonly helo: string;
  /** The reverse-path without brackets; '' checks the HELO identity as postmaster@helo (section 2.4). */
  readonly mailFrom: string;
  readonly dns: Dns;
  /** For macro t. */
  readonly nowMs: number;
  /** Our host name, for macro r. */
  readonly receiver: string;
  /** Ends the check early, as a temperror. Section 4.6.4 asks to allow it at least 20 seconds. */
  readonly signal?: AbortSignal;
  readonly limits?: Partial<SpfLimits>;
}

/** RFC 7208 section 4.6.4. */
export interface SpfLimits {
  /** Terms that ask DNS. */
  readonly lookups: number;
  /** Terms whose questions have no answer. */
  readonly voidLookups: number;
  /** Hosts of one mx: more is a permerror. */
  readonly mxHosts: number;
  /** Names of the client's address that are looked at; the rest is ignored. */
  readonly ptrNames: number;
}

export const SPF_LIMITS: SpfLimits = { lookups: 10, voidLookups: 2, mxHosts: 10, ptrNames: 10 };

export interface SpfResult {
  readonly result: SpfStatus;
  /** Which identity the result is of. */
  readonly identity: 'mailfrom' | 'helo';
  /** The domain that was asked, in A-labels; '' when there was none. */
  readonly domain: string;
  /** The term that decided, as published, e.g. "-all" or "include:_spf.example.net". */
  readonly mechanism?: string;
  /** One clause for a person. */
  readonly reason: string;
  /** What the domain says to the one who was refused; only with fail. Printable ASCII, at most 400 characters. From a stranger. */
  readonly explanation?: string;
  /** Terms that asked DNS, and those without an answer. */
  readonly lookups: number;
  readonly voidLookups: number;
}

/** How the evaluation of one domain ended. `exp` is the explanation of the record that decided. */
interface Outcome {
  readonly result: SpfStatus;
  readonly reason: string;
  readonly mechanism?: string;
  readonly exp?: { readonly macro: MacroString; readonly domain: string };
}

/** Ends an evaluation wherever it stands. Thrown in this file only. */
class Ended extends Error {
  readonly result: 'temperror' | 'permerror';

  constructor(result: 'temperror' | 'permerror', reason: string) {
    super(reason);
    this.result = result;
  }
}

/** One check: the input in the forms needed, and what has been spent. */
interface Check {
  readonly dns: Dns;
  readonly signal: AbortSignal | undefined;
  readonly limits: SpfLimits;
  readonly ip: IpAddress;
  readonly localPart: string;
  readonly senderDomain: string;
  readonly helo: string;
  readonly receiver: string;
  readonly nowMs: number;
  lookups: number;
  voidLookups: number;
  /** Validated names of the address, looked up once; undefined inside: it has no PTR record. */
  names: Promise<string[] | undefined> | undefined;
}

/** Characters of an explanation that are kept: one reply line. */
const MAX_EXPLANATION = 400;

async function ask<T extends DnsType>(check: Check, name: string, type: T): Promise<DnsAnswer<T>> {
  if (!isQueryable(name)) return { status: 'nxdomain' }; // sections 4.3 and 4.8
  if (check.signal?.aborted) return { status: 'temporary', reason: 'out of time' };
  return await check.dns.query(name, type, check.signal);
}

/** The records; a missing answer counts as void (once a term, see `spendVoid`), no answer ends the check. */
async function records<T extends DnsType>(
  check: Check,
  name: string,
  type: T,
): Promise<readonly (DnsAnswer<T> & { status: 'ok' })['records'][number][]> {
  const answer = await ask(check, name, type);
  if (answer.status === 'temporary')
    throw new Ended('temperror', `DNS has no answer for ${name}: ${answer.reason}`);
  return answer.status === 'ok' ? answer.records : [];
}

function spendLookup(check: Check, term: string): void {
  check.lookups++;
  if (check.lookups > check.limits.lookups) {
    throw new Ended('permerror', `more than ${check.limits.lookups} terms that ask DNS, at "${term}"`);
  }
}

function spendVoid(check: Check, term: string): void {
  check.voidLookups++;
  if (check.voidLookups > check.limits.voidLookups) {
    throw new Ended(
      'permerror',
      `more than ${check.limits.voidLookups} terms DNS knows nothing of, at "${term}"`,
    );
  }
}

function addresses(check: Check, name: string): Promise<readonly string[]> {
  return check.ip.family === 4 ? records(check, name, 'A') : records(check, name, 'AAAA');
}

/** Section 5.5: names of the client whose addresses name the client back. Errors yield none, no PTR record undefined. */
async function validatedNames(check: Check): Promise<string[] | undefined> {
  const answer = await ask(check, reverseName(check.ip), 'PTR');
  if (answer.status === 'temporary') return [];
  if (answer.status !== 'ok') return undefined;
  const valid: string[] = [];
  for (const found of answer.records.slice(0, check.limits.ptrNames)) {
    const name = found.replace(/\.$/, '').toLowerCase();
    const back = await ask(check, name, check.ip.family === 4 ? 'A' : 'AAAA');
    if (back.status === 'ok' && back.records.some((address) => covers(check.ip, address, 128)))
      valid.push(name);
  }
  return valid;
}

function namesOf(check: Check): Promise<string[] | undefined> {
  check.names ??= validatedNames(check);
  return check.names;
}

function covers(ip: IpAddress, address: string, bits: number): boolean {
  const network = parseIp(address);
  return network !== undefined && inNetwork(ip, network, Math.min(bits, ip.octets.length * 8));
}

function isWithin(name: string, domain: string): boolean {
  const parent = domain.toLowerCase();
  return name === parent || name.endsWith(`.${parent}`);
}

/** Macro p (section 7.3): the domain itself, else a name below it, else any, else "unknown". */
async function nameForMacro(check: Check, domain: string): Promise<string> {
  const names = (await namesOf(check)) ?? [];
  const parent = domain.toLowerCase();
  return (
    names.find((name) => name === parent) ??
    names.find((name) => isWithin(name, parent)) ??
    names[0] ??
    'unknown'
  );
}

function macroValue(check: Check, domain: string, letter: MacroLetter): string | Promise<string> {
  switch (letter) {
    case 's':
      return `${check.localPart}@${check.senderDomain}`;
    case 'l':
      return check.localPart;
    case 'o':
      return check.senderDomain;
    case 'd':
      return domain;
    case 'i':
      return dotted(check.ip);
    case 'p':
      return nameForMacro(check, domain);
    case 'h':
      return check.helo;
    case 'c':
      return readable(check.ip);
    case 'r':
      return check.receiver;
    case 't':
      return String(Math.floor(check.nowMs / 1000));
    case 'v':
      return check.ip.family === 4 ? 'in-addr' : 'ip6';
  }
}

/** The target-name of a term; undefined where it cannot match (RFC 8616 section 4: non-ASCII local part in s or l). */
async function target(
  check: Check,
  domain: string,
  macro: MacroString | undefined,
): Promise<string | undefined> {
  if (macro === undefined) return domain;
  if (!isAscii(check.localPart) && mentions(macro, 'sl')) return undefined;
  return fitName(await expand(macro, (letter) => macroValue(check, domain, letter)));
}

/** Sections 5.2 to 5.7 for the mechanisms that ask DNS. */
async function asksAndMatches(check: Check, domain: string, directive: Directive): Promise<boolean> {
  if (directive.kind === 'all' || directive.kind === 'ip') return false;
  spendLookup(check, directive.text);
  const name = await target(check, domain, directive.domain);
  if (name === undefined) return false;
  switch (directive.kind) {
    case 'include':
      return await includes(check, name, directive.text);
    case 'exists':
      if ((await records(check, name, 'A')).length > 0) return true;
      spendVoid(check, directive.text);
      return false;
    case 'ptr': {
      const names = await namesOf(check);
      if (names === undefined) spendVoid(check, directive.text);
      return names?.some((found) => isWithin(found, name)) === true;
    }
    case 'a': {
      const found = await addresses(check, name);
      if (found.length === 0) spendVoid(check, directive.text);
      const bits = check.ip.family === 4 ? directive.bits4 : directive.bits6;
      return found.some((address) => covers(check.ip, address, bits));
    }
    case 'mx':
      return await matchesMx(check, name, directive);
  }
}

async function matchesMx(
  check: Check,
  name: string,
  directive: Directive & { kind: 'a' | 'mx' },
): Promise<boolean> {
  const exchanges = await records(check, name, 'MX');
  // Section 4.6.4: more than 10 MX records end in permerror, so that it does not depend on their order.
  if (exchanges.length > check.limits.mxHosts) {
    throw new Ended('permerror', `${name} has more than ${check.limits.mxHosts} MX hosts`);
  }
  const bits = check.ip.family === 4 ? directive.bits4 : directive.bits6;
  let unknown = exchanges.length === 0;
  for (const { exchange } of exchanges) {
    const host = exchange.replace(/\.$/, '');
    if (host === '') continue; // null MX, RFC 7505
    const found = await addresses(check, host);
    if (found.some((address) => covers(check.ip, address, bits))) return true;
    if (found.length === 0) unknown = true;
  }
  if (unknown) spendVoid(check, directive.text);
  return false;
}

/** Section 5.2: the table of what an included result means. */
async function includes(check: Check, name: string, term: string): Promise<boolean> {
  const { result, reason } = await evaluate(check, name);
  switch (result) {
    case 'pass':
      return true;
    case 'fail':
    case 'softfail':
    case 'neutral':
      return false;
    case 'temperror':
      throw new Ended('temperror', reason);
    case 'permerror':
      throw new Ended('permerror', `"${term}": ${reason}`);
    case 'none':
      throw new Ended('permerror', `"${term}" names a domain without an SPF record`);
  }
}

/** Sections 4.4 and 4.5. Undefined: the domain has none. */
async function fetchRecord(check: Check, domain: string): Promise<SpfRecord | undefined> {
  const texts = await records(check, domain, 'TXT');
  const [found, ...others] = texts.filter(({ text }) => isSpfRecord(text));
  if (found === undefined) return undefined;
  if (others.length > 0) throw new Ended('permerror', `${domain} has several SPF records`);
  const record = parseRecord(found.text);
  if ('error' in record) throw new Ended('permerror', `the SPF record of ${domain} has ${record.error}`);
  return record;
}

/** check_host() for one domain (section 4). Recursion is bounded: each include and redirect spends a lookup. */
async function evaluate(check: Check, domain: string): Promise<Outcome> {
  const record = await fetchRecord(check, domain);
  if (record === undefined) return { result: 'none', reason: `${domain} has no SPF record` };
  for (const directive of record.directives) {
    const matches =
      directive.kind === 'all' ||
      (directive.kind === 'ip' && inNetwork(check.ip, directive.network, directive.bits)) ||
      (await asksAndMatches(check, domain, directive));
    if (!matches) continue;
    return {
      result: directive.result,
      mechanism: directive.text,
      reason: `${readable(check.ip)} matches "${directive.text}" of ${domain}`,
      ...(directive.result === 'fail' && record.exp !== undefined && { exp: { macro: record.exp, domain } }),
    };
  }
  if (record.redirect === undefined) return { result: 'neutral', reason: `no term of ${domain} matches` };
  const { text } = record.redirect;
  spendLookup(check, text);
  const name = await target(check, domain, record.redirect.domain);
  const outcome = name === undefined ? undefined : await evaluate(check, name);
  if (outcome === undefined || outcome.result === 'none') {
    throw new Ended('permerror', `"${text}" names a domain without an SPF record`); // section 6.1
  }
  return outcome;
}

/** Section 6.2. Whatever goes wrong, there is just no explanation. */
async function explain(check: Check, exp: NonNullable<Outcome['exp']>): Promise<string | undefined> {
  try {
    const name = await target(check, exp.domain, exp.macro);
    const answer = name === undefined ? undefined : await ask(check, name, 'TXT');
    const [only, ...others] = answer?.status === 'ok' ? answer.records : [];
    if (only === undefined || others.length > 0) return undefined;
    const macro = parseMacroString(only.text, true);
    const text = await expand(macro, (letter) => macroValue(check, exp.domain, letter));
    const clean = printable(text).slice(0, MAX_EXPLANATION);
    return clean === '' ? undefined : clean;
  } catch {
    return undefined;
  }
}

function begin(input: SpfInput, ip: IpAddress, localPart: string, domain: string): Check {
  return {
    dns: input.dns,
    signal: input.signal,
    limits: { ...SPF_LIMITS, ...input.limits },
    ip,
    localPart: localPart || 'postmaster', // section 4.3
    senderDomain: domain,
    helo: input.helo,
    receiver: input.receiver || 'unknown',
    nowMs: input.nowMs,
    lookups: 0,
    voidLookups: 0,
    names: undefined,
  };
}

/** Check a client against the policy of a domain (RFC 7208). Never rejects for what DNS or the client say. */
export async function checkHost(input: SpfInput): Promise<SpfResult> {
  const identity = input.mailFrom === '' ? 'helo' : 'mailfrom';
  const sender = input.mailFrom === '' ? input.helo : input.mailFrom;
  const at = sender.lastIndexOf('@');
  const domain = checkableDomain(sender.slice(at + 1));
  const spent = { identity, domain, lookups: 0, voidLookups: 0 } as const;
  const address = parseIp(input.ip);
  if (address === undefined) return { ...spent, result: 'none', reason: 'the client has no IP address' };
  if (domain === '') return { ...spent, result: 'none', reason: 'the sender names no domain' };
  const check = begin(input, unmapped(address), at < 0 ? '' : sender.slice(0, at), domain);
  let outcome: Outcome;
  try {
    outcome = await evaluate(check, domain);
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    outcome = { result: error.result, reason: error.message };
  }
  const { exp, result, mechanism } = outcome;
  const explanation = exp === undefined ? undefined : await explain(check, exp);
  const { lookups, voidLookups } = check;
  return {
    identity,
    domain,
    result,
    ...(mechanism !== undefined && { mechanism: printable(mechanism) }),
    reason: printable(outcome.reason),
    ...(explanation !== undefined && { explanation }),
    lookups,
    voidLookups,
  };
}
