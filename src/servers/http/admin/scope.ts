import { domainsOf, isAdmin, notPermitted } from '../../../data/directory/permission.ts';
import type { Actor } from '../../../data/directory/types.ts';
import type { Store } from '../../../data/store.ts';
import { normalizeDomain } from '../../../mail/address/domain.ts';

/** What an actor may see: everything, or what belongs to domains of theirs. */
export interface Scope {
  readonly all: boolean;
  /** Names of their domains, other names of these included, in A-labels. */
  readonly names: ReadonlySet<string>;
  /** Names of other people's domains here. */
  readonly others: ReadonlySet<string>;
  readonly ids: ReadonlySet<number>;
  /** Whether an address, "@domain" or domain is theirs. */
  covers(text: string): boolean;
}

/** Refusal 'not-permitted' for whoever administers nothing. */
export async function scopeOf({ read }: Pick<Store, 'read'>, actor: Actor): Promise<Scope> {
  const ids = new Set(domainsOf(actor));
  const all = isAdmin(actor);
  if (!all && ids.size === 0) throw notPermitted();
  const domains = await read.run('directory.domains', null);
  const own = new Set(domains.filter(({ id }) => ids.has(id)).map(({ name }) => name));
  const names = new Set<string>();
  const others = new Set<string>();
  for (const { name, aliasOf } of domains) {
    const mine = all || own.has(name) || (aliasOf !== undefined && own.has(aliasOf));
    (mine ? names : others).add(name);
  }
  const covers = (text: string): boolean => {
    if (all) return true;
    const domain = normalizeDomain(text.slice(text.lastIndexOf('@') + 1).trim());
    return domain !== undefined && names.has(domain);
  };
  return { all, names, others, ids, covers };
}

/** Refusal 'not-permitted', the same whether it exists or not, unless all of these are theirs. */
export function requireCovered(scope: Scope, texts: readonly (string | null | undefined)[]): void {
  for (const text of texts)
    if (text !== undefined && text !== null && !scope.covers(text)) throw notPermitted();
}
