import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { silentLogger } from '../../base/log.ts';
import type { Store } from '../../data/store.ts';
import { createFilter } from './filter.ts';

/** A store that has these settings and nothing else. */
function storeWith(json: () => string | undefined): Pick<Store, 'read'> {
  return { read: { run: async () => json() } } as unknown as Pick<Store, 'read'>;
}

describe('the settings of the filter', () => {
  it('hold as soon as they are stored, and keep their object while they are the same', async () => {
    let json: string | undefined;
    const store = storeWith(() => json);
    const filter = await createFilter({ store, clock: systemClock, logger: silentLogger });
    assert.equal(filter.settings.good_per_junked, 1000);
    const before = await filter.current();
    assert.equal(await filter.current(), before);
    json = '{"good_per_junked":5000}';
    assert.equal((await filter.current(true)).good_per_junked, 5000);
    assert.equal(filter.settings.good_per_junked, 5000);
    await filter.close();
  });

  it('lose only what is not usable', async () => {
    const json =
      '{"good_per_junked":5000,"refuse":"perhaps","greylist":{"mode":"off","delay_s":-1},"tomorrow":1}';
    const store = storeWith(() => json);
    const { settings } = await createFilter({ store, clock: systemClock, logger: silentLogger });
    assert.equal(settings.good_per_junked, 5000);
    assert.equal(settings.refuse, 'certain');
    assert.equal(settings.greylist.mode, 'suspicious');
  });

  it('stay as they were when what is stored is no JSON', async () => {
    let json: string | undefined = '{"good_per_junked":5000}';
    const store = storeWith(() => json);
    const filter = await createFilter({ store, clock: systemClock, logger: silentLogger });
    json = '{"good_per_junk';
    assert.equal((await filter.current(true)).good_per_junked, 5000);
  });
});
