import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { manualClock } from '../../../test/support/manual-clock.ts';
import type { SesApi, SesIdentity } from '../../net/aws/types.ts';
import { arnsFor, covering, createIdentities } from './ses-identities.ts';

const ALL: readonly SesIdentity[] = [
  { name: 'example.org', kind: 'domain', verified: true },
  { name: 'solo@else.test', kind: 'address', verified: true },
  { name: 'pending.test', kind: 'domain', verified: false },
];

const covered = (address: string): string | undefined => covering(ALL, address)?.name;
const arn = (name: string): string => `arn:aws:ses:eu-west-1:1:identity/${name}`;

function api(answer: () => Promise<readonly SesIdentity[]>): SesApi & { asked: number } {
  const made = {
    asked: 0,
    version: 2 as const,
    maxMessageBytes: 1,
    send: () => Promise.reject(new Error('no')),
    account: () => Promise.reject(new Error('no')),
    identities: () => {
      made.asked++;
      return answer();
    },
  };
  return made;
}

describe('identities', () => {
  it('cover their addresses and the domains below them, whatever the letter case, and nothing else', () => {
    assert.equal(covered('Ann@Example.ORG'), 'example.org');
    assert.equal(covered('ann@a.b.example.org'), 'example.org');
    assert.equal(covered('ann@notexample.org'), undefined);
    assert.equal(covered('Solo@else.test'), 'solo@else.test');
    assert.equal(covered('other@else.test'), undefined);
    assert.equal(covered('solo@sub.else.test'), undefined);
    assert.equal(covered('"a@example.org"@evil.test'), undefined);
  });

  it('are asked for once in ten minutes, and only verified ones count', async () => {
    const clock = manualClock();
    const asked = api(() => Promise.resolve(ALL));
    const identities = createIdentities({}, asked, clock);
    const [one, two] = await Promise.all([identities.list(), identities.list()]);
    assert.equal(one, two);
    assert.equal(asked.asked, 1);
    assert.deepEqual(
      one?.map(({ name }) => name),
      ['example.org', 'solo@else.test'],
    );
    clock.advance(590_000);
    await identities.list();
    assert.equal(asked.asked, 1);
    clock.advance(20_000);
    await identities.list();
    assert.equal(asked.asked, 2);
    // A refusal makes us look again, but not for each of a thousand messages.
    identities.doubt();
    await identities.list();
    assert.equal(asked.asked, 2);
    clock.advance(70_000);
    identities.doubt();
    await identities.list();
    assert.equal(asked.asked, 3);
  });

  it('that cannot be asked for are unknown at first, later what they were', async () => {
    const clock = manualClock();
    let fails = true;
    const asked = api(() => (fails ? Promise.reject(new Error('denied')) : Promise.resolve(ALL)));
    const failures: unknown[] = [];
    const identities = createIdentities({}, asked, clock, (error) => failures.push(error));
    assert.equal(await identities.list(), undefined);
    await identities.list();
    assert.equal(asked.asked, 1);
    fails = false;
    clock.advance(70_000);
    assert.equal((await identities.list())?.length, 2);
    fails = true;
    clock.advance(700_000);
    assert.equal((await identities.list())?.length, 2);
    assert.equal(failures.length, 2);
  });

  it('of the settings are believed without a question', async () => {
    const asked = api(() => Promise.resolve(ALL));
    const settings = {
      identities: ['Example.NET', 'Me@else.test'],
      source_arn: 'arn:aws:ses:eu-west-1:1:identity/partner.test',
    };
    const found = await createIdentities(settings, asked, manualClock()).list();
    assert.deepEqual(
      found?.map(({ kind, name }) => `${kind} ${name}`),
      ['domain example.net', 'address me@else.test', 'domain partner.test'],
    );
    assert.equal(asked.asked, 0);
  });

  it('of others are named by ARN where they cover the address', () => {
    assert.deepEqual(arnsFor({ source_arn: arn('p.test') }, 'b@p.test', 'a@p.test'), {
      sourceArn: arn('p.test'),
      fromArn: arn('p.test'),
      returnPathArn: arn('p.test'),
    });
    assert.deepEqual(arnsFor({ source_arn: arn('p.test') }, 'b@p.test', 'a@ours.test'), {
      sourceArn: arn('p.test'),
      fromArn: undefined,
      returnPathArn: arn('p.test'),
    });
    const own = { source_arn: arn('p.test'), from_arn: arn('f.test'), return_path_arn: arn('r.test') };
    assert.deepEqual(arnsFor(own, 'b@r.test', 'a@f.test'), {
      sourceArn: undefined,
      fromArn: arn('f.test'),
      returnPathArn: arn('r.test'),
    });
  });
});
