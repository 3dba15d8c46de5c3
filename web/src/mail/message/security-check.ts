import { call, download, upload } from '../../jmap/client.ts';
import type { AccountStore } from '../../jmap/store/account.ts';
import type { Email, EmailAddress, Id } from '../../jmap/types.ts';
import { authentication } from './authentication.ts';
import { autocryptKey } from './autocrypt.ts';
import { partsOf } from './load.ts';
import {
  clearSigned,
  findSecurity,
  type Found,
  fromBase64,
  meansOneText,
  toBase64,
} from './security-find.ts';
import { authoritiesOf, keepKey, keysOf, type StoredKey } from './security-keys.ts';
import { type Checked, judge, type Verdict } from './security-verdict.ts';

/** What is found out about a message that is signed or encrypted. */
export type Inspected =
  | { readonly kind: 'encrypted'; readonly how: 'pgp' | 'smime' }
  | {
      readonly kind: 'signed';
      readonly how: 'pgp' | 'smime';
      readonly verdict: Verdict;
      /** The one address in From; '' when there is not one. */
      readonly sender: string;
      /** The message as it is to be shown: what was wrapped in its signature, or stood between lines of armor. */
      readonly inner: Email | undefined;
      /** What is signed, by itself. */
      readonly alone: (() => Promise<Email>) | undefined;
    };

/** Octets of a message whose signature is checked. */
const MOST_OCTETS = 30_000_000;
/** Octets of keys that come with a message. */
const KEY_OCTETS = 64 * 1024;
const MOST_ATTACHED = 3;
/** Signatures within signatures that are opened. */
const MOST_WRAPS = 4;
const BODY = [
  'partId',
  'blobId',
  'size',
  'name',
  'type',
  'charset',
  'disposition',
  'cid',
  'subParts',
  'header:Content-Type',
];
const CONTENT = ['blobId', 'bodyStructure', 'bodyValues', 'textBody', 'htmlBody', 'attachments'] as const;

export async function inspect(store: AccountStore, email: Email): Promise<Inspected | undefined> {
  const found = findSecurity(email);
  if (found === undefined || found.kind === 'encrypted') return found;
  if (email.size > MOST_OCTETS)
    return unreadable(found.kind === 'smime' || found.kind === 'opaque' ? 'smime' : 'pgp');
  const facts = await factsOf(store, email);
  if (found.kind === 'inline') return inspectInline(store, email, facts, found);
  if (found.kind === 'opaque') return inspectOpaque(store, email, facts, found);
  const [signature, content] = await Promise.all([
    download(store.id, found.signatureBlob),
    download(store.id, found.signedBlob),
  ]);
  const alone = (): Promise<Email> => parsed(store, email, found.signedBlob);
  const { checks, origins } =
    found.kind === 'pgp'
      ? await byPgp(store, email, facts, async (keys) =>
          (await import('./pgp.ts')).checkPgp(signature, content, keys),
        )
      : {
          checks: await (await import('./smime.ts')).checkSmime(
            signature,
            content,
            cameAt(email),
            authoritiesOf,
          ),
          origins: NO_ORIGINS,
        };
  const verdict = await conclude(email, facts, checks, found.whole, origins);
  return { kind: 'signed', how: found.kind, verdict, sender: facts.sender, inner: undefined, alone };
}

function unreadable(how: 'pgp' | 'smime'): Inspected {
  const verdict: Verdict = { state: 'unreadable', partial: false };
  return { kind: 'signed', how, verdict, sender: '', inner: undefined, alone: undefined };
}

interface Facts {
  readonly addresses: readonly string[];
  readonly fields: number;
  /** The one address in From; '' when there is not one. */
  readonly sender: string;
  readonly autocrypt: readonly string[];
  readonly known: readonly StoredKey[];
}

