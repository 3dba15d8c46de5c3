/** The sets of ARC fields in a header (RFC 8617 sections 4.1 and 4.2): found, read and checked for their structure. */
import type { Canonicalization } from '../dkim/body-hash.ts';
import type { RawField } from '../dkim/fields.ts';
import { toALabels } from '../dkim/names.ts';
import type { SigningAlgorithm } from '../dkim/signature.ts';
import { colonList, hasBareLf, isTagError, parseTags, type TagList } from '../dkim/tags.ts';
import { algorithm, base64, canonicalizations, decimal, Malformed, required } from '../dkim/values.ts';

/** Sets of one message: RFC 8617 section 4.2.1. A message with more has failed, and nothing of it is evaluated. */
export const MAX_ARC_SETS = 50;
/** Octets of one ARC field. Real ones stay below 4 KiB. */
const MAX_FIELD_OCTETS = 64 * 1024;
/** Names in one `h=`. */
const MAX_SIGNED_NAMES = 10_240;

/** `cv=` of a seal: what its maker found of the chain before it. */
export type ChainValue = 'none' | 'pass' | 'fail';

/** What a seal and a message signature have in common. */
export interface ArcSignature {
  readonly field: RawField;
  readonly algorithm: SigningAlgorithm;
  /** `d=` and `s=`, A-labels in lower case. */
  readonly domain: string;
  readonly selector: string;
  readonly signature: Buffer;
  /** `t=` in milliseconds since the epoch. */
  readonly signedAtMs: number | undefined;
}

/** ARC-Seal (section 4.1.3). */
export interface ArcSeal extends ArcSignature {
  readonly cv: ChainValue;
}

/** ARC-Message-Signature (section 4.1.2): a DKIM signature without `v=`, its `i=` the instance. */
export interface ArcMessageSignature extends ArcSignature {
  readonly headerCanonicalization: Canonicalization;
  readonly bodyCanonicalization: Canonicalization;
  readonly bodyHash: Buffer;
  /** `h=` in lower case. May be empty. */
  readonly signedNames: readonly string[];
  readonly expiresAtMs: number | undefined;
}

/** One hop: its three fields. */
export interface ArcSet {
  readonly instance: number;
  readonly results: RawField;
  /** The value of ARC-Authentication-Results behind "i=…;", unfolded as it came. */
  readonly resultsText: string;
  readonly message: ArcMessageSignature;
  readonly seal: ArcSeal;
}

/** `sets` from instance 1 up; empty for a message without any. */
export type ArcSets = { readonly sets: readonly ArcSet[] } | { readonly error: string };

const NAMES = {
  'arc-seal': 'seal',
  'arc-message-signature': 'message',
  'arc-authentication-results': 'results',
} as const;
type Kind = (typeof NAMES)[keyof typeof NAMES];

function kindOf(name: string): Kind | undefined {
  return Object.hasOwn(NAMES, name) ? NAMES[name as keyof typeof NAMES] : undefined;
}

/** The ARC fields of a header, whatever is in them. */
export function arcFields(fields: readonly RawField[]): RawField[] {
  return fields.filter(({ name }) => kindOf(name) !== undefined);
}

/** Section 4.2.1: 1 to 50. */
function instanceOf(text: string | undefined): number {
  if (text === undefined || !/^0{0,8}[1-9][0-9]?$/.test(text) || Number(text) > MAX_ARC_SETS) {
    throw new Malformed(`an i= that is not 1 to ${MAX_ARC_SETS}`);
  }
  return Number(text);
}

function readTags(field: RawField): TagList {
  const text = field.raw.toString('latin1', field.valueStart);
  if (hasBareLf(text)) throw new Malformed('an LF alone');
  const tags = parseTags(text, true);
  if (isTagError(tags)) throw new Malformed(tags.error);
  return tags;
}

function readSignature(field: RawField, tags: TagList): ArcSignature {
  const domain = toALabels(required(tags, 'd'), 2);
  const selector = toALabels(required(tags, 's'), 1);
  if (domain === undefined) throw new Malformed('d= is not a domain');
  if (selector === undefined) throw new Malformed('s= is not a selector');
  const seconds = decimal(tags, 't');
  return {
    field,
    algorithm: algorithm(required(tags, 'a')),
    domain,
    selector,
    signature: base64(required(tags, 'b'), 'b'),
    signedAtMs: seconds === undefined ? undefined : seconds * 1000,
  };
}

function readSeal(field: RawField, tags: TagList): ArcSeal {
  // Section 4.1.3: what a seal covers is fixed.
  if (tags.has('h')) throw new Malformed('a seal with h=');
  const cv = required(tags, 'cv').toLowerCase();
  if (cv !== 'none' && cv !== 'pass' && cv !== 'fail') throw new Malformed('an unknown cv=');
  return { ...readSignature(field, tags), cv };
}

