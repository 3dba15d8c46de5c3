import { z } from 'zod';
import { Refusal } from '../../../base/errors.ts';
import type { SearchIndex } from '../../../data/search/types.ts';
import { type AdminContext, operation } from './operation.ts';

/** The search index: what there is of it, and building it anew. */

const account = z.string().max(320).optional();

const state = z.object({
  /** Emails in the index, those deleted lately included, and those of them whose text is too large for it. */
  emails: z.number(),
  open: z.number(),
  bytes: z.number(),
  /** Accounts with an index, and accounts with mail that waits for it; of one account: files of its index. */
  accounts: z.number().optional(),
  waiting: z.number().optional(),
  segments: z.number().optional(),
  /** Emails of the account. */
  mail: z.number().optional(),
});

function indexOf({ search }: AdminContext): SearchIndex {
  if (search === undefined) throw new Refusal('unavailable', 'There is no search index here.');
  return search;
}

async function accountIdOf({ store }: AdminContext, address: string): Promise<number> {
  const found = await store.read.run('directory.account', { address });
  if (found === undefined) throw new Refusal('no-such-account', `There is no account ${address}.`);
  return found.id;
}

const status = operation({
  method: 'GET',
  path: '/search/status',
  summary: 'How much mail is in the search index, of all accounts or of one',
  access: 'administrator',
  input: z.strictObject({ account }),
  output: state,
  async run(context, { account: address }) {
    const index = indexOf(context);
    if (address === undefined) {
      const { accounts, emails, bytes, waiting } = await index.totals();
      return { emails, open: 0, bytes, accounts, waiting };
    }
    const accountId = await accountIdOf(context, address);
    const mail = await context.store.read.run('search.account', { accountId });
    const [own] = await index.states([accountId]);
    const { emails = 0, open = 0, bytes = 0, segments = 0 } = own ?? {};
    return { emails, open, bytes, segments, mail: mail?.emails ?? 0 };
  },
});

const rebuild = operation({
  method: 'POST',
  path: '/search/rebuild',
  summary: 'Throw the search index away, of all accounts or of one, and build it anew in the background',
  access: 'administrator',
  input: z.strictObject({ account }),
  output: z.object({}),
  audited: ({ account: address = 'the site' }) => ({ action: 'search.rebuild', subject: address }),
  async run(context, { account: address }) {
    const accountId = address === undefined ? undefined : await accountIdOf(context, address);
    await indexOf(context).rebuild(accountId);
    return {};
  },
});

export const search = { status, rebuild };
