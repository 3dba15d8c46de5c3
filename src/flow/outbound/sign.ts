import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { DkimKey } from '../../data/directory/types.ts';
import { createBodyHasher } from '../../mail/dkim/body-hash.ts';
import { signAll } from '../../mail/dkim/sign.ts';
import type { FlowDeps } from '../deps.ts';

/** Parsed keys kept; parsing a PEM costs more than signing with it. */
const KEYS_MAX = 1000;
const parsed = new Map<string, KeyObject>();

/**
 * Hashes a body while the message streams by. Where the body begins is only known once the empty line has passed, so
 * the octets up to it are counted here by themselves.
 */
export class BodyTap {
  readonly #hasher = createBodyHasher('relaxed');
  /** Octets of header seen while its end is not found yet: the last three, to find CRLFCRLF across pieces. */
  #tail: Buffer = Buffer.alloc(0);
  #seen = 0;
  #bodyStart: number | undefined;

  push(chunk: Buffer): void {
    if (this.#bodyStart !== undefined) {
      this.#hasher.update(chunk);
      return;
    }
    const joined = this.#tail.length === 0 ? chunk : Buffer.concat([this.#tail, chunk]);
    const base = this.#seen - this.#tail.length;
    const atStart = base === 0 && joined.length >= 2 && joined[0] === 13 && joined[1] === 10;
    const found = atStart ? -2 : joined.indexOf('\r\n\r\n');
    this.#seen += chunk.length;
    if (found === -1) {
      this.#tail = Buffer.from(joined.subarray(Math.max(0, joined.length - 3)));
      return;
    }
    this.#bodyStart = base + found + 4;
    this.#tail = Buffer.alloc(0);
    this.#hasher.update(joined.subarray(found + 4));
  }

  /** The relaxed body hash; undefined when the header turned out to end elsewhere (no empty line: an odd message). */
  hash(bodyStart: number): Buffer | undefined {
    if (this.#bodyStart === undefined) return undefined;
    return this.#bodyStart === bodyStart ? this.#hasher.digest() : undefined;
  }
}

/** DKIM-Signature fields by all active keys of the domain (RSA and Ed25519), empty when it has none. */
export async function signMessage(
  deps: FlowDeps,
  domain: string,
  header: Buffer,
  bodyHash: Buffer | undefined,
): Promise<{ fields: Buffer; selectors: readonly string[] }> {
  const none = { fields: Buffer.alloc(0), selectors: [] };
  if (bodyHash === undefined) return none;
  const keys = (await deps.store.read.run('directory.dkimKeys', { domain })).filter(
    ({ state }) => state === 'active',
  );
  if (keys.length === 0) return none;
  const fields = await signAll({
    header,
    bodyHash,
    nowMs: deps.clock.now(),
    keys: keys.map((key) => ({
      domain: key.domain,
      selector: key.selector,
      algorithm: key.algorithm,
      key: keyOf(key),
    })),
  });
  return { fields, selectors: keys.map(({ selector, domain: of }) => `${selector}._domainkey.${of}`) };
}

function keyOf(key: DkimKey): KeyObject {
  let object = parsed.get(key.privateKey);
  if (object === undefined) {
    object = createPrivateKey(key.privateKey);
    if (parsed.size >= KEYS_MAX) parsed.clear();
    parsed.set(key.privateKey, object);
  }
  return object;
}