function readMessageSignature(field: RawField, tags: TagList): ArcMessageSignature {
  // Section 4.1.2 names no default of its own; sealers that leave c= out mean what section 4.1.3 fixes for seals.
  const [headerCanonicalization, bodyCanonicalization] = canonicalizations(
    tags.get('c')?.value ?? 'relaxed/relaxed',
  );
  const bodyHash = base64(required(tags, 'bh'), 'bh');
  if (bodyHash.length !== 32) throw new Malformed('bh= is not the length of a SHA-256');
  // A body that anyone may lengthen is not what the sealer saw.
  if (tags.has('l')) throw new Malformed('a message signature with l=');
  const listed = tags.get('h')?.value;
  if (listed === undefined) throw new Malformed('no h= tag');
  const signedNames = colonList(listed.toLowerCase()).filter((name) => name !== '');
  if (signedNames.length > MAX_SIGNED_NAMES) throw new Malformed(`more than ${MAX_SIGNED_NAMES} names in h=`);
  if (signedNames.includes('arc-seal')) throw new Malformed('h= covers ARC-Seal'); // section 4.1.2
  const seconds = decimal(tags, 'x');
  return {
    ...readSignature(field, tags),
    headerCanonicalization,
    bodyCanonicalization,
    bodyHash,
    signedNames,
    expiresAtMs: seconds === undefined ? undefined : seconds * 1000,
  };
}

/** Section 4.1.1: the instance stands first. */
const RESULTS_INSTANCE = /^[ \t\r\n]{0,100}i[ \t\r\n]{0,100}=[ \t\r\n]{0,100}([0-9]{1,10})[ \t\r\n]{0,100};/;

interface Draft {
  results?: { field: RawField; text: string };
  message?: ArcMessageSignature;
  seal?: ArcSeal;
}

function addField(drafts: Map<number, Draft>, field: RawField, kind: Kind): void {
  if (field.raw.length > MAX_FIELD_OCTETS) throw new Malformed('a field that is too long');
  let instance: number;
  let part: Draft;
  if (kind === 'results') {
    const value = field.raw.toString('latin1', field.valueStart);
    const match = RESULTS_INSTANCE.exec(value.slice(0, 600));
    instance = instanceOf(match?.[1]);
    part = { results: { field, text: value.slice(match?.[0].length ?? 0).trim() } };
  } else {
    const tags = readTags(field);
    instance = instanceOf(tags.get('i')?.value);
    part = kind === 'seal' ? { seal: readSeal(field, tags) } : { message: readMessageSignature(field, tags) };
  }
  const draft = drafts.get(instance) ?? {};
  if (draft[kind] !== undefined) throw new Malformed(`${field.name} twice for i=${instance}`);
  drafts.set(instance, { ...draft, ...part });
}

/** Section 5.2 step 3: no gap, three fields each, `cv=none` for the first and `pass` for the others. */
function complete(drafts: ReadonlyMap<number, Draft>): ArcSet[] {
  const sets: ArcSet[] = [];
  for (let instance = 1; instance <= drafts.size; instance++) {
    const { results, message, seal } = drafts.get(instance) ?? {};
    if (results === undefined || message === undefined || seal === undefined) {
      throw new Malformed(`the set i=${instance} is not complete`);
    }
    // Only the last may say that the chain failed; `verify` looks at that first.
    const expected = instance === 1 ? 'none' : 'pass';
    if (seal.cv !== expected && !(seal.cv === 'fail' && instance === drafts.size)) {
      throw new Malformed(`i=${instance} says cv=${seal.cv}`);
    }
    sets.push({ instance, results: results.field, resultsText: results.text, message, seal });
  }
  return sets;
}

/**
 * The ARC sets of a header, or what is wrong with them. Never throws; linear in the octets, and a message with more fields
 * than 50 sets have is refused before one is read.
 */
export function readArcSets(fields: readonly RawField[]): ArcSets {
  const found = arcFields(fields);
  if (found.length === 0) return { sets: [] };
  if (found.length > 3 * MAX_ARC_SETS) return { error: `more than ${MAX_ARC_SETS} ARC sets` };
  const drafts = new Map<number, Draft>();
  try {
    for (const field of found) {
      const kind = kindOf(field.name);
      if (kind !== undefined) addField(drafts, field, kind);
    }
    return { sets: complete(drafts) };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    return { error: error.message };
  }
}

/**
 * For one who seals: the highest instance any field claims, and whether its seal says that the chain failed already. Reads
 * broken fields too.
 */
export function highestInstance(fields: readonly RawField[]): { instance: number; failed: boolean } {
  let highest = { instance: 0, failed: false };
  for (const field of arcFields(fields).slice(0, 3 * MAX_ARC_SETS + 1)) {
    if (field.name === 'arc-authentication-results' || field.raw.length > MAX_FIELD_OCTETS) continue;
    const tags = parseTags(field.raw.toString('latin1', field.valueStart));
    const text = isTagError(tags) ? undefined : tags.get('i')?.value;
    if (isTagError(tags) || text === undefined || !/^[0-9]{1,4}$/.test(text)) continue;
    const instance = Number(text);
    const failed = field.name === 'arc-seal' && tags.get('cv')?.value.toLowerCase() === 'fail';
    if (instance > highest.instance) highest = { instance, failed };
    else if (instance === highest.instance && failed) highest = { instance, failed };
  }
  return highest;
}