/** Who the message says it is from, in all of its From fields: a message with two is shown with one of them. */
async function factsOf(store: AccountStore, email: Email): Promise<Facts> {
  const { list } = await call('Email/get', {
    accountId: store.id,
    ids: [email.id],
    properties: ['header:From:asAddresses:all', 'header:Autocrypt:asRaw:all'],
  });
  const fields = (list[0]?.['header:From:asAddresses:all'] ?? []) as readonly (readonly EmailAddress[])[];
  const addresses = fields.flat().map(({ email: address }) => (address ?? '').toLowerCase());
  const [only = ''] = addresses;
  const sender = addresses.length === 1 && fields.length === 1 ? only : '';
  // Of two authors the first one's are asked for: it is told then that there are two, not that no key is there.
  const known = only.includes('@') ? await keysOf(only).catch(() => []) : [];
  const autocrypt = (list[0]?.['header:Autocrypt:asRaw:all'] ?? []) as readonly string[];
  return { addresses, fields: fields.length, sender, autocrypt, known };
}

function cameAt({ receivedAt }: Email): number {
  return Date.parse(receivedAt);
}

type Keys = Awaited<ReturnType<typeof import('./pgp.ts').readPgpKeys>>;
type Origins = ReadonlyMap<string, 'autocrypt' | 'message'>;
const NO_ORIGINS: Origins = new Map();

/** Check with all keys at hand: those that are kept, and those that came with the message. */
async function byPgp<T>(
  store: AccountStore,
  email: Email,
  { known, autocrypt, sender }: Facts,
  check: (keys: Keys) => Promise<T>,
): Promise<{ readonly checks: T; readonly origins: Origins }> {
  const { mergeKeys, readPgpKeys } = await import('./pgp.ts');
  const keys: Keys[number][] = [];
  const origins = new Map<string, 'autocrypt' | 'message'>();
  const kept = known.filter(({ kind }) => kind === 'pgp');
  for (const { octets } of kept)
    keys.push(...(await readPgpKeys(fromBase64(octets ?? '') ?? new Uint8Array())));
  const add = async (octets: Uint8Array | undefined, origin: 'autocrypt' | 'message'): Promise<void> => {
    for (const key of octets === undefined ? [] : await readPgpKeys(octets)) {
      if (origins.has(key.getFingerprint())) continue;
      origins.set(key.getFingerprint(), origin);
      keys.push(key);
    }
  };
  await add(autocryptKey(autocrypt, sender), 'autocrypt');
  const attached = partsOf(email.bodyStructure)
    .filter(
      ({ type, size, blobId }) => type === 'application/pgp-keys' && size <= KEY_OCTETS && blobId !== null,
    )
    .slice(0, MOST_ATTACHED);
  for (const { blobId } of attached)
    await add(await download(store.id, blobId ?? '').catch(() => undefined), 'message');
  return { checks: await check(await mergeKeys(keys)), origins };
}

/**
 * What it is worth. With mail whose sender is proven, a key that is seen for the first time is remembered, so that another
 * one is noticed; and what is new of a known one (that it was taken back, say) is kept.
 */
async function conclude(
  email: Email,
  { addresses, fields, sender, known }: Facts,
  checks: readonly Checked[],
  whole: boolean,
  origins: Origins,
): Promise<Verdict> {
  const verdict = judge({ checks, from: addresses, fromFields: fields, known, whole });
  if (!('signer' in verdict) || verdict.partial || authentication(email).state !== 'pass') return verdict;
  const { signer, state } = verdict;
  const kept = known.find(
    ({ kind, fingerprint }) => kind === signer.kind && fingerprint === signer.fingerprint,
  );
  const origin = origins.get(signer.fingerprint);
  const isNew = kept === undefined && state === 'first';
  const isRenewed = kept !== undefined && origin !== undefined && kept.octets !== toBase64(signer.octets);
  if (isNew || isRenewed) void keepKey(signer, sender, origin ?? 'message').catch(() => undefined);
  return verdict;
}

