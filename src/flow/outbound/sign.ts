import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { DkimKey } from '../../data/directory/types.ts';
import { createBodyHasher } from '../../mail/dkim/body-hash.ts';
import { signAll } from '../../mail/dkim/sign.ts';
import { scanMessage } from '../../mail/message/scanner.ts';
import { BodySplit } from '../body-split.ts';
import type { FlowDeps } from '../deps.ts';

/** Parsed keys kept; parsing a PEM costs more than signing with it. */
const KEYS_MAX = 1000;
const parsed = new Map<string, KeyObject>();

/** Hashes a body while the message streams by. */
export class BodyTap {
  readonly #hasher = createBodyHasher('relaxed');
  readonly #split = new BodySplit({ body: (chunk) => this.#hasher.update(chunk) });

  push(chunk: Buffer): void {
    this.#split.push(chunk);
  }

  /** The relaxed body hash; undefined when the header turned out to end elsewhere (bare LF: an odd message). */
  hash(bodyStart: number): Buffer | undefined {
    return this.#split.bodyStart === bodyStart ? this.#hasher.digest() : undefined;
  }
}

/** Header and body hash of a whole message in memory. */
export function hashed(message: Buffer): { header: Buffer; bodyHash: Buffer } {
  const { bodyStart } = scanMessage(message).root;
  const hasher = createBodyHasher('relaxed');
  hasher.update(message.subarray(bodyStart));
  return { header: message.subarray(0, bodyStart), bodyHash: hasher.digest() };
}

/**
 * DKIM-Signature fields by all active keys (RSA and Ed25519) of the first of `domains` that has any; empty when none
 * has, or when the body could not be hashed.
 */
export async function signMessage(
  deps: FlowDeps,
  domains: readonly string[],
  header: Buffer,
  bodyHash: Buffer | undefined,
): Promise<{ fields: Buffer; selectors: readonly string[] }> {
  const keys = bodyHash === undefined ? [] : await activeKeys(deps, domains);
  if (bodyHash === undefined || keys.length === 0) return { fields: Buffer.alloc(0), selectors: [] };
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
  return { fields, selectors: keys.map(({ selector, domain }) => `${selector}._domainkey.${domain}`) };
}

async function activeKeys(deps: FlowDeps, domains: readonly string[]): Promise<DkimKey[]> {
  for (const domain of new Set(domains)) {
    const keys = await deps.store.read.run('directory.dkimKeys', { domain });
    const active = keys.filter(({ state }) => state === 'active');
    if (active.length > 0) return active;
  }
  return [];
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
