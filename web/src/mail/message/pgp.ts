import {
  config,
  createMessage,
  enums,
  type Key,
  LiteralDataPacket,
  readCleartextMessage,
  readKeys,
  readSignature,
  type Signature,
  type SignaturePacket,
} from 'openpgp';
import { latin1 } from './security-find.ts';
import type { Checked, OldReason, Signer } from './security-verdict.ts';

/** Signatures of OpenPGP (RFC 9580), checked by OpenPGP.js. Fetched only when there is one. */

type Octets = Uint8Array<ArrayBuffer>;

/** Octets of a signature and of keys that are looked at, and how many there may be. */
const SIGNATURE_OCTETS = 64 * 1024;
const KEYS_OCTETS = 256 * 1024;
const MOST_SIGNATURES = 4;
const MOST_KEYS = 10;
const MOST_USERS = 50;
/** What takes digests and kinds of keys that are given up: whether it fits is one thing, what it is worth another. */
const LENIENT = {
  ...config,
  rejectMessageHashAlgorithms: new Set<never>(),
  rejectHashAlgorithms: new Set<never>(),
};

/** Keys from a file, a header field or a paste, armored or not; those that cannot be read are left out. */
export async function readPgpKeys(octets: Uint8Array): Promise<readonly Key[]> {
  if (octets.length === 0 || octets.length > KEYS_OCTETS) return [];
  try {
    const text = latin1(octets.subarray(0, 4096)).trimStart();
    const found = text.startsWith('-----BEGIN')
      ? await readKeys({ armoredKeys: latin1(octets).trim() })
      : await readKeys({ binaryKeys: octets });
    return found.slice(0, MOST_KEYS).map((key) => (key.isPrivate() ? key.toPublic() : key));
  } catch {
    return [];
  }
}

/**
 * One key of each fingerprint, with what all of its copies say: a copy from before it was taken back must not hide that, and
 * one from before its end was put off must not end it.
 */
export async function mergeKeys(keys: readonly Key[]): Promise<readonly Key[]> {
  const merged = new Map<string, Key>();
  for (const key of keys) {
    const fingerprint = key.getFingerprint();
    const before = merged.get(fingerprint);
    merged.set(fingerprint, before === undefined ? key : await before.update(key).catch(() => before));
  }
  return [...merged.values()];
}

/** Whose key it is. Addresses are those that the key itself vouches for at present. */
export async function describeKey(key: Key): Promise<Signer> {
  const addresses = new Set<string>();
  let name = '';
  for (const user of key.users.slice(0, MOST_USERS)) {
    if (user.userID === null) continue;
    try {
      await user.verify();
      const address = (user.userID.email || bare(user.userID.userID)).toLowerCase();
      if (address !== '') addresses.add(address);
      name ||= user.userID.name;
    } catch {
      // Not vouched for, or taken back.
    }
  }
  return {
    kind: 'pgp',
    fingerprint: key.getFingerprint(),
    name,
    addresses: [...addresses],
    octets: lean(key),
  };
}

/** A user id that is an address and nothing else. */
function bare(userId: string): string {
  return /^[^\s<>@]{1,64}@[^\s<>@]{1,255}$/.test(userId) ? userId : '';
}

/** The key without what others certify of it, which nobody looks at here. */
function lean(key: Key): Octets {
  for (const user of key.users) user.otherCertifications = [];
  return new Uint8Array(key.write());
}

/** Check a detached signature, as PGP/MIME has it (RFC 3156 section 5). `content`: the octets that were signed. */
export async function checkPgp(
  signature: Uint8Array,
  content: Uint8Array,
  keys: readonly Key[],
): Promise<readonly Checked[]> {
  if (signature.length > SIGNATURE_OCTETS) return [];
  let read: Signature;
  try {
    const text = latin1(signature).trim();
    read = text.startsWith('-----BEGIN')
      ? await readSignature({ armoredSignature: text })
      : await readSignature({ binarySignature: signature });
  } catch {
    return [];
  }
  return checkAll(read.packets, content, keys);
}

export interface CheckedText {
  readonly checks: readonly Checked[];
  /** The text that is signed, and nothing else; lines end in LF. */
  readonly octets: Octets;
}

