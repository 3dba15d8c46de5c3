/** DMARC (RFC 9989): whether the domain a message claims to be from has authenticated it, and what it asks for if not. */
import { isWithin, toALabels } from '../dkim/names.ts';
import type { Dns } from '../dns.ts';
import type { DmarcPolicy, DmarcRecord } from './record.ts';
import { createLookup, type Lookup, organizationalDomain, walkTree, type Walk } from './walk.ts';

/** RFC 9989 section 9.1. `none`: the domain has no policy, which is known; `temperror`: DNS did not say. */
export type DmarcStatus = 'pass' | 'fail' | 'none' | 'temperror' | 'permerror';

/** One thing that was authenticated, or could not be. */
export interface Identifier {
  /** `d=` of a signature, or the domain SPF checked. */
  readonly domain: string;
  /** `temperror`: it may yet be good. Everything else says nothing. */
  readonly status: 'pass' | 'temperror' | 'other';
}

export interface DmarcInput {
  /** The author's domain, A-labels in lower case. */
  readonly domain: string;
  /** Signatures. None where DKIM could not be checked: SPF alone may align. */
  readonly dkim: readonly Identifier[];
  /** Of MAIL FROM, of HELO where that was empty (RFC 7208 section 2.4). Undefined where SPF could not be checked. */
  readonly spf: Identifier | undefined;
  readonly dns: Dns;
  readonly signal?: AbortSignal;
  /** Shared by the checks of one message. */
  readonly lookup?: Lookup;
}

export interface DmarcResult {
  readonly result: DmarcStatus;
  /** One clause for a person. */
  readonly reason: string;
  /** The author's domain that was judged; '' when there is none. */
  readonly domain: string;
  /** Its organisational domain; undefined where DNS did not say. */
  readonly orgDomain: string | undefined;
  /** What the domain asks for messages that fail; undefined without a usable record. */
  readonly policy: DmarcPolicy | undefined;
  /**
   * What to do with this message: `policy`, one step less where it is only tested, when the result is fail; else none. A temperror
   * with a `policy` other than none is best answered with a temporary refusal: a forger may have picked the name that does not resolve.
   */
  readonly disposition: DmarcPolicy;
  /** `t=y`. */
  readonly testing: boolean;
  /** The domains that aligned. */
  readonly alignedBy: { readonly dkim: string | undefined; readonly spf: string | undefined };
  /** The record that applies and the name it was found at, without "_dmarc.". */
  readonly record: DmarcRecord | undefined;
  readonly recordDomain: string | undefined;
}

const LOWER: Record<DmarcPolicy, DmarcPolicy> = { reject: 'quarantine', quarantine: 'none', none: 'none' };

/** The author's side: what was found above its domain. */
interface Author {
  readonly domain: string;
  readonly walk: Walk;
  readonly orgDomain: string | undefined;
  readonly lookup: Lookup;
}

/** Section 4.10.1: the record of the domain itself, else of its organisation, else of the public suffix above that. */
function applicableRecord({ domain, walk, orgDomain }: Author): Walk['found'][number] | undefined {
  const at = (name: string | undefined): Walk['found'][number] | undefined =>
    walk.found.find((each) => each.name === name);
  const own = at(domain) ?? at(orgDomain);
  if (own !== undefined || orgDomain === undefined) return own;
  const last = walk.found.at(-1);
  return last !== undefined && isWithin(orgDomain, last.name) ? last : undefined;
}

/** Section 4.10.1 and appendix A.4: NXDOMAIN alone means that a name does not exist. */
async function exists(domain: string, dns: Dns, signal?: AbortSignal): Promise<boolean | undefined> {
  const answer = await dns.query(domain, 'A', signal);
  if (answer.status === 'temporary') return undefined;
  if (answer.status !== 'nxdomain') return true;
  // It may be the target of the name's CNAME that does not exist (RFC 6604 section 3).
  const alias = await dns.query(domain, 'CNAME', signal);
  return alias.status === 'temporary' ? undefined : alias.status === 'ok';
}

/** The policy for the author's domain; undefined where it depends on whether the domain exists and DNS did not say. */
async function policyFor(
  domain: string,
  at: Walk['found'][number],
  input: DmarcInput,
): Promise<DmarcPolicy | undefined> {
  const { record, name } = at;
  if (name === domain) return record.p;
  if (record.sp === record.np) return record.sp;
  const known = await exists(domain, input.dns, input.signal);
  if (known === undefined) return undefined;
  return known ? record.sp : record.np;
}

/** How many labels from the right two names have in common. */
function commonLabels(a: string, b: string): number {
  const [left, right] = [a.split('.').toReversed(), b.split('.').toReversed()];
  const differs = left.findIndex((label, i) => label !== right[i]);
  return differs < 0 ? left.length : differs;
}

