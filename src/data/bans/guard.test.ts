import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { Refusal } from '../../base/errors.ts';
import { silentLogger } from '../../base/log.ts';
import { Metrics } from '../../base/metrics.ts';
import { type InlineStore, openInlineStore } from '../inline.ts';
import type { JournalEvent } from '../journal/types.ts';
import { createGuard, type LoginGuard, type Tried, WIDE_FACTOR } from './guard.ts';
import { ACCOUNT_BAN_MAX_MS, BAN_MEMORY_MS, banLength, type BanSettings } from './types.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const SETTINGS: BanSettings = {
  enabled: true,
  failures: 6,
  window_s: 600,
  first_s: 900,
  exempt: ['203.0.113.0/24'],
};
const PROXY = '198.18.0.1';
const HOME = '192.0.2.7';
const NEIGHBOUR = '192.0.2.8';
const STRANGER = '198.51.100.1';
const ACTOR = { name: 'admin@example.test', role: 'admin', domainId: undefined } as const;

interface World {
  readonly guard: LoginGuard;
  readonly clock: ManualClock;
  readonly events: JournalEvent[];
  readonly metrics: Metrics;
  settings: BanSettings;
}

let store: InlineStore;
let alice: Tried;
let bob: Tried;

before(async () => {
  store = await openInlineStore({ path: ':memory:', clock: manualClock() });
  const actor = { name: 'system', role: 'system', domainId: undefined } as const;
  await store.write.run('directory.addDomain', { actor, name: 'example.test' });
  const add = async (address: string): Promise<Tried> => {
    const account = {
      actor,
      address,
      displayName: '',
      role: 'user',
      quota: 0,
      hash: 'x',
      scram: null,
    } as const;
    return { accountId: (await store.write.run('directory.addAccount', account)).id, name: address };
  };
  alice = await add('alice@example.test');
  bob = await add('bob@example.test');
});
after(() => store.close());

/** A guard that nothing happened to; what it writes goes nowhere. */
function world(more: Partial<BanSettings> = {}): World {
  const clock = manualClock();
  const events: JournalEvent[] = [];
  const metrics = new Metrics();
  const made: Omit<World, 'guard'> = { clock, events, metrics, settings: { ...SETTINGS, ...more } };
  const nowhere = { ...store, write: { run: async () => null as never } };
  const guard = createGuard({
    store: nowhere,
    clock,
    logger: silentLogger,
    journal: { event: (event) => events.push(event) },
    metrics,
    settings: () => made.settings,
    proxies: [PROXY],
  });
  return Object.assign(made, { guard });
}

let serial = 0;
function fail(guard: LoginGuard, remoteAddress: string, tried: Tried, password = `wrong ${serial++}`): void {
  guard.failed({ remoteAddress, tried, password, protocol: 'imap', trace: 't' });
}

function failOften(guard: LoginGuard, times: number, remoteAddress: string, tried = bob): void {
  for (let i = 0; i < times; i++) fail(guard, remoteAddress, tried);
}

/** As many failures in HOME's neighbourhood as ban it, with no address of it banned. */
function banNeighbourhood({ guard }: World): void {
  for (let i = 0; i < SETTINGS.failures * WIDE_FACTOR; i++) {
    fail(guard, `192.0.2.${100 + (i % 12)}`, { accountId: undefined, name: `nobody${i}` });
  }
}

/** Failures of strangers at alice, each from an address and a neighbourhood of its own. */
function guessAtAlice({ guard }: World, times: number): void {
  for (let i = 0; i < times; i++) fail(guard, `10.${i}.0.1`, alice);
}

const manual = { kind: 'network', cause: 'manual', reason: '', offences: 0 } as const;