/** Check a block of the cleartext framework, of one octet a character; undefined when it is none. */
export async function checkClearText(block: string, keys: readonly Key[]): Promise<CheckedText | undefined> {
  try {
    const message = await readCleartextMessage({ cleartextMessage: block });
    const text = message.getText();
    const octets = fromLatin1(text);
    const signed = fromLatin1(text.replaceAll('\n', '\r\n'));
    const { packets } = (message as unknown as { readonly signature: Signature }).signature;
    return { checks: await checkAll(packets, signed, keys), octets };
  } catch {
    return undefined;
  }
}

function fromLatin1(text: string): Octets {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

async function checkAll(
  packets: Iterable<unknown>,
  content: Uint8Array,
  keys: readonly Key[],
): Promise<readonly Checked[]> {
  const found: Checked[] = [];
  for (const packet of [...packets].slice(0, MOST_SIGNATURES)) {
    const signature = packet as SignaturePacket;
    // Signatures over documents, and no others: one over a key is not one over a message.
    const type = signature.signatureType as number | null | undefined;
    if (type !== enums.signature.binary && type !== enums.signature.text) continue;
    found.push(await checkOne(signature, content, keys));
  }
  return found;
}

async function checkOne(
  signature: SignaturePacket,
  content: Uint8Array,
  keys: readonly Key[],
): Promise<Checked> {
  const keyId = signature.issuerKeyID;
  // A key id is short: several keys may have it, and any of them could be the one.
  const meant = keys.filter((key) => key.getKeys(keyId).length > 0);
  if (meant.length === 0) return { state: 'unknown', keyId: keyId.toHex() };
  for (const key of meant) {
    const outcome = await byKey(signature, content, key);
    if (outcome !== undefined) return outcome;
  }
  return { state: 'broken' };
}

/** Undefined: the signature does not fit with this key. */
async function byKey(
  signature: SignaturePacket,
  content: Uint8Array,
  key: Key,
): Promise<Checked | undefined> {
  const keyId = signature.issuerKeyID;
  const [holder] = key.getKeys(keyId);
  const created = signature.created;
  if (holder === undefined || created === null) return undefined;
  if (!(await fits(signature, content, holder.keyPacket))) return undefined;
  const signer = await describeKey(key);
  const reason = await whyOld(signature, key, created);
  if (reason !== undefined) return { state: 'old', reason, signer };
  return { state: 'good', signer, at: created.getTime() };
}

type KeyPacket = Parameters<SignaturePacket['verify']>[0];

async function fits(signature: SignaturePacket, content: Uint8Array, key: unknown): Promise<boolean> {
  const message = await createMessage({ binary: content });
  const literal = [...message.packets].find((each) => each instanceof LiteralDataPacket);
  const type = signature.signatureType;
  if (literal === undefined || type === null) return false;
  try {
    // Its own dates are looked at afterwards; what is unknown and critical makes it worthless here.
    await signature.verify(key as KeyPacket, type, literal, null as unknown as Date, true, LENIENT);
    return true;
  } catch {
    return false;
  }
}

/** Why a signature that fits is worth nothing. */
async function whyOld(signature: SignaturePacket, key: Key, created: Date): Promise<OldReason | undefined> {
  const digest = signature.hashAlgorithm;
  if (
    digest !== null &&
    (config.rejectMessageHashAlgorithms.has(digest) || config.rejectHashAlgorithms.has(digest))
  )
    return 'hash';
  if (signature.isExpired() || created.getTime() > Date.now() + 86_400_000) return 'expired';
  try {
    // As it was then (RFC 9580 section 5.2.3.31): but what is in other hands was worth nothing before that, either; anybody
    // may say that they signed earlier.
    await key.getSigningKey(signature.issuerKeyID, created);
    return undefined;
  } catch (error) {
    const words = error instanceof Error ? error.message : '';
    if (/revoked/i.test(words)) return 'revoked';
    return /weak|insecure|at least \d+ bits|considered too weak|algorithm/i.test(words) ? 'weak' : 'expired';
  }
}
