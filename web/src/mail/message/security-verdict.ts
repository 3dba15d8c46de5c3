/** What a signature is worth, from what was found out about it. Nothing here asks anybody anything. */

export type KeyKind = 'pgp' | 'smime';
export type KeySource = 'given' | 'domain' | 'autocrypt' | 'message';

/** Why a signature that fits is worth nothing any more. */
export type OldReason =
  /** Made with a digest that can be forged (SHA-1, MD5). */
  | 'hash'
  /** The key or the certificate was not valid when the message came. */
  | 'expired'
  | 'revoked'
  /** The key is too short, or of a kind that is given up. */
  | 'weak'
  /** The certificate was not made for mail. */
  | 'purpose';

export interface Signer {
  readonly kind: KeyKind;
  /** Hex in lower case: of the primary key, or SHA-256 of the certificate. */
  readonly fingerprint: string;
  readonly name: string;
  /** Addresses that the key or certificate itself names, in lower case. */
  readonly addresses: readonly string[];
  /** The key, or the certificate in DER, as it may be kept. */
  readonly octets: Uint8Array<ArrayBuffer>;
  /** Of a certificate: who issued it. */
  readonly issuer?: string;
  readonly selfSigned?: boolean;
  /** Of a certificate: an authority that the server knows stands behind it. */
  readonly authority?: boolean;
}

/** What became of one signature. */
export type Checked =
  | {
      readonly state: 'good';
      readonly signer: Signer;
      /** When it was made, as the signer says; ms since the epoch. */
      readonly at: number | undefined;
    }
  | { readonly state: 'old'; readonly reason: OldReason; readonly signer: Signer }
  /** The message is not what was signed. */
  | { readonly state: 'broken' }
  /** There is no key to check it by. */
  | { readonly state: 'unknown'; readonly keyId: string }
  /** A form or an algorithm that is not read here. */
  | { readonly state: 'unreadable' };

/** A key that is kept for the sender's address. */
export interface KnownKey {
  readonly kind: KeyKind;
  readonly fingerprint: string;
  readonly source: KeySource;
  readonly trusted: boolean;
  /** ms since the epoch. */
  readonly firstSeen: number;
}

export interface Evidence {
  readonly checks: readonly Checked[];
  /** Addresses of all From fields, in lower case. */
  readonly from: readonly string[];
  /** How many From fields there are. */
  readonly fromFields: number;
  /** Those kept for the address in From. */
  readonly known: readonly KnownKey[];
  /** All that is shown of the message's content is what was signed. */
  readonly whole: boolean;
}

export type Verdict = (
  | {
      /** In the order of what they are worth. */
      readonly state: 'trusted' | 'authority' | 'domain' | 'first' | 'changed' | 'other' | 'several';
      readonly signer: Signer;
      readonly at: number | undefined;
      /** Since when this key is known for the address. */
      readonly since?: number;
    }
  | { readonly state: 'old'; readonly reason: OldReason; readonly signer: Signer }
  | { readonly state: 'broken' }
  | { readonly state: 'unknown'; readonly keyId: string }
  | { readonly state: 'unreadable' }
) & {
  /** Only a part of what is shown is signed. */
  readonly partial: boolean;
};

const ORDER: readonly Verdict['state'][] = [
  'trusted',
  'authority',
  'domain',
  'first',
  'changed',
  'other',
  'several',
  'old',
  'unknown',
  'broken',
  'unreadable',
];

/** The best that any of the signatures is worth; several cover the same octets. */
export function judge(evidence: Evidence): Verdict {
  const all = evidence.checks.map((each) => judgeOne(each, evidence));
  const [best] = all.toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
  return best ?? { state: 'unreadable', partial: !evidence.whole };
}

function judgeOne(check: Checked, { from, fromFields, known, whole }: Evidence): Verdict {
  const partial = !whole;
  if (check.state !== 'good') return { ...check, partial };
  const { signer, at } = check;
  const found = { signer, at, partial };
  // A second author, or a second field that another program shows, is somebody whom the signature says nothing of.
  const [sender] = from;
  if (sender === undefined || from.length !== 1 || fromFields !== 1) return { state: 'several', ...found };
  const same = known.filter(({ kind }) => kind === signer.kind);
  const kept = same.find(({ fingerprint }) => fingerprint === signer.fingerprint);
  if (kept?.trusted === true) return { state: 'trusted', ...found, since: kept.firstSeen };
  if (!signer.addresses.includes(sender)) return { state: 'other', ...found };
  if (signer.authority === true) return { state: 'authority', ...found };
  if (kept?.source === 'domain') return { state: 'domain', ...found, since: kept.firstSeen };
  // What the owner trusts weighs more than what was seen: a key that merely came along before does not make this one known.
  if (same.some((each) => each !== kept && each.trusted)) return { state: 'changed', ...found };
  if (kept !== undefined) return { state: 'first', ...found, since: kept.firstSeen };
  return { state: same.length > 0 ? 'changed' : 'first', ...found };
}

export type Tone = 'good' | 'danger' | 'neutral';

/** Green for nothing less than a good signature over all of it by a key that is known to be that of the one sender. */
export function toneOf({ state, partial }: Verdict): Tone {
  if (state === 'trusted' || state === 'authority' || state === 'domain') return partial ? 'neutral' : 'good';
  return state === 'first' || state === 'unknown' || state === 'unreadable' ? 'neutral' : 'danger';
}

/** A fingerprint as people compare it, in groups of four. */
export function shownFingerprint(fingerprint: string): string {
  return (fingerprint.toUpperCase().match(/.{1,4}/g) ?? []).join(' ');
}