/** How each row of the table comes about; resolves with the address of the client in question. */
const SITUATIONS: Readonly<Record<string, (world: World) => string>> = {
  'any address, nothing happened yet': () => HOME,
  'a place the account knows': ({ guard }) => {
    guard.succeeded(NEIGHBOUR, alice.accountId ?? 0);
    return HOME;
  },
  'a banned client': ({ guard }) => {
    failOften(guard, SETTINGS.failures, HOME);
    return HOME;
  },
  'a banned client, address in use': ({ guard }) => {
    guard.succeeded(HOME, alice.accountId ?? 0);
    failOften(guard, SETTINGS.failures, HOME);
    return HOME;
  },
  'a banned neighbourhood': (made) => {
    banNeighbourhood(made);
    return HOME;
  },
  'a banned neighbourhood, address in use': (made) => {
    made.guard.succeeded(HOME, bob.accountId ?? 0);
    banNeighbourhood(made);
    return HOME;
  },
  'a banned neighbourhood, a place the account knows, address in use': (made) => {
    made.guard.succeeded(HOME, alice.accountId ?? 0);
    banNeighbourhood(made);
    return HOME;
  },
  'a network banned by hand, address in use': ({ guard, clock }) => {
    guard.succeeded(HOME, alice.accountId ?? 0);
    guard.adopt({ ...manual, subject: '192.0.2.0/24', since: clock.now(), until: clock.now() + MINUTE });
    return HOME;
  },
  'a stranger, half of the failures at the account': (made) => {
    guessAtAlice(made, SETTINGS.failures / 2);
    return HOME;
  },
  'a stranger, the account is banned': (made) => {
    guessAtAlice(made, SETTINGS.failures);
    return HOME;
  },
  'a place the account knows, the account is banned': (made) => {
    made.guard.succeeded(HOME, alice.accountId ?? 0);
    guessAtAlice(made, SETTINGS.failures);
    return NEIGHBOUR;
  },
  'address in use, the same wrong password within the hour': ({ guard }) => {
    guard.succeeded(HOME, bob.accountId ?? 0);
    fail(guard, HOME, alice, 'the old one');
    return HOME;
  },
  'a stranger, the same wrong password within the hour': ({ guard }) => {
    fail(guard, HOME, alice, 'the old one');
    return HOME;
  },
  'this machine (loopback, a Unix socket)': (made) => {
    guessAtAlice(made, SETTINGS.failures);
    return serial++ % 2 === 0 ? '127.0.0.1' : '';
  },
  'an exempt network': (made) => {
    guessAtAlice(made, SETTINGS.failures);
    return '203.0.113.9';
  },
  'a listed proxy that names no client': (made) => {
    guessAtAlice(made, SETTINGS.failures);
    return PROXY;
  },
};

