import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, type JmapClient, jmapClient } from '../jmap/client.ts';
import { skipUnlessLong } from '../support/programs.ts';
import { storeViolations } from '../support/server.ts';
import { startTryServer, type TryServer } from '../support/try-server.ts';

/** What people and administrators change by the HTTP port, other than mail from elsewhere and mail that waits. */

const ROUNDS = Number(process.env.CRASH_ROUNDS ?? 4);
/** Milliseconds a server lives once it has answered something of every kind. */
const ALIVE_MS = 2000;
const ALICE = 'alice@example.test';
const PASSWORD = 'postern';

interface World {
  readonly server: TryServer;
  readonly alice: JmapClient;
  /** A mailbox. */
  readonly drafts: string;
}

/** A kind of change: made under a name of its own, and looked for under it. */
interface Kind {
  /** What the server answered, as far as `names` needs it. Throws when it says no, or is gone. */
  make(world: World, name: string): Promise<string>;
  /** Names, as often as they are there. */
  names(world: World): Promise<readonly string[]>;
  /** The last one made replaces those before it. */
  readonly one?: true;
  /** What was made is taken back by the same `make`: what is answered must not be there. */
  readonly undone?: true;
}

async function ask({ server, alice }: World, method: string, path: string, body?: object): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${server.ports.http}${path}`, {
    method,
    headers: { ...alice.headers, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Refused(`${method} ${path}: ${response.status} ${text}`);
  return JSON.parse(text) as Answer;
}

/** The server said no: no kind of change here is one to refuse. */
class Refused extends Error {}

async function set({ alice }: World, type: string, create: object): Promise<string> {
  const { created, notCreated } = await alice.call(`${type}/set`, { create: { x: create } });
  if (!created?.x) throw new Refused(JSON.stringify(notCreated));
  return String(created.x.id);
}

const draft = ({ drafts }: World, subject: string): object => ({
  mailboxIds: { [drafts]: true },
  subject,
  textBody: [{ partId: '1' }],
  // Some stand in the database, some in a segment, some in files.
  bodyValues: { 1: { value: `${subject} `.repeat(1 + Math.floor(Math.random() ** 4 * 30_000)) } },
});

/** Subjects of all emails, with what `pick` leaves of them. */
async function subjects({ alice }: World, pick: (email: Answer) => boolean): Promise<string[]> {
  const found: string[] = [];
  for (let position = 0; ; ) {
    const { ids } = await alice.call('Email/query', { position, limit: 200 });
    if ((ids as string[]).length === 0) return found;
    position += (ids as string[]).length;
    const { list } = await alice.call('Email/get', { ids, properties: ['subject', 'keywords'] });
    for (const email of list as Answer[]) if (pick(email)) found.push(email['subject'] as string);
  }
}

/** Rows of the administration or of the account that are made by one POST. */
function rows(
  path: string,
  input: (name: string) => object,
  key: string,
  name: (row: Answer) => string,
): Kind {
  return {
    make: async (world, made) => JSON.stringify(await ask(world, 'POST', path, input(made))),
    names: async (world) => ((await ask(world, 'GET', path))[key] as Answer[]).map(name),
  };
}

const address = (name: string): string => `${name}@example.test`;
const local = (row: Answer): string => String(row['address']).split('@')[0] ?? '';

const KINDS: Readonly<Record<string, Kind>> = {
  alias: rows(
    '/admin/v1/aliases',
    (name) => ({ address: address(name), targets: [ALICE] }),
    'aliases',
    local,
  ),
  group: rows('/admin/v1/groups', (name) => ({ address: address(name), members: [ALICE] }), 'groups', local),
  account: rows(
    '/admin/v1/accounts',
    (name) => ({ address: address(name), password: `correct horse battery ${name}` }),
    'accounts',
    local,
  ),
  invitation: rows('/admin/v1/invitations', (name) => ({ address: address(name) }), 'invitations', local),
  domain: rows(
    '/admin/v1/domains',
    (name) => ({ name: `${name}.test` }),
    'domains',
    (row) => String(row['name']).replace(/\.test$/, ''),
  ),
  sender: rows(
    '/account/v1/senders',
    (name) => ({ address: address(name), state: 'block' }),
    'senders',
    local,
  ),
  password: {
    make: async (world, name) =>
      String(
        (await ask(world, 'POST', `/admin/v1/accounts/${ALICE}/app-passwords`, { name, scopes: ['mail'] }))[
          'password'
        ],
      ),
    names: async (world) =>
      (
        (await ask(world, 'GET', `/admin/v1/accounts/${ALICE}/app-passwords`))['appPasswords'] as Answer[]
      ).map(({ name }) => String(name)),
  },
  label: {
    one: true,
    make: async (world, name) => {
      const labels = [{ keyword: 'k', name, colour: '#ff0000' }];
      return JSON.stringify(await ask(world, 'PUT', '/account/v1/labels', { labels }));
    },
    names: async (world) =>
      ((await ask(world, 'GET', '/account/v1/labels'))['labels'] as Answer[]).map(({ name }) => String(name)),
  },
  takenBack: {
    undone: true,
    make: async (world, name) => {
      await ask(world, 'POST', '/admin/v1/aliases', { address: address(name), targets: [ALICE] });
      const found = (await ask(world, 'GET', `/admin/v1/audit?limit=10&text=${name}`))['rows'] as Answer[];
      const row = found.find(({ undo }) => undo === 'possible');
      return JSON.stringify(await ask(world, 'POST', `/admin/v1/audit/${row?.['id']}/undo`, {}));
    },
    names: async (world) =>
      ((await ask(world, 'GET', '/admin/v1/aliases'))['aliases'] as Answer[]).map(local),
  },
  mailbox: {
    make: (world, name) => set(world, 'Mailbox', { name }),
    names: async ({ alice }) =>
      ((await alice.call('Mailbox/get', { ids: null }))['list'] as Answer[]).map(({ name }) => String(name)),
  },
  identity: {
    make: (world, name) => set(world, 'Identity', { name, email: ALICE }),
    names: async ({ alice }) =>
      ((await alice.call('Identity/get', { ids: null }))['list'] as Answer[]).map(({ name }) => String(name)),
  },
  email: {
    make: (world, name) => set(world, 'Email', draft(world, name)),
    names: (world) => subjects(world, () => true),
  },
  star: {
    make: async (world, name) => {
      const id = await set(world, 'Email', draft(world, name));
      const { updated } = await world.alice.call('Email/set', {
        update: { [id]: { 'keywords/$flagged': true } },
      });
      if (updated === null) throw new Refused(`${id} was not changed`);
      return id;
    },
    names: (world) => subjects(world, ({ keywords }) => keywords.$flagged === true),
  },
  destroyed: {
    undone: true,
    make: async (world, name) => {
      const id = await set(world, 'Email', draft(world, name));
      const { destroyed } = await world.alice.call('Email/set', { destroy: [id] });
      if (destroyed?.[0] !== id) throw new Refused(`${id} was not destroyed`);
      return id;
    },
    names: (world) => subjects(world, () => true),
  },
};

interface Made {
  readonly kind: string;
  readonly name: string;
  /** Undefined where nobody was told. */
  answer?: string | undefined;
}

/** Make one after the other until the server is gone. */
async function write(
  world: World,
  kind: string,
  label: string,
  all: Made[],
  told: () => void,
): Promise<void> {
  for (let n = 0; ; n++) {
    const made: Made = { kind, name: `${label}${kind.toLowerCase()}${n}` };
    all.push(made);
    try {
      made.answer = await KINDS[kind]?.make(world, made.name);
    } catch (error) {
      if (error instanceof Refused || error instanceof assert.AssertionError) throw error;
      return;
    }
    told();
  }
}

/** What is wrong with what was made of one kind, when all is over. */
function wrong({ one, undone }: Kind, made: readonly Made[], there: readonly string[]): string[] {
  const times = (name: string): number => there.filter((each) => each === name).length;
  const faults = made.filter(({ name }) => times(name) > 1).map(({ name }) => `${name} is there twice`);
  const answered = made.filter(({ answer }) => answer !== undefined);
  const last = made.indexOf(answered.at(-1) ?? assert.fail('nothing was answered'));
  if (one === true) {
    const held = made.slice(last).some(({ name }) => times(name) === 1);
    return held ? faults : [...faults, `${made[last]?.name} was answered, ${there.join()} is there`];
  }
  for (const { name } of answered)
    if (times(name) !== (undone === true ? 0 : 1)) faults.push(`${name} was answered, and is not so`);
  return faults;
}

async function enter(server: TryServer): Promise<World> {
  const alice = await jmapClient(server, ALICE, PASSWORD, 100);
  const { list } = await alice.call('Mailbox/get', { ids: null });
  const drafts = (list as Answer[]).find(({ role }) => role === 'drafts');
  return { server, alice, drafts: String(drafts?.['id']) };
}

it('SIGKILL while settings and mail are changed: what was answered is so', {
  skip: skipUnlessLong(),
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'postern-crash-'));
  let server: TryServer | undefined;
  t.after(async () => {
    await server?.end('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });
  const all: Made[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    server = await startTryServer({ directory });
    const running = await enter(server);
    const { promise, resolve } = Promise.withResolvers<void>();
    const told = new Set<string>();
    const writers = Object.keys(KINDS).map((kind) =>
      write(running, kind, `r${round}`, all, () => {
        if (told.add(kind).size === Object.keys(KINDS).length) resolve();
      }),
    );
    await Promise.race([promise, Promise.all(writers)]);
    await sleep(Math.random() * ALIVE_MS);
    assert.equal(await server.end('SIGKILL'), null);
    await Promise.all(writers);
  }
  server = await startTryServer({ directory });
  const after = await enter(server);
  const faults: string[] = [];
  for (const [kind, each] of Object.entries(KINDS))
    faults.push(
      ...wrong(
        each,
        all.filter((made) => made.kind === kind),
        await each.names(after),
      ),
    );
  assert.deepEqual(faults, []);
  assert.equal(await server.end('SIGTERM'), 0);
  assert.deepEqual(await storeViolations(directory), []);
  const answered = all.filter(({ answer }) => answer !== undefined).length;
  t.diagnostic(
    `report: ${ROUNDS} kills, ${all.length} changes of ${Object.keys(KINDS).length} kinds, ${answered} answered`,
  );
});
