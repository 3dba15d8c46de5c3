import type { Dns } from '../dns.ts';
import { type BodyHashes, createBodyHashes } from './body-hashes.ts';
import { verifyOctets } from './crypto.ts';
import { canonicalField, FieldSelector, MAX_FIELDS, type RawField, splitFields } from './fields.ts';
import { type KeyLookup, lookUpKey } from './keys.ts';
import { isSignatureError, parseSignature, type Signature, withoutSignatureValue } from './signature.ts';

/** RFC 8601 section 2.7.1. */
export type DkimStatus = 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror';

/** What is known of one signature. */
export interface DkimResult {
  readonly status: DkimStatus;
  /** One clause for a person: why it is so. */
  readonly reason: string;
  /** `d=` in lower-case A-labels, where it could be read. Trust it only with `pass`. */
  readonly domain?: string;
  readonly selector?: string;
  readonly algorithm?: string;
  /** `i=`. */
  readonly identity?: string;
  /** The start of `b=`, for header.b of Authentication-Results (RFC 6008). */
  readonly signatureStart?: string;
  /** Bits of the public key. */
  readonly keyBits?: number;
  /** The key says `t=y`: the domain is testing and asks not to be judged by this. */
  readonly testing?: boolean;
  /** There was an `l=`: so many octets of a canonicalised body of `total` are signed. Never a pass unless it is all. */
  readonly bodyLength?: { readonly signed: number; readonly total: number };
  /** `h=` in lower case. */
  readonly signedNames?: readonly string[];
  /** `t=` and `x=` in milliseconds since the epoch. */
  readonly signedAtMs?: number;
  readonly expiresAtMs?: number;
}

export interface DkimReport {
  /** One per signature evaluated, from the top of the header; a single `none` for a message without. Never empty. */
  readonly results: readonly DkimResult[];
  /** Signatures beyond the limit, of which nothing was read. */
  readonly skipped: number;
}

export interface DkimLimits {
  /** Signatures evaluated, from the top. Legitimate mail has one to three, through lists up to five. */
  readonly signatures: number;
  /** Milliseconds our clock and the signer's may differ, for `x=`. */
  readonly clockSkewMs: number;
}

export const DKIM_LIMITS: DkimLimits = { signatures: 8, clockSkewMs: 300_000 };

export interface DkimContext {
  readonly dns: Dns;
  readonly nowMs: number;
  readonly limits?: Partial<DkimLimits>;
  /** Ends DNS queries early; what is missing is then a temperror. */
  readonly signal?: AbortSignal;
}

/** Verification of one message as it streams by; the body is never held. */
export interface DkimVerifier {
  /** The header section, with or without the empty line. Call once, first. Starts the key queries. */
  start(header: Buffer): void;
  /** The next octets of the body. Pieces of about 64 KiB keep the event loop free. */
  push(chunk: Uint8Array): void;
  /** After the last octet. Never rejects. */
  finish(): Promise<DkimReport>;
}

/** A signature under evaluation. */
interface Candidate {
  readonly field: RawField;
  readonly signature: Signature;
  readonly key: Promise<KeyLookup>;
}

type Step = DkimResult | Candidate;

function isCandidate(step: Step): step is Candidate {
  return 'key' in step;
}

/** What a result says of the signature itself. */
function describe(signature: Signature): Omit<DkimResult, 'status' | 'reason'> {
  return {
    domain: signature.domain,
    selector: signature.selector,
    algorithm: signature.algorithm,
    identity: signature.identity,
    signatureStart: signature.signature.toString('base64').slice(0, 8),
    signedNames: signature.signedNames,
    ...(signature.signedAt !== undefined && { signedAtMs: signature.signedAt * 1000 }),
    ...(signature.expiresAt !== undefined && { expiresAtMs: signature.expiresAt * 1000 }),
  };
}

/** Everything that can be said before the key and the body are there. */
function examine(field: RawField, context: DkimContext, limits: DkimLimits): Step {
  const signature = parseSignature(field);
  if (isSignatureError(signature)) {
    const { error, ...known } = signature;
    return { status: 'permerror', reason: error, ...known };
  }
  if (signature.expiresAt !== undefined && signature.expiresAt * 1000 + limits.clockSkewMs < context.nowMs) {
    return { status: 'policy', reason: 'the signature has expired', ...describe(signature) };
  }
  const { domain, selector, algorithm } = signature;
  return { field, signature, key: lookUpKey(context.dns, domain, selector, algorithm, context.signal) };
}

/** RFC 6376 section 3.7: the fields of `h=`, then the signature's own with an empty `b=` and no CRLF. */
function signedOctets(fields: FieldSelector, candidate: Candidate): Buffer[] {
  const { signature, field } = candidate;
  const pieces = fields.select(signature.signedNames, signature.headerCanonicalization);
  pieces.push(canonicalField(withoutSignatureValue(field), signature.headerCanonicalization));
  return pieces;
}

/** Does the body have the hash of `bh=`? */
function bodyMatches({ bodyCanonicalization, bodyLength, bodyHash }: Signature, body: BodyHashes): boolean {
  return body.digest(bodyCanonicalization, bodyLength)?.equals(bodyHash) === true;
}