async function inspectInline(
  store: AccountStore,
  email: Email,
  facts: Facts,
  { part, whole }: Found & { kind: 'inline' },
): Promise<Inspected> {
  const octets = await download(store.id, part.blobId ?? '');
  const block = clearSigned(octets);
  const { checks: text, origins } = await byPgp(store, email, facts, async (keys) =>
    block === undefined ? undefined : (await import('./pgp.ts')).checkClearText(block.block, keys),
  );
  const covers = whole && block?.alone === true && meansOneText(octets, part.charset);
  const verdict = await conclude(email, facts, text?.checks ?? [], covers, origins);
  const fits = text !== undefined && verdict.state !== 'broken' && verdict.state !== 'unreadable';
  const shown = fits ? withText(email, part.partId ?? '', decode(text.octets, part.charset)) : undefined;
  return {
    kind: 'signed',
    how: 'pgp',
    verdict,
    sender: facts.sender,
    inner: covers ? shown : undefined,
    alone: shown && (() => Promise.resolve(shown)),
  };
}

function decode(octets: Uint8Array, charset: string | null): string {
  try {
    return new TextDecoder(charset ?? 'utf-8').decode(octets);
  } catch {
    return new TextDecoder().decode(octets);
  }
}

/** The message with nothing in it but this text. */
function withText(email: Email, partId: string, value: string): Email {
  const parts = email.textBody.filter((each) => each.partId === partId);
  return {
    ...email,
    textBody: parts,
    htmlBody: parts.filter(({ type }) => type === 'text/plain'),
    attachments: [],
    bodyValues: { [partId]: { value, isEncodingProblem: false, isTruncated: false } },
  };
}

async function inspectOpaque(
  store: AccountStore,
  email: Email,
  facts: Facts,
  { part, whole }: Found & { kind: 'opaque' },
): Promise<Inspected> {
  const { openSmime } = await import('./smime.ts');
  const opened = await openSmime(await download(store.id, part.blobId ?? ''), cameAt(email), authoritiesOf);
  if (opened.kind === 'enveloped') return { kind: 'encrypted', how: 'smime' };
  if (opened.kind === 'other') return unreadable('smime');
  const verdict = await conclude(email, facts, opened.checks, whole, NO_ORIGINS);
  const inner = await unwrapped(store, email, opened.content);
  return {
    kind: 'signed',
    how: 'smime',
    verdict,
    sender: facts.sender,
    inner: whole ? inner : undefined,
    alone: () => Promise.resolve(inner),
  };
}

/** Content of a signature as a message; signatures within it are opened too, and it is the outermost that counts. */
async function unwrapped(
  store: AccountStore,
  email: Email,
  content: Uint8Array<ArrayBuffer>,
): Promise<Email> {
  let octets = content;
  for (let wraps = 1; ; wraps++) {
    const { blobId } = await upload(store.id, new Blob([octets], { type: 'message/rfc822' }));
    const inner = await parsed(store, email, blobId);
    const found = findSecurity(inner);
    if (found?.kind !== 'opaque' || !found.whole || wraps === MOST_WRAPS) return inner;
    const { openSmime } = await import('./smime.ts');
    const opened = await openSmime(await download(store.id, found.part.blobId ?? ''), 0, async () => []);
    if (opened.kind !== 'signed') return inner;
    octets = opened.content;
  }
}

/** A blob as the content of a message; its head stays that of the message. */
async function parsed(store: AccountStore, email: Email, blobId: Id): Promise<Email> {
  const answer = await call('Email/parse', {
    accountId: store.id,
    blobIds: [blobId],
    properties: CONTENT,
    bodyProperties: BODY,
    fetchTextBodyValues: true,
    fetchHTMLBodyValues: true,
  });
  const content = answer.parsed?.[blobId];
  if (content === undefined) throw new Error('The signed part cannot be read.');
  return { ...email, ...content };
}
