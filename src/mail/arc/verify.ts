import type { Dns } from '../dns.ts';
import { type BodyHashes, createBodyHashes } from '../dkim/body-hashes.ts';
import { verifyOctets } from '../dkim/crypto.ts';
import { canonicalField, FieldSelector, MAX_FIELDS, type RawField, splitFields } from '../dkim/fields.ts';
import { type KeyLookup, lookUpKey } from '../dkim/keys.ts';
import { withoutSignatureValue } from '../dkim/signature.ts';
import { type ArcSet, type ArcSets, type ArcSignature, type ChainValue, readArcSets } from './sets.ts';

/**
 * The state of a chain: RFC 8617 section 4.4, and `temperror` where DNS did not say. A chain with a temperror may be good:
 * it neither vouches for the message nor speaks against it.
 */
export type ArcStatus = 'none' | 'pass' | 'fail' | 'temperror';

/** What one hop said and who said it. Trust it only in a chain that passes. */
export interface ArcLink {
  readonly instance: number;
  /** `d=` of the seal: who vouches. */
  readonly domain: string;
  readonly selector: string;
  readonly cv: ChainValue;
  /** `d=` and `h=` of the message signature. */
  readonly messageDomain: string;
  readonly signedNames: readonly string[];
  readonly sealedAtMs: number | undefined;
  /** ARC-Authentication-Results behind "i=…;", raw. For `parseAuthenticationResults`. */
  readonly resultsText: string;
}

export interface ArcResult {
  readonly status: ArcStatus;
  /** One clause for a person. */
  readonly reason: string;
  /** From instance 1 up, where the fields could be read. */
  readonly links: readonly ArcLink[];
}

export interface ArcContext {
  readonly dns: Dns;
  readonly nowMs: number;
  /** Ends DNS queries early; what is missing is then a temperror. */
  readonly signal?: AbortSignal;
}

/** Verification of one message as it streams by. */
export interface ArcVerifier {
  /** The header section, with or without the empty line. Call once, first. */
  start(header: Buffer): void;
  /** The next octets of the body; nothing where the hashes are shared. */
  push(chunk: Uint8Array): void;
  /** After the last octet. Never rejects. */
  finish(): Promise<ArcResult>;
}

function toLink({ instance, seal, message, resultsText }: ArcSet): ArcLink {
  return {
    instance,
    domain: seal.domain,
    selector: seal.selector,
    cv: seal.cv,
    messageDomain: message.domain,
    signedNames: message.signedNames,
    sealedAtMs: seal.signedAtMs,
    resultsText,
  };
}

/** The three fields of a set. */
export interface SealedFields {
  readonly results: RawField;
  readonly message: { readonly field: RawField };
  readonly seal: { readonly field: RawField };
}

const CRLF = Buffer.from('\r\n');

/**
 * What the seal of the last of `sets` covers (section 5.1.1): of each set its results, its message signature and its seal,
 * relaxed, the last seal without its `b=` and CRLF.
 */
export function sealedOctets(sets: readonly SealedFields[]): Buffer[] {
  return sets.flatMap(({ results, message, seal }, i) => {
    const last = i === sets.length - 1;
    const own = last ? withoutSignatureValue(seal.field) : seal.field;
    return [
      canonicalField(results, 'relaxed'),
      CRLF,
      canonicalField(message.field, 'relaxed'),
      CRLF,
      canonicalField(own, 'relaxed'),
      ...(last ? [] : [CRLF]),
    ];
  });
}

/** A line that begins an ARC field. */
const ARC_FIELD = /(?:^|\n)arc-/i;

type Outcome = Pick<ArcResult, 'status' | 'reason'>;

/** One chain under evaluation. */
class Chain {
  readonly #context: ArcContext;
  readonly #sets: readonly ArcSet[];
  readonly #fields: FieldSelector;
  readonly #keys = new Map<string, Promise<KeyLookup>>();

  constructor(context: ArcContext, sets: readonly ArcSet[], fields: FieldSelector) {
    this.#context = context;
    this.#sets = sets;
    this.#fields = fields;
  }

