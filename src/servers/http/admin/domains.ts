import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { parseAddress } from '../../../data/directory/address.ts';
import type { Domain } from '../../../data/directory/types.ts';
import { domainRecords } from '../../../mail/dns-records.ts';
import { domainFacts } from '../../../flow/doctor/facts.ts';
import { hostFacts } from './host-facts.ts';
import { makeDkimKeys } from './dkim-keys.ts';
import { type AdminContext, done, OK, operation } from './operation.ts';
import { scopeOf } from './scope.ts';
import type { Said } from '../../../base/words.ts';
import { setupWords } from '../setup-words.ts';
import { wayWords } from '../way-words.ts';
import { account, address, alias, dkimKey, dnsRecord, domain, domainName } from './schemas.ts';

async function needDomain(context: AdminContext, name: string): Promise<Domain> {
  const found = await context.store.read.run('directory.domain', { name });
  if (found === undefined) throw new Refusal('not-found', `${name} is not one of our domains.`);
  return found;
}

/** A record with why it is wanted, and when, in words. */
export function recordInWords<R extends { readonly why: string; readonly onlyIf?: string | undefined }>(
  one: R,
): R & { whyWords: Said; onlyIfWords?: Said } {
  return {
    ...one,
    whyWords: setupWords.of(one.why),
    ...(one.onlyIf !== undefined && { onlyIfWords: wayWords.of(`only if ${one.onlyIf}`) }),
  };
}

async function recordsOf(context: AdminContext, name: string): Promise<z.input<typeof dnsRecord>[]> {
  const all = domainRecords(await domainFacts(context.store, hostFacts(context.facts), name));
  return all.map(recordInWords);
}

const list = operation({
  method: 'GET',
  path: '/domains',
  summary: 'All domains',
  access: 'domain',
  input: z.strictObject({}),
  output: z.object({
    domains: z.array(domain.extend({ accounts: z.number(), aliases: z.number() })),
  }),
  async run({ store }, _input, actor) {
    const scope = await scopeOf(store, actor);
    const all = await store.read.run('directory.domains', null);
    return { domains: all.filter(({ name }) => scope.covers(name)) };
  },
});

const add = operation({
  method: 'POST',
  path: '/domains',
  summary: 'Add a domain, with its DKIM keys; or another name of a domain',
  access: 'administrator',
  input: z.strictObject({ name: domainName, aliasOf: domainName.optional() }),
  output: z.object({ domain, dkim: z.array(dkimKey), records: z.array(dnsRecord) }),
  async run(context, { name, aliasOf }, actor) {
    const args = aliasOf === undefined ? { actor, name } : { actor, name, aliasOf };
    const added = await context.store.write.run('directory.addDomain', args);
    const dkim = await makeDkimKeys(context, actor, added.name);
    return { domain: added, dkim, records: await recordsOf(context, added.name) };
  },
});

const show = operation({
  method: 'GET',
  path: '/domains/:domain',
  summary: 'A domain with its accounts, aliases, and DKIM keys',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName }),
  output: z.object({
    domain,
    otherNames: z.array(z.string()),
    accounts: z.array(account),
    aliases: z.array(alias),
    dkim: z.array(dkimKey),
  }),
  async run(context, input) {
    const { read } = context.store;
    const found = await needDomain(context, input.domain);
    const { name } = found;
    const [domains, accounts, aliases, dkim] = await Promise.all([
      read.run('directory.domains', null),
      read.run('directory.accounts', { domain: name }),
      read.run('directory.aliases', { domain: name }),
      read.run('directory.dkimKeys', { domain: name }),
    ]);
    const otherNames = domains.filter(({ aliasOf }) => aliasOf === name).map((other) => other.name);
    return { domain: found, otherNames, accounts, aliases, dkim };
  },
});

const remove = operation({
  method: 'DELETE',
  path: '/domains/:domain',
  summary: 'Remove a domain that has no accounts and aliases any more',
  access: 'administrator',
  input: z.strictObject({ domain: domainName }),
  output: done,
  async run({ store }, input, actor) {
    await store.write.run('directory.removeDomain', { actor, name: input.domain });
    return OK;
  },
});

/** Delimiters of subaddresses that people configure; which one holds is not known here. */
const DELIMITERS = ['', '+', '-', '_', '='];

/**
 * A catch-all that leads to nobody of its domain would be taken to work, and nothing would come by it. Of other domains
 * nothing is told: whoever administers this one may not learn who is there.
 */
async function requireSomebody({ store }: AdminContext, domain: string, address: string): Promise<void> {
  const parsed = parseAddress(address);
  if (parsed?.domain !== domain) return;
  for (const delimiter of DELIMITERS) {
    const args = { ...parsed, delimiter, size: 0, own: true };
    if ((await store.read.run('directory.resolve', args)).status !== 'unknown') return;
  }
  throw new Refusal('no-such-account', `${address} is nobody here: add the account or alias first.`);
}

const catchAll = operation({
  method: 'PUT',
  path: '/domains/:domain/catch-all',
  summary: 'Set, or with null clear, the address for what no account or alias of the domain takes',
  access: 'store-decides',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName, address: address.nullable() }),
  output: done,
  async run(context, input, actor) {
    const { store } = context;
    if (input.address !== null) await requireSomebody(context, input.domain, input.address);
    await store.write.run('directory.setCatchAll', { actor, domain: input.domain, address: input.address });
    return OK;
  },
});

const records = operation({
  method: 'GET',
  path: '/domains/:domain/records',
  summary: 'The DNS records a domain should publish',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName }),
  output: z.object({ domain: z.string(), records: z.array(dnsRecord) }),
  async run(context, input) {
    const { name } = await needDomain(context, input.domain);
    return { domain: name, records: await recordsOf(context, name) };
  },
});

export const domains = { list, add, show, remove, catchAll, records };
