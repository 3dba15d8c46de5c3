import type { ForeignDirectory } from '../../flow/import/directory/types.ts';
import { operations } from '../../servers/http/admin/operations.ts';
import { accountStep, domainStep } from './hybrid-steps.ts';
import type { ImportStep } from './steps.ts';

const { accounts, aliases, domains } = operations;

/** What an import of a foreign directory does: domains, accounts with their passwords, aliases. */
export function directorySteps(found: ForeignDirectory): readonly ImportStep[] {
  return [
    ...found.domains.map(domainStep),
    ...found.domainAliases.map(({ name, of }) => domainAliasStep(name, of)),
    ...found.accounts.map(({ address, hash }) => accountStep(address, hash)),
    ...found.accounts.flatMap(({ address, quota }) =>
      quota === undefined || quota === 0 ? [] : [quotaStep(address, quota)],
    ),
    ...found.aliases.map(({ address, targets }) => aliasStep(address, targets)),
    ...found.catchAlls.map(({ domain, target }) => catchAllStep(domain, target)),
  ];
}

function domainAliasStep(name: string, of: string): ImportStep {
  return {
    what: `domain ${name}, another name of ${of}`,
    async look(admin) {
      const known = (await admin.call(domains.list, {})).domains.find((domain) => domain.name === name);
      if (known === undefined) return 'new';
      return known.aliasOf === of ? 'same' : { kept: 'it is a domain of its own here' };
    },
    apply: (admin) => admin.call(domains.add, { name, aliasOf: of }),
  };
}

function quotaStep(address: string, quota: number): ImportStep {
  return {
    what: `quota of ${address}: ${quota} octets`,
    async look(admin) {
      const { accounts: all } = await admin.call(accounts.list, {});
      const known = all.find((account) => account.address === address);
      // Not there yet: its account is a step before this one.
      if (known === undefined || known.quota === 0) return 'new';
      return known.quota === quota ? 'same' : { kept: `it is ${known.quota} octets, and stays so` };
    },
    apply: (admin) => admin.call(accounts.setQuota, { address, quota }),
  };
}

function aliasStep(address: string, targets: readonly string[]): ImportStep {
  return {
    what: `alias ${address} to ${targets.join(', ')}`,
    async look(admin) {
      const known = (await admin.call(aliases.list, {})).aliases.find((alias) => alias.address === address);
      if (known === undefined) return 'new';
      const missing = targets.filter((target) => !known.targets.includes(target));
      if (missing.length === 0) return 'same';
      return { kept: `it is there and leads to ${known.targets.join(', ')}` };
    },
    apply: (admin) => admin.call(aliases.add, { address, targets: [...targets] }),
  };
}

function catchAllStep(domain: string, target: string): ImportStep {
  return {
    what: `all other mail of ${domain} to ${target}`,
    async look(admin) {
      const known = (await admin.call(domains.list, {})).domains.find(({ name }) => name === domain);
      if (known?.catchAll === undefined) return 'new';
      return known.catchAll === target ? 'same' : { kept: `it goes to ${known.catchAll}` };
    },
    apply: (admin) => admin.call(domains.catchAll, { domain, address: target }),
  };
}
