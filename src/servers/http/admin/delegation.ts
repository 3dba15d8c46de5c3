import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import { type AdminContext, operation } from './operation.ts';
import { address, domainName } from './schemas.ts';

/** Domains that an account administers beside its own. */

const domains = z.object({ domains: z.array(z.string()) });

async function namesOf({ store }: AdminContext, name: string): Promise<string[]> {
  const found = await store.read.run('directory.account', { address: name });
  if (found === undefined) throw new Refusal('no-such-account', `There is no account ${name}.`);
  const rows = await store.read.run('directory.adminDomains', { accountId: found.id });
  return rows.map((row) => row.name);
}

const show = operation({
  method: 'GET',
  path: '/accounts/:address/admin-domains',
  summary: 'Domains that an account administers beside its own',
  access: 'administrator',
  input: z.strictObject({ address }),
  output: domains,
  run: async (context, input) => ({ domains: await namesOf(context, input.address) }),
});

const set = operation({
  method: 'PUT',
  path: '/accounts/:address/admin-domains',
  summary: 'Let a domain administrator look after these domains beside its own, and no others',
  access: 'administrator',
  input: z.strictObject({ address, domains: z.array(domainName).max(1000) }),
  output: domains,
  run: ({ store }, input, actor) => store.write.run('directory.setAdminDomains', { actor, ...input }),
});

export const delegation = { show, set };
