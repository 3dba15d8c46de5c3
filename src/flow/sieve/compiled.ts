import type { RunningScript } from '../../data/sieve/types.ts';
import { compile, SIEVE_LIMITS } from '../../mail/sieve/index.ts';
import type { Compiled } from '../../mail/sieve/types.ts';
import type { FlowDeps } from '../deps.ts';

/** Compiled scripts kept, and octets of their texts together: a script is read once while it is used. */
const SCRIPTS_MAX = 2000;
const OCTETS_MAX = 16 * 1024 * 1024;

/** By digest of the text: whatever script has that text means the same. The least used go first. */
const kept = new Map<string, { readonly compiled: Compiled; readonly size: number }>();
let octets = 0;

/** A script that runs, ready to be evaluated; undefined when it was removed just now. */
export async function compiledScript(
  deps: FlowDeps,
  { id, digest }: RunningScript,
): Promise<Compiled | undefined> {
  const known = kept.get(digest);
  if (known !== undefined) {
    kept.delete(digest);
    kept.set(digest, known);
    return known.compiled;
  }
  const found = await deps.store.read.run('sieve.text', { id });
  if (found === undefined) return undefined;
  const compiled = compile(found.text, { limits: SIEVE_LIMITS });
  keep(found.digest, compiled, found.text.length);
  return compiled;
}

function keep(digest: string, compiled: Compiled, size: number): void {
  octets += size - (kept.get(digest)?.size ?? 0);
  kept.set(digest, { compiled, size });
  for (const [old, entry] of kept) {
    if (kept.size <= SCRIPTS_MAX && octets <= OCTETS_MAX) break;
    kept.delete(old);
    octets -= entry.size;
  }
}