/**
 * A valid signature with `l=` (RFC 6376 section 8.2) counts when it covers the body as it arrived to its last octet: then
 * nobody has added to it. One that leaves a rest says nothing of what is shown, so it is never a pass.
 */
function limitedBody(signed: number, total: number): Pick<DkimResult, 'status' | 'reason'> | undefined {
  if (signed === total) return undefined;
  return { status: 'policy', reason: `l= leaves ${total - signed} octets of the body unsigned` };
}

/** What a reader sees and what decides how the body is read: of each there is one (RFC 5322 section 3.6, RFC 2045). */
const SINGLE_FIELDS = [
  'from',
  'sender',
  'reply-to',
  'to',
  'cc',
  'subject',
  'date',
  'mime-version',
  'content-type',
  'content-transfer-encoding',
];

/**
 * A field that stands there twice and of which not each is signed (RFC 6376 section 8.15): someone may have put another on top of a
 * message that a good domain signed, and readers may show that one.
 */
function unsignedDouble(fields: FieldSelector, signedNames: readonly string[]): string | undefined {
  return SINGLE_FIELDS.find((name) => {
    const count = fields.count(name);
    return count > 1 && signedNames.filter((each) => each === name).length < count;
  });
}

async function evaluate(candidate: Candidate, fields: FieldSelector, body: BodyHashes): Promise<DkimResult> {
  const { signature } = candidate;
  const about = describe(signature);
  const lookup = await candidate.key;
  if (lookup.status !== 'ok') return { status: lookup.status, reason: lookup.reason, ...about };
  const key = lookup.record;
  const known = { ...about, keyBits: key.bits, ...(key.testing && { testing: true }) };
  if (key.strict && signature.identityDomain !== signature.domain) {
    return { status: 'permerror', reason: 'the key is for d= itself and i= is below it (t=s)', ...known };
  }
  const failure = (reason: string): DkimResult => {
    // RFC 6376 section 3.6.1: a failure while testing is as good as no signature.
    if (key.testing) return { status: 'neutral', reason: `${reason}; the domain is testing`, ...known };
    return { status: 'fail', reason, ...known };
  };
  if (!bodyMatches(signature, body)) return failure('the body was changed: its hash differs');
  if (!(await verifyOctets(signedOctets(fields, candidate), signature.signature, key))) {
    return failure('the signature does not verify: the header was changed or the key is another');
  }
  const double = unsignedDouble(fields, signature.signedNames);
  if (double !== undefined) {
    return {
      ...known,
      status: 'policy',
      reason: `the field ${double} stands there twice and only one is signed`,
    };
  }
  const reason = `good ${key.bits} bit ${key.type} signature${key.testing ? '; the domain is testing' : ''}`;
  const pass: DkimResult = { status: 'pass', reason, ...known };
  if (signature.bodyLength === undefined) return pass;
  const bodyLength = {
    signed: signature.bodyLength,
    total: body.length(signature.bodyCanonicalization),
  };
  return { ...pass, bodyLength, ...limitedBody(bodyLength.signed, bodyLength.total) };
}

/**
 * Verify the DKIM signatures of one message (RFC 6376 section 6, RFC 8301, RFC 8463, RFC 8616). Where the body is hashed for
 * others too, hand in `shared`: the verifier asks it in `start`, and its owner pushes and ends it instead of this.
 */
export function createDkimVerifier(context: DkimContext, shared?: BodyHashes): DkimVerifier {
  const limits = { ...DKIM_LIMITS, ...context.limits };
  const body = shared ?? createBodyHashes();
  let fields = new FieldSelector([]);
  let steps: Step[] = [];
  let skipped = 0;
  return {
    start(header) {
      const all = splitFields(header);
      const signatures = all.filter((field) => field.name === 'dkim-signature');
      fields = new FieldSelector(all);
      skipped = Math.max(0, signatures.length - limits.signatures);
      const first = signatures.slice(0, limits.signatures);
      steps = first.map((field): Step => {
        if (all.length <= MAX_FIELDS) return examine(field, context, limits);
        return { status: 'permerror', reason: `the message has more than ${MAX_FIELDS} header fields` };
      });
      for (const step of steps) {
        if (isCandidate(step)) body.want(step.signature.bodyCanonicalization, step.signature.bodyLength);
      }
    },
    push(chunk) {
      if (shared === undefined) body.push(chunk);
    },
    async finish() {
      body.end();
      if (steps.length === 0) {
        return { results: [{ status: 'none', reason: 'the message is not signed' }], skipped };
      }
      const results = steps.map((step) => (isCandidate(step) ? evaluate(step, fields, body) : step));
      return { results: await Promise.all(results), skipped };
    },
  };
}

/** Octets of a body hashed before other work gets its turn. */
const PIECE_BYTES = 64 * 1024;

/** `createDkimVerifier` for a message at hand; `body` is a Buffer or arrives in pieces. */
export async function verify(
  input: DkimContext & {
    readonly header: Buffer;
    readonly body: Buffer | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  },
): Promise<DkimReport> {
  const verifier = createDkimVerifier(input);
  verifier.start(input.header);
  for await (const chunk of input.body instanceof Uint8Array ? [input.body] : input.body) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      verifier.push(chunk.subarray(at, at + PIECE_BYTES));
      if (at + PIECE_BYTES < chunk.length) await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }
  return verifier.finish();
}