/** Section 4.10.3. Undefined: DNS did not say. */
async function aligns(author: Author, identifier: string, mode: 'r' | 's'): Promise<boolean | undefined> {
  if (identifier === author.domain) return true;
  if (mode === 's') return false;
  if (author.orgDomain === undefined) {
    // Two domains of one organisation share more than the top level.
    return commonLabels(author.domain, identifier) >= 2 ? undefined : false;
  }
  // What is not below the author's organisation cannot be of it, so nobody else's DNS matters.
  if (!isWithin(identifier, author.orgDomain)) return false;
  if (identifier === author.orgDomain) return true;
  const walk = await walkTree(identifier, author.lookup);
  const org = organizationalDomain(walk);
  return org === undefined ? undefined : org === author.orgDomain;
}

/** The first that aligns and passes; `unknown` when one might. */
async function findAligned(
  author: Author,
  identifiers: readonly Identifier[],
  mode: 'r' | 's',
): Promise<{ domain: string | undefined; unknown: string | undefined }> {
  let unknown: string | undefined;
  for (const { domain: raw, status } of identifiers) {
    const domain = status === 'other' ? undefined : toALabels(raw.replace(/\.$/, ''), 1);
    if (domain === undefined) continue;
    const aligned = await aligns(author, domain, mode);
    if (aligned === true && status === 'pass') return { domain, unknown: undefined };
    if (aligned === false) continue;
    unknown ??=
      status === 'temperror' ? `${domain} could not be checked` : `DNS does not say whose ${domain} is`;
  }
  return { domain: undefined, unknown };
}

function withoutRecord(input: DmarcInput, author: Author): DmarcResult {
  const { domain, walk, orgDomain } = author;
  const base = {
    domain,
    orgDomain,
    policy: undefined,
    disposition: 'none',
    testing: false,
    alignedBy: { dkim: undefined, spf: undefined },
    record: undefined,
    recordDomain: undefined,
  } as const;
  if (walk.failed !== undefined) {
    return { ...base, result: 'temperror', reason: `the policy of ${domain} is not known: ${walk.failed}` };
  }
  const [several] = walk.several;
  const reason =
    several === undefined
      ? `${domain} has no DMARC policy`
      : `${several} has several DMARC records, which count as none`;
  return { ...base, result: 'none', reason };
}

/** Judge one author's domain. Never rejects for what DNS says. At most 8 questions for it and for each domain below it. */
export async function checkDmarc(input: DmarcInput): Promise<DmarcResult> {
  const { domain } = input;
  const lookup = input.lookup ?? createLookup(input.dns, input.signal);
  const walk = await walkTree(domain, lookup);
  const author: Author = { domain, walk, orgDomain: organizationalDomain(walk), lookup };
  const at = applicableRecord(author);
  if (at === undefined) return withoutRecord(input, author);
  const { record, name } = at;
  const base = { domain, orgDomain: author.orgDomain, testing: record.testing, record, recordDomain: name };
  const unaligned = { dkim: undefined, spf: undefined };
  if (record.fault === 'no effect') {
    const reason = `the DMARC record of ${name} has no policy that can be read`;
    return {
      ...base,
      result: 'permerror',
      reason,
      policy: undefined,
      disposition: 'none',
      alignedBy: unaligned,
    };
  }
  const [dkim, spf, policy] = await Promise.all([
    findAligned(author, input.dkim, record.adkim),
    findAligned(author, input.spf === undefined ? [] : [input.spf], record.aspf),
    policyFor(domain, at, input),
  ]);
  const known = {
    ...base,
    policy,
    disposition: 'none',
    alignedBy: { dkim: dkim.domain, spf: spf.domain },
  } as const;
  const by = [...(dkim.domain === undefined ? [] : ['DKIM']), ...(spf.domain === undefined ? [] : ['SPF'])];
  if (by.length > 0) {
    return { ...known, result: 'pass', reason: `${domain} is authenticated by ${by.join(' and ')}` };
  }
  const unknown = dkim.unknown ?? spf.unknown;
  if (unknown !== undefined) return { ...known, result: 'temperror', reason: unknown };
  if (policy === undefined) {
    return { ...known, result: 'temperror', reason: `DNS does not say whether ${domain} exists` };
  }
  const disposition = record.testing ? LOWER[policy] : policy;
  const asks = record.testing && disposition !== policy ? `${policy}, which is being tested` : policy;
  return {
    ...known,
    result: 'fail',
    disposition,
    reason: `neither DKIM nor SPF speaks for ${domain}, which asks for ${asks}`,
  };
}