  /** Each key is asked for once, however many seals are its. */
  #key({ domain, selector, algorithm }: ArcSignature): Promise<KeyLookup> {
    const name = `${algorithm} ${selector} ${domain}`;
    const known =
      this.#keys.get(name) ?? lookUpKey(this.#context.dns, domain, selector, algorithm, this.#context.signal);
    this.#keys.set(name, known);
    return known;
  }

  /** Undefined when `by` made its signature over what `octets` yields. */
  async #wrong(what: string, by: ArcSignature, octets: () => Buffer[]): Promise<Outcome | undefined> {
    const lookup = await this.#key(by);
    if (lookup.status === 'temperror') return { status: 'temperror', reason: `${what}: ${lookup.reason}` };
    if (lookup.status !== 'ok') return { status: 'fail', reason: `${what}: ${lookup.reason}` };
    const good = await verifyOctets(octets(), by.signature, lookup.record);
    return good ? undefined : { status: 'fail', reason: `${what} does not verify` };
  }

  /** Section 5.2 steps 4 and 6. What the body says comes before any question to DNS. */
  async check(body: BodyHashes): Promise<Outcome> {
    const last = this.#sets.at(-1);
    if (last === undefined) return { status: 'none', reason: 'the message has no ARC fields' };
    const { message, instance } = last;
    if (!body.digest(message.bodyCanonicalization)?.equals(message.bodyHash)) {
      return { status: 'fail', reason: 'the body was changed after the last seal' };
    }
    if (message.expiresAtMs !== undefined && message.expiresAtMs < this.#context.nowMs) {
      return { status: 'fail', reason: 'the last message signature has expired' };
    }
    const wrongMessage = await this.#wrong(`ARC-Message-Signature i=${instance}`, message, () => [
      ...this.#fields.select(message.signedNames, message.headerCanonicalization),
      canonicalField(withoutSignatureValue(message.field), message.headerCanonicalization),
    ]);
    if (wrongMessage !== undefined) return wrongMessage;
    for (const { seal } of this.#sets) void this.#key(seal); // all at once, now that the message is as it was sealed
    for (let count = this.#sets.length; count > 0; count--) {
      const seal = this.#sets[count - 1]?.seal;
      if (seal === undefined) break;
      const sealed = this.#sets.slice(0, count);
      const wrong = await this.#wrong(`ARC-Seal i=${count}`, seal, () => sealedOctets(sealed));
      if (wrong !== undefined) return wrong;
    }
    const plural = this.#sets.length === 1 ? 'one seal' : `${this.#sets.length} seals`;
    return { status: 'pass', reason: `${plural}, the last by ${last.seal.domain}` };
  }
}

/**
 * Validate the ARC chain of a message (RFC 8617 section 5.2). Where the body is hashed for DKIM too, hand in `shared`: its
 * owner pushes and ends it.
 */
export function createArcVerifier(context: ArcContext, shared?: BodyHashes): ArcVerifier {
  const body = shared ?? createBodyHashes();
  let found: ArcSets = { sets: [] };
  let fields = new FieldSelector([]);
  return {
    start(header) {
      if (!ARC_FIELD.test(header.toString('latin1'))) return; // most mail: nothing to split
      const all = splitFields(header);
      found =
        all.length > MAX_FIELDS
          ? { error: `the message has more than ${MAX_FIELDS} header fields` }
          : readArcSets(all);
      if ('error' in found || found.sets.length === 0) return;
      fields = new FieldSelector(all);
      const last = found.sets.at(-1);
      if (last !== undefined && last.seal.cv !== 'fail') body.want(last.message.bodyCanonicalization);
    },
    push(chunk) {
      if (shared === undefined) body.push(chunk);
    },
    async finish() {
      body.end();
      if ('error' in found) return { status: 'fail', reason: found.error, links: [] };
      const { sets } = found;
      const links = sets.map(toLink);
      const last = sets.at(-1);
      if (last?.seal.cv === 'fail') {
        return { status: 'fail', reason: `${last.seal.domain} found the chain broken`, links }; // step 2
      }
      return { ...(await new Chain(context, sets, fields).check(body)), links };
    },
  };
}
