import { sign as cryptoSign, createHash, type KeyObject } from 'node:crypto';
import { canonicalField, FieldSelector, MAX_FIELDS, type RawField, splitFields } from '../dkim/fields.ts';
import { isDomainName } from '../dkim/names.ts';
import { namesToSign } from '../dkim/sign.ts';
import type { SigningAlgorithm } from '../dkim/signature.ts';
import { type ChainValue, highestInstance, MAX_ARC_SETS, readArcSets } from './sets.ts';
import { sealedOctets } from './verify.ts';

/** Columns a line of a field is folded at. */
const FOLD_COLUMNS = 76;
/**
 * Base64 stays on one line up to the 998 octets of RFC 5322 section 2.1.1: a fold in it would be white space that later seals
 * cover, and verifiers have differed about that.
 */
const BASE64_PIECE = /.{1,900}/g;

export interface SealInput {
  /** The header as it goes out, without the set to be made; CRLF line ends. */
  readonly header: Buffer;
  /** Digest of a relaxed `createBodyHasher` that saw the whole body. */
  readonly bodyHash: Buffer;
  /** `d=` and `s=`, A-labels. */
  readonly domain: string;
  readonly selector: string;
  readonly key: KeyObject;
  readonly algorithm: SigningAlgorithm;
  /** For `t=`. */
  readonly nowMs: number;
  /** What we found of the chain when the message arrived; never made up from a temperror. */
  readonly cv: ChainValue;
  /** What Authentication-Results says: "mx.example.net; spf=pass …", folded or not, without the final CRLF. */
  readonly authResults: string;
  /** For `h=`; those a DKIM signature of ours covers, and the DKIM signatures, unless given. */
  readonly signedNames?: readonly string[];
}

interface Tag {
  readonly name: string;
  readonly value: string;
}

/** Long lists are broken at their colons, the other values stay whole. */
function piecesOf({ name, value }: Tag): string[] {
  if (name === 'b') return value.match(BASE64_PIECE) ?? [''];
  if (name === 'h' && value.length > FOLD_COLUMNS - 4) {
    return value.split(':').map((each, i, all) => (i === all.length - 1 ? each : `${each}:`));
  }
  return [value];
}

/** A field of tags in alphabetical order, folded, without its CRLF. White space is the same whatever `b=` holds. */
function render(name: string, tags: readonly Tag[]): Buffer {
  const lines = [`${name}:`];
  const put = (piece: string, glue: string): void => {
    const last = lines.length - 1;
    const line = lines[last] ?? '';
    if (line.length + glue.length + piece.length > FOLD_COLUMNS) lines.push(`\t${piece}`);
    else lines[last] = line + glue + piece;
  };
  const sorted = tags.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  sorted.forEach((tag, at) => {
    const pieces = piecesOf(tag);
    const [first = '', ...rest] = pieces;
    const stop = (i: number): string => (i === pieces.length - 1 && at < sorted.length - 1 ? ';' : '');
    put(`${tag.name}=${first}${stop(0)}`, ' ');
    rest.forEach((piece, i) => lines.push(`\t${piece}${stop(i + 1)}`));
  });
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

function toField(raw: Buffer): RawField {
  const colon = raw.indexOf(':');
  return { name: raw.toString('latin1', 0, colon).toLowerCase(), raw, valueStart: colon + 1 };
}

/** In a thread of libuv. */
function signOctets(pieces: readonly Buffer[], { key, algorithm }: SealInput): Promise<string> {
  const rsa = algorithm === 'rsa-sha256';
  const octets = Buffer.concat(pieces);
  const data = rsa ? octets : createHash('sha256').update(octets).digest(); // RFC 8463 section 3
  return new Promise((resolve, reject) => {
    cryptoSign(rsa ? 'sha256' : null, data, key, (error, value) => {
      if (error) reject(error);
      else resolve(value.toString('base64'));
    });
  });
}

function checkInput({ key, algorithm, domain, selector, bodyHash }: SealInput): void {
  const wanted = algorithm === 'rsa-sha256' ? 'rsa' : 'ed25519';
  if (key.type !== 'private' || key.asymmetricKeyType !== wanted) {
    throw new TypeError(`a private ${wanted} key is needed for ${algorithm}`);
  }
  if (!isDomainName(domain.toLowerCase(), 2) || !isDomainName(selector.toLowerCase(), 1)) {
    throw new TypeError('the domain or the selector of an ARC key is not a name in A-labels');
  }
  if (bodyHash.length !== 32) throw new TypeError('the body hash is not a SHA-256');
}

function defaultNames(fields: FieldSelector): string[] {
  // Section 4.1.2: what shows the message, and the signatures our results speak of; never ARC or Authentication-Results.
  const signatures = Array<string>(fields.count('dkim-signature')).fill('DKIM-Signature');
  return [...namesToSign(fields), ...signatures];
}

/**
 * Add a set to the ARC chain of a message that is passed on (RFC 8617 section 5.1). Resolves to the three fields, the seal
 * on top, each with its CRLF, to be put before the header; undefined where no set may be added: the chain has failed
 * already (section 5.1.2), has 50 sets, or the header has more fields than are told apart. A TypeError for a key, domain or
 * selector that cannot be used, and for a `cv` that does not go with the header.
 */
export async function seal(input: SealInput): Promise<Buffer | undefined> {
  checkInput(input);
  const all = splitFields(input.header);
  const highest = highestInstance(all);
  const instance = highest.instance + 1;
  if (highest.failed || instance > MAX_ARC_SETS || all.length > MAX_FIELDS) return undefined;
  if ((input.cv === 'none') !== (highest.instance === 0)) {
    throw new TypeError(`cv=${input.cv} with ${highest.instance} sets in the header`);
  }
  const fields = new FieldSelector(all);
  const common = (b: string): Tag[] => [
    { name: 'a', value: input.algorithm },
    { name: 'b', value: b },
    { name: 'd', value: input.domain },
    { name: 'i', value: String(instance) },
    { name: 's', value: input.selector },
    { name: 't', value: String(Math.floor(input.nowMs / 1000)) },
  ];
  const results = Buffer.from(
    `ARC-Authentication-Results: i=${instance}; ${input.authResults.trim()}`,
    'latin1',
  );

  const names = input.signedNames ?? defaultNames(fields);
  const messageField = (b: string): RawField => {
    const more = { bh: input.bodyHash.toString('base64'), c: 'relaxed/relaxed', h: names.join(':') };
    const tags = Object.entries(more).map(([name, value]) => ({ name, value }));
    return toField(render('ARC-Message-Signature', [...common(b), ...tags]));
  };
  const signed = fields.select(
    names.map((name) => name.toLowerCase()),
    'relaxed',
  );
  const message = messageField(
    await signOctets([...signed, canonicalField(messageField(''), 'relaxed')], input),
  );

  const sealField = (b: string): RawField =>
    toField(render('ARC-Seal', [...common(b), { name: 'cv', value: input.cv }]));
  const known = readArcSets(all);
  if (input.cv === 'pass' && 'error' in known)
    throw new TypeError(`cv=pass of a broken chain: ${known.error}`);
  // Section 5.1.2: of a chain that failed only the own set is sealed.
  const before = input.cv === 'fail' || 'error' in known ? [] : known.sets;
  const own = { results: toField(results), message: { field: message }, seal: { field: sealField('') } };
  const octets = sealedOctets([...before, own]);
  const sealing = sealField(await signOctets(octets, input));
  const end = Buffer.from('\r\n');
  return Buffer.concat([sealing.raw, end, message.raw, end, results, end]);
}
