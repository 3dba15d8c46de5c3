import { z } from 'zod';
import { generateKeyPair } from '../../../mail/dkim/keys.ts';
import { makeDkimKeys } from './dkim-keys.ts';
import { operation } from './operation.ts';
import { scopeOf } from './scope.ts';
import { dkimKey, domainName } from './schemas.ts';

const list = operation({
  method: 'GET',
  path: '/dkim',
  summary: 'DKIM keys of a domain, or of all',
  access: 'domain',
  within: ({ domain }) => [domain],
  input: z.strictObject({ domain: domainName.optional() }),
  output: z.object({ keys: z.array(dkimKey) }),
  async run({ store }, input, actor) {
    const scope = await scopeOf(store, actor);
    const names =
      input.domain === undefined
        ? (await store.read.run('directory.domains', null)).map(({ name }) => name)
        : [input.domain];
    const keys = [];
    for (const domain of names.filter(scope.covers))
      keys.push(...(await store.read.run('directory.dkimKeys', { domain })));
    return { keys };
  },
});

const add = operation({
  method: 'POST',
  path: '/domains/:domain/dkim',
  summary: 'Make a DKIM key; mail is signed with it from now on',
  access: 'store-decides',
  within: ({ domain }) => [domain],
  input: z.strictObject({
    domain: domainName,
    algorithm: z.enum(['rsa-sha256', 'ed25519-sha256']),
    selector: z.string().max(63).optional(),
  }),
  output: z.object({ keys: z.array(dkimKey) }),
  async run(context, { domain, algorithm, selector }, actor) {
    if (selector === undefined) return { keys: await makeDkimKeys(context, actor, domain, [algorithm]) };
    const pair = await generateKeyPair(algorithm);
    const secrets = { privateKey: pair.privatePem, publicKey: pair.publicKeyBase64 };
    const args = { actor, domain, selector, algorithm, ...secrets };
    return { keys: [await context.store.write.run('directory.addDkimKey', args)] };
  },
});

export const dkim = { list, add };
