import { isKnownHash } from '../../../data/directory/imported-hashes.ts';
import type { ForeignAccount, ForeignAlias, ForeignDirectory, NotTaken } from './types.ts';

/** Puts together what the readers of foreign directories find, the same rules for all of them. */

export class Gathering {
  readonly #domains = new Set<string>();
  readonly #domainAliases = new Map<string, string>();
  readonly #accounts = new Map<string, ForeignAccount>();
  readonly #aliases = new Map<string, Set<string>>();
  readonly #catchAlls = new Map<string, string>();
  readonly #left: NotTaken[] = [];

  domain(name: string): void {
    const clean = name.trim().toLowerCase();
    if (/^[^\s@/]{1,253}\.[^\s@/]{1,63}$/.test(clean)) this.#domains.add(clean);
  }

  leave(what: string, why: string, remedy: string): void {
    this.#left.push({ what, why, remedy });
  }

  account(account: ForeignAccount): void {
    const address = account.address.trim().toLowerCase();
    const again = 'make it by hand: postern account add';
    if (!isAddress(address)) return this.leave(`account ${address}`, 'it is no address', again);
    const hash = normalHash(account.hash);
    if (hash === '') return this.leave(`account ${address}`, 'it has no password', again);
    if (!isKnownHash(hash)) {
      const scheme = /^\{([^}]{1,40})\}/.exec(hash)?.[1] ?? 'its kind';
      return this.leave(`account ${address}`, `passwords of ${scheme} cannot be checked here`, again);
    }
    this.domain(domainOf(address));
    if (!this.#accounts.has(address)) this.#accounts.set(address, { ...account, address, hash });
    return undefined;
  }

  /** `address` may be "@domain": all of its mail. Targets without a domain belong to `home`. */
  alias(address: string, targets: readonly string[], home: string | undefined): void {
    const from = complete(address, home);
    const to = targets.map((target) => complete(target.trim(), home));
    const odd = to.find((target) => !isAddress(target) && !isWholeDomain(target));
    if (odd !== undefined || to.length === 0)
      return this.leave(
        `alias ${from}`,
        odd === undefined ? 'it leads nowhere' : `it leads to "${odd}"`,
        remedyOf(odd),
      );
    if (isWholeDomain(from)) return this.#whole(from.slice(1), to);
    if (!isAddress(from))
      return this.leave(`alias ${from}`, 'it is no address', 'make it by hand: postern alias add');
    this.domain(domainOf(from));
    const known = this.#aliases.get(from) ?? new Set<string>();
    for (const target of to) {
      if (isWholeDomain(target))
        this.leave(`alias ${from}`, `it leads to all of ${target}`, 'name the addresses');
      else known.add(target);
    }
    this.#aliases.set(from, known);
    return undefined;
  }

  #whole(domain: string, to: readonly string[]): void {
    const [first = '', ...others] = to;
    if (others.length > 0)
      return this.leave(
        `alias @${domain}`,
        'it leads to several addresses',
        'make an alias of them, and let the domain lead to that',
      );
    if (isWholeDomain(first)) this.#domainAliases.set(domain, first.slice(1));
    else {
      this.domain(domain);
      this.#catchAlls.set(domain, first);
    }
    return undefined;
  }

  done(): ForeignDirectory {
    const aliases: ForeignAlias[] = [];
    for (const [address, known] of this.#aliases) {
      const targets = [...known];
      // An account that is listed among the aliases of itself (PostfixAdmin, mailcow) is no alias.
      if (targets.length === 1 && targets[0] === address) continue;
      if (!this.#accounts.has(address)) aliases.push({ address, targets });
      else
        this.leave(
          `alias ${address} to ${targets.filter((target) => target !== address).join(', ')}`,
          'it is an account too, which keeps its mail here',
          'let a filter rule of the account send copies on',
        );
    }
    const domainAliases = [...this.#domainAliases].map(([name, of]) => ({ name, of }));
    const domains = [...this.#domains].filter((name) => !this.#domainAliases.has(name));
    return {
      domains,
      domainAliases,
      accounts: [...this.#accounts.values()],
      aliases,
      catchAlls: [...this.#catchAlls].map(([domain, target]) => ({ domain, target })),
      left: this.#left,
    };
  }
}

function remedyOf(target: string | undefined): string {
  if (target?.startsWith('|') || target?.startsWith('/') || target?.startsWith(':include:'))
    return 'programs, files and lists of files get no mail here: route it elsewhere (docs/guides/routes.md)';
  return 'make it by hand: postern alias add';
}

function complete(address: string, home: string | undefined): string {
  const clean = address.trim().replace(/^"|"$/g, '').toLowerCase();
  return clean.includes('@') || home === undefined || /^[|/:]/.test(clean) ? clean : `${clean}@${home}`;
}

function isAddress(text: string): boolean {
  return /^[^\s@"(),:;<>[\\\]|/]{1,64}@[^\s@/]{1,253}$/.test(text);
}

function isWholeDomain(text: string): boolean {
  return /^@[^\s@/]{1,253}$/.test(text);
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/** A hash without a scheme is one of crypt(3); '' for "no password", which has many spellings. */
export function normalHash(secret: string): string {
  const hash = secret.trim();
  if (hash === '' || /^(?:\{[^}]*\})?[!*x]*$/.test(hash)) return '';
  return hash.startsWith('{') || hash.startsWith('$') ? hash : `{CRYPT}${hash}`;
}