/** Rows of the table in the guide. */
function tableRows(): { client: string; connect: string; right: string; counts: string }[] {
  const guide = readFileSync(new URL('../../../docs/guides/abuse.md', import.meta.url), 'utf8');
  const lines = guide.split('\n');
  const start = lines.findIndex((line) => line.startsWith('| client | may connect |'));
  const rest = lines.slice(start + 2);
  return rest.slice(0, rest.indexOf('')).map((line) => {
    const [client = '', connect = '', right = '', counts = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
    return { client, connect, right, counts };
  });
}

function rightPassword({ guard }: World, address: string): string {
  try {
    return guard.admit(address, alice) > 0 ? 'in, after a wait' : 'in';
  } catch (error) {
    assert.ok(error instanceof Refusal && error.imapCode === 'UNAVAILABLE');
    return `${error.smtp?.code}, not looked at`;
  }
}

function countsFor({ guard }: World, address: string): string {
  const before = guard.counted(address, alice);
  fail(guard, address, alice, 'the old one');
  const now = guard.counted(address, alice);
  const names = [
    now.own > before.own && 'client',
    now.wide > before.wide && 'neighbourhood',
    now.account > before.account && 'account',
  ].filter((name) => name !== false);
  return names.length === 0 ? 'nothing' : names.join(', ');
}

describe('the table of the guide', () => {
  const rows = tableRows();
  it('has a row for each situation, and no other', () => {
    assert.deepEqual(
      rows.map(({ client }) => client),
      Object.keys(SITUATIONS),
    );
  });
  for (const { client, connect, right, counts } of rows) {
    it(client, () => {
      const made = world();
      const address = SITUATIONS[client]?.(made) ?? '';
      const banned = made.guard.banned(address);
      assert.equal(banned === undefined ? 'yes' : 'no', connect);
      if (right === '-') return;
      assert.equal(rightPassword(made, address), right);
      if (counts !== '-') assert.equal(countsFor(made, address), counts);
    });
  }
});

describe('guard', () => {
  it('tells a banned client why and until when, in UTC and rounded up', () => {
    const { guard, clock } = world();
    failOften(guard, SETTINGS.failures - 1, HOME);
    assert.equal(guard.banned(HOME), undefined);
    fail(guard, HOME, alice);
    const end = new Date(Math.ceil((clock.now() + 900_000) / MINUTE) * MINUTE).toISOString();
    assert.equal(
      guard.banned(HOME)?.text,
      `Too many failed logins from your address ${HOME}; try again after ${end.slice(0, 10)} ${end.slice(11, 16)} UTC`,
    );
    assert.match(guard.banned(`::ffff:${HOME}`)?.text ?? '', /your address 192\.0\.2\.7;/);
    assert.equal(guard.banned(NEIGHBOUR), undefined);
  });

  it('counts an IPv6 /64 as one client, and a /48 as its neighbourhood', () => {
    const made = world();
    for (let i = 0; i < SETTINGS.failures; i++) fail(made.guard, `2001:db8:1:2::${i + 1}`, bob);
    assert.match(made.guard.banned('2001:db8:1:2:ffff::1')?.text ?? '', /your network 2001:db8:1:2::\/64;/);
    assert.equal(made.guard.banned('2001:db8:1:3::1'), undefined);
    const wide = world();
    for (let i = 0; i < SETTINGS.failures * WIDE_FACTOR; i++) fail(wide.guard, `2001:db8:1:${i}::1`, bob);
    assert.match(wide.guard.banned('2001:db8:1:ffff::1')?.text ?? '', /your network 2001:db8:1::\/48;/);
    assert.equal(wide.guard.banned('2001:db8:2::1'), undefined);
  });

  it('forgets failures that are older than the window', () => {
    const { guard, clock } = world();
    failOften(guard, SETTINGS.failures - 1, HOME);
    clock.advance(600_000);
    fail(guard, HOME, alice);
    assert.equal(guard.banned(HOME), undefined);
    assert.equal(guard.counted(HOME, alice).own, 1);
  });

  it('ends by itself, doubles each time, and starts short again after 30 days of peace', () => {
    const { guard, clock, events } = world();
    const lengths: number[] = [];
    const once = (): void => {
      failOften(guard, SETTINGS.failures, HOME);
      const until = guard.banned(HOME)?.ban.until ?? 0;
      lengths.push((until - clock.now()) / MINUTE);
      clock.advance(until - clock.now());
      assert.equal(guard.banned(HOME), undefined, 'it is over at its end');
    };
    for (let i = 0; i < 13; i++) once();
    assert.deepEqual(lengths.slice(0, 5), [15, 30, 60, 120, 240]);
    assert.equal(lengths.at(-1), 30 * 24 * 60);
    clock.advance(30 * DAY);
    once();
    assert.equal(lengths.at(-1), 15);
    once();
    assert.equal(lengths.at(-1), 30);
    const own = events.filter(({ kind, data }) => kind === 'ban.set' && data['subject'] === HOME);
    assert.equal(own.length, lengths.length, 'one event for each');
    assert.ok(own.every(({ terms }) => terms.includes(`i:${HOME}`)));
  });

  it('is forgiven when lifted: open at once, and short the next time', () => {
    const { guard } = world();
    failOften(guard, SETTINGS.failures, HOME);
    guard.lifted('network', HOME);
    assert.equal(guard.banned(HOME), undefined);
    failOften(guard, SETTINGS.failures - 1, HOME);
    assert.equal(guard.banned(HOME), undefined, 'nothing was left of the count');
    fail(guard, HOME, alice);
    assert.equal(guard.banned(HOME)?.ban.offences, 1);
  });

  it('closes an account for an hour at most, and an unknown name looks the same', async () => {
    const { guard, clock, events, metrics } = world();
    const nobody: Tried = { accountId: undefined, name: 'nobody@example.test' };
    for (let round = 0; round < 6; round++) {
      for (const tried of [alice, nobody]) {
        for (let i = 0; i < SETTINGS.failures; i++) fail(guard, `10.${round}.${i}.1`, tried);
      }
      const said = [alice, nobody].map((tried) => {
        try {
          return String(guard.admit(STRANGER, tried));
        } catch (error) {
          return error instanceof Refusal ? error.message : String(error);
        }
      });
      assert.match(said[0] ?? '', /from a new place try again after/);
      assert.equal(said[0], said[1]);
      clock.advance(ACCOUNT_BAN_MAX_MS);
      assert.equal(guard.admit(STRANGER, alice), 0);
    }
    const lengths = events
      .filter(({ data }) => data['subject'] === alice.name)
      .map(({ at, data }) => (Number(data['until']) - at) / MINUTE);
    assert.deepEqual(lengths, [15, 30, 60, 60, 60, 60]);
    assert.ok(!events.some(({ data }) => data['subject'] === nobody.name), 'no line for a name nobody has');
    assert.match(await metrics.text(), /postern_bans_total\{kind="account"\} 12/);
  });

  it('is not made to close an account by one neighbourhood alone', () => {
    const { guard } = world();
    for (let i = 0; i < SETTINGS.failures * WIDE_FACTOR; i++) fail(guard, `10.0.0.${i}`, alice);
    assert.ok(guard.banned('10.0.0.99'), 'it is banned itself');
    assert.equal(guard.admit(STRANGER, alice), 0);
  });

  it('makes strangers wait longer and longer before it closes an account', () => {
    const made = world({ failures: 20 });
    const waits: number[] = [];
    for (let i = 0; i < 19; i++) {
      fail(made.guard, `10.${i}.0.1`, alice);
      waits.push(made.guard.admit(STRANGER, alice));
    }
    assert.deepEqual(waits, [...Array(9).fill(0), 500, 1000, 2000, 4000, ...Array(6).fill(8000)]);
  });

  it('knows a place for 30 days', () => {
    const made = world();
    made.guard.succeeded(HOME, alice.accountId ?? 0);
    made.clock.advance(30 * DAY - MINUTE);
    guessAtAlice(made, SETTINGS.failures);
    assert.equal(made.guard.admit(HOME, alice), 0);
    assert.throws(() => made.guard.admit(STRANGER, alice));
    made.clock.advance(2 * 60 * MINUTE);
    guessAtAlice(made, SETTINGS.failures);
    assert.throws(() => made.guard.admit(HOME, alice));
  });

  it('goes on knowing a place that is used', () => {
    const made = world();
    for (let day = 0; day < 40; day++) {
      made.guard.succeeded(HOME, alice.accountId ?? 0);
      made.clock.advance(DAY);
    }
    guessAtAlice(made, SETTINGS.failures);
    assert.equal(made.guard.admit(HOME, alice), 0);
  });

  it('does not take a telephone with an old password for a guesser, and a guesser at its side for one', () => {
    const { guard, clock } = world();
    guard.succeeded(HOME, alice.accountId ?? 0);
    for (let i = 0; i < 100; i++) fail(guard, HOME, alice, 'the old one');
    assert.equal(guard.counted(HOME, alice).own, 1);
    fail(guard, HOME, bob, 'the old one');
    assert.equal(guard.counted(HOME, alice).own, 2, 'at another account it is another try');
    clock.advance(61 * MINUTE);
    for (let i = 0; i < SETTINGS.failures; i++) fail(guard, HOME, alice, `${i}`);
    assert.ok(guard.banned(HOME));
  });

  it('does nothing when it is turned off', () => {
    const made = world();
    failOften(made.guard, SETTINGS.failures, HOME);
    guessAtAlice(made, SETTINGS.failures);
    made.settings = { ...SETTINGS, enabled: false };
    assert.equal(made.guard.banned(HOME), undefined);
    assert.equal(made.guard.admit(STRANGER, alice), 0);
  });

  it('passes over what is no network among the exempt ones', () => {
    const { guard } = world({ exempt: ['nonsense', '300.1.1.1', HOME] });
    failOften(guard, SETTINGS.failures, HOME);
    failOften(guard, SETTINGS.failures, NEIGHBOUR);
    assert.equal(guard.banned(HOME), undefined);
    assert.ok(guard.banned(NEIGHBOUR));
  });

  it('takes up after a restart what was stored: bans, their row, known places, exemptions', async () => {
    const clock = manualClock();
    const stored = await openInlineStore({ path: ':memory:', clock });
    try {
      const actor = { name: 'system', role: 'system', domainId: undefined } as const;
      await stored.write.run('directory.addDomain', { actor, name: 'example.test' });
      const given = { actor, address: 'carol@example.test', displayName: '', role: 'user' } as const;
      const { id } = await stored.write.run('directory.addAccount', {
        ...given,
        quota: 0,
        hash: 'x',
        scram: null,
      });
      const carol: Tried = { accountId: id, name: 'carol@example.test' };
      const events: JournalEvent[] = [];
      const start = async (): Promise<LoginGuard> => {
        const made = createGuard({
          store: stored,
          clock,
          logger: silentLogger,
          journal: { event: (event) => events.push(event) },
          settings: () => SETTINGS,
        });
        await made.load();
        return made;
      };
      const first = await start();
      first.succeeded('192.0.2.50', id);
      failOften(first, SETTINGS.failures, STRANGER, carol);
      for (let i = 0; i < SETTINGS.failures; i++) fail(first, `10.${i}.0.1`, carol);
      await stored.write.run('bans.exempt', { actor: ACTOR, network: '100.64.0.0/10', note: 'ours' });
      await first.settled();
      const second = await start();
      assert.deepEqual(second.banned(STRANGER), first.banned(STRANGER));
      assert.throws(() => second.admit('172.16.0.1', carol), /from a new place try again/);
      assert.equal(second.admit('192.0.2.51', carol), 0);
      assert.ok(second.isExempt('100.64.1.1'));
      clock.advance(900_000);
      assert.equal(second.banned(STRANGER), undefined);
      failOften(second, SETTINGS.failures, STRANGER, carol);
      assert.equal(second.banned(STRANGER)?.ban.offences, 2);
      await second.settled();
      await stored.write.run('bans.lift', { actor: ACTOR, kind: 'network', subject: STRANGER });
      const third = await start();
      assert.equal(third.banned(STRANGER), undefined);
      failOften(third, SETTINGS.failures, STRANGER, carol);
      assert.equal(third.banned(STRANGER)?.ban.offences, 1, 'what was lifted is forgotten');
      await third.settled();
    } finally {
      await stored.close();
    }
  });
});

describe('the length of bans', () => {
  it('never shrinks, doubles until it is as long as it gets, and is never longer than 30 days', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 86_400_000 }),
        fc.integer({ min: 1, max: 2000 }),
        fc.integer({ min: 1, max: BAN_MEMORY_MS }),
        (firstMs, offences, maxMs) => {
          const length = banLength(firstMs, offences, maxMs);
          const next = banLength(firstMs, offences + 1, maxMs);
          assert.ok(Number.isSafeInteger(length) && length >= Math.min(firstMs, BAN_MEMORY_MS));
          assert.ok(length <= BAN_MEMORY_MS && length <= Math.max(firstMs, maxMs));
          assert.ok(next === 2 * length || next === Math.max(firstMs, maxMs));
          assert.equal(banLength(firstMs, 1, maxMs), firstMs);
        },
      ),
    );
  });
});
