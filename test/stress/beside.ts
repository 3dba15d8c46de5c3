import { type JmapClient, jmapClient, put } from '../jmap/client.ts';
import { Followed } from '../jmap/followed.ts';
import type { Person } from './actor.ts';
import { pause } from './mailboxes.ts';
import { emailsByImap, type Shown } from './by-imap.ts';
import { JmapSession } from './jmap-session.ts';
import { Random } from './random.ts';
import { type Look, openWebPerson, type WebPerson } from './web-person.ts';
import { must, type World } from './world.ts';

/** What works on the same mailboxes in other ways than by IMAP, and must agree with it whenever all are quiet. */
export interface Beside {
  /** Do what chance says until then (milliseconds since the epoch). */
  work(until: number): Promise<void>;
  /** Nobody does anything any more: resolves when what is under way here has ended. */
  rest(): Promise<void>;
  /** All are quiet: what a fresh IMAP session sees is what is known here. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface BesideOptions {
  readonly http: number;
  readonly imap: number;
  readonly password: string;
  readonly seed: number;
  /** JMAP clients, by turns of the one and of the other person. */
  readonly jmap: number;
  /** People with a browser: the first is the owner of the shared mailbox. */
  readonly web: number;
  /** Messages that a mailbox should not have more of. */
  readonly full: number;
  /** Milliseconds that a client waits between two things, at most. */
  readonly think: number;
}

/** Milliseconds until what is told by push must have come, on a machine that is busy with much else. */
const CONVERGE_MS = 30_000;
const PAGE = 200;
/** Times that a request is made anew because others of the account have all that may run at once. */
const TRIES = 200;

/** The mailboxes of the people must be there. */
export async function openBeside(
  options: BesideOptions,
  world: World,
  people: readonly Person[],
): Promise<Beside[]> {
  const { jmap, web } = options;
  const owners = people.toReversed();
  const all: Beside[] = [];
  const nth = (i: number): Person => {
    const person = owners[i % owners.length];
    must(person !== undefined, () => 'nobody there');
    return person;
  };
  for (let i = 0; i < jmap; i++) all.push(await jmapBeside(options, world, nth(i), i));
  for (let i = 0; i < web; i++) all.push(await webBeside(options, world, nth(i), i));
  return all;
}

function addressOf({ login }: Person): string {
  return login.slice(0, login.indexOf(' '));
}

function client({ http, password }: BesideOptions, person: Person): Promise<JmapClient> {
  return jmapClient({ ports: { http } }, addressOf(person), password, TRIES);
}

/** Mailboxes of a person that clients work in, by name and JMAP id. */
async function boxesOf(jmap: JmapClient, names: readonly string[]): Promise<Map<string, string>> {
  const { list } = await jmap.call('Mailbox/get', { ids: null });
  const all = list as { id: string; name: string; role: string | null; parentId: string | null }[];
  const found = new Map<string, string>();
  for (const { id, name, role, parentId } of all) {
    const called = role === 'inbox' ? 'INBOX' : name;
    if (parentId === null && names.includes(called)) found.set(called, id);
  }
  return found;
}

async function jmapBeside(
  options: BesideOptions,
  world: World,
  person: Person,
  nth: number,
): Promise<Beside> {
  const jmap = await client(options, person);
  const random = new Random(options.seed * 1000 + 500 + nth);
  const boxes = [...(await boxesOf(jmap, person.boxes)).values()];
  const mailboxId = boxes[nth % boxes.length] ?? '';
  const session = await JmapSession.open(jmap, mailboxId);
  const accounts = new Map<string, readonly Followed[]>();
  const follow = async (max?: number): Promise<void> => {
    const now = await accountsOf(jmap);
    for (const accountId of accounts.keys()) if (!now.includes(accountId)) accounts.delete(accountId);
    for (const accountId of now) {
      const kinds = accounts.get(accountId) ?? FOLLOWED.map((type) => new Followed(jmap, type, accountId));
      accounts.set(accountId, kinds);
      for (const kind of kinds)
        world.count((await kind.follow(max)) ? 'JMAP changes followed' : 'JMAP looked at anew');
    }
  };
  return {
    async work(until) {
      for (let n = 0; Date.now() < until; n++) {
        await session.act((below) => random.below(below), boxes, n, options.full * boxes.length);
        // Conversations, for those who show them.
        if (random.once(10) && session.emails.size < options.full * boxes.length)
          await put(jmap, talk(random.below(6)), boxes[random.below(boxes.length)] ?? '');
        // A share may end at any moment between two requests.
        if (nth === 0 && random.once(20)) await follow(1 + random.below(10)).catch(sharesOnly);
        world.count('JMAP step');
        await pause(20 + random.below(Math.max(1, options.think)));
      }
    },
    rest: async () => undefined,
    async check() {
      await session.follow(PAGE);
      const shown = await emailsByImap(options, person);
      same(`JMAP session ${nth} (${person.name})`, session.emails, shown.emails);
      await sameCounts(jmap, shown);
      const sort = [{ property: 'receivedAt', isAscending: false }];
      const { ids } = await jmap.call('Email/query', { filter: { inMailbox: mailboxId }, sort });
      must(
        session.list.join() === (ids as string[]).join(),
        () => `JMAP session ${nth}: by Email/queryChanges ${session.list.join()}, by Email/query ${ids}`,
      );
      await follow(PAGE);
      for (const kind of [...accounts.values()].flat()) {
        const lies = await kind.lies();
        must(lies === '', () => `JMAP session ${nth} (${person.name}), by /changes: ${lies}`);
      }
      world.count('JMAP models compared');
    },
    close: async () => undefined,
  };
}

const FOLLOWED = ['Email', 'Thread', 'Mailbox'];

/** Accounts that may be seen, one's own and those of which something is shared. */
async function accountsOf(jmap: JmapClient): Promise<string[]> {
  const session = (await (await fetch(jmap.url('/jmap/session'), { headers: jmap.headers })).json()) as {
    accounts: Record<string, unknown>;
  };
  return Object.keys(session.accounts);
}

function sharesOnly(error: unknown): void {
  if (!String(error).includes('accountNotFound')) throw error;
}

function talk(about: number): string {
  const first = `<talk${about}@stress.test>`;
  return `From: Talk <t@else.test>\nSubject: Re: talk ${about}\nReferences: ${first}\nIn-Reply-To: ${first}\n\nx\n`;
}

/** The same emails with the same facts. */
function same(who: string, known: ReadonlyMap<string, string>, shown: ReadonlyMap<string, string>): void {
  for (const id of new Set([...known.keys(), ...shown.keys()]))
    must(
      known.get(id) === shown.get(id),
      () => `${who}: ${id} is known as (${known.get(id)}), IMAP shows (${shown.get(id)})`,
    );
}

/** The counts of Mailbox/get are those of what IMAP shows. */
async function sameCounts(jmap: JmapClient, { counts }: Shown): Promise<void> {
  const { list } = await jmap.call('Mailbox/get', { ids: null });
  for (const { id, name, totalEmails, unreadEmails } of list as Record<string, unknown>[]) {
    const known = counts.get(id as string);
    if (known === undefined) continue;
    must(
      known.total === totalEmails && known.unread === unreadEmails,
      () => `${name}: JMAP counts ${totalEmails}, ${unreadEmails} unread; IMAP ${JSON.stringify(known)}`,
    );
  }
}

async function webBeside(options: BesideOptions, world: World, person: Person, nth: number): Promise<Beside> {
  const jmap = await client(options, person);
  const random = new Random(options.seed * 1000 + 700 + nth);
  const web: WebPerson = await openWebPerson({
    base: `http://localhost:${options.http}`,
    login: addressOf(person),
    password: options.password,
    folders: [...new Set(person.boxes)].filter((name) => !name.includes('/')).map(labelOf),
    random,
    count: (what) => world.count(what),
  });
  return {
    async work(until) {
      while (Date.now() < until) {
        await web.act();
        await pause(random.below(Math.max(1, options.think)));
      }
    },
    rest: () => web.rest(),
    async check() {
      // First what is on the screen, which nobody asks for anew.
      const here = await web.here();
      for (const folder of new Set([here, ...['INBOX', ...person.boxes, 'Archive', 'Trash'].map(labelOf)])) {
        if (folder !== here && !(await web.go(folder))) continue;
        const wanted = async (): Promise<string> => JSON.stringify(await expected(jmap, folder), null, 1);
        const before = await wanted();
        let shown = '';
        for (const late = Date.now() + CONVERGE_MS; ; await pause(200)) {
          shown = JSON.stringify(await web.look(), null, 1);
          if (shown === before || Date.now() > late) break;
        }
        must(shown === before, () => `the page shows of ${folder}\n${difference(shown, before)}`);
        world.count('pages compared');
      }
      must(web.errors.length === 0, () => `the page: ${web.errors.splice(0).join('\n')}`);
    },
    close: () => web.close(),
  };
}

function labelOf(name: string): string {
  return name === 'INBOX' ? 'Inbox' : name;
}

interface Row {
  readonly id: string;
  readonly threadId: string;
  readonly subject: string | null;
  readonly keywords: Readonly<Record<string, true>>;
  readonly mailboxIds: Readonly<Record<string, true>>;
}
interface Box {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
  readonly unreadEmails: number;
}
const FACTS = ['threadId', 'subject', 'keywords', 'mailboxIds'];

/** As the page calls a mailbox, in English. */
function shownName({ role, name }: Box): string {
  return role === 'inbox' ? 'Inbox' : name;
}

/** Unread messages of the mailboxes that others share, which the page shows beside one's own. */
async function sharedCounts(jmap: JmapClient): Promise<(readonly [string, number])[]> {
  const found: (readonly [string, number])[] = [];
  for (const accountId of await accountsOf(jmap)) {
    if (accountId === jmap.accountId) continue;
    const { list } = await jmap.call('Mailbox/get', { accountId, ids: null });
    for (const box of list as Box[]) found.push([shownName(box), box.unreadEmails]);
  }
  return found;
}

/** A folder as the page is to show it, conversations and all, from what the server says now. */
async function expected(jmap: JmapClient, folder: string): Promise<Look> {
  const boxes = (await jmap.call('Mailbox/get', { ids: null }))['list'] as Box[];
  const counted = boxes.filter(({ role }) => role !== 'drafts');
  const own = counted.map((box) => [shownName(box), box.unreadEmails] as const);
  const counts = Object.fromEntries([...own, ...(await sharedCounts(jmap))].toSorted());
  const inMailbox = boxes.find((box) => shownName(box) === folder)?.id ?? '';
  const sort = [{ property: 'receivedAt', isAscending: false }];
  const { ids } = await jmap.call('Email/query', { filter: { inMailbox }, sort, collapseThreads: true });
  const get = async (type: string, wanted: readonly string[], properties: string[]): Promise<unknown[]> => {
    if (wanted.length === 0) return [];
    return (await jmap.call(`${type}/get`, { ids: wanted, properties }))['list'] as unknown[];
  };
  const shown = (await get('Email', ids as string[], FACTS)) as Row[];
  const threads = (await get(
    'Thread',
    [...new Set(shown.map(({ threadId }) => threadId))],
    ['emailIds'],
  )) as {
    id: string;
    emailIds: string[];
  }[];
  const members = (await get(
    'Email',
    threads.flatMap(({ emailIds }) => emailIds),
    FACTS,
  )) as Row[];
  const rubbish = boxes.filter(({ role }) => role === 'trash' || role === 'junk').map(({ id }) => id);
  const rows = (ids as string[]).map((id) => {
    const row = shown.find((each) => each.id === id);
    const all = members.filter(({ threadId }) => threadId === row?.threadId);
    const said = all.filter(({ mailboxIds }) =>
      rubbish.includes(inMailbox)
        ? mailboxIds[inMailbox]
        : Object.keys(mailboxIds).some((each) => !rubbish.includes(each)),
    );
    const unread = said.some(({ keywords }) => keywords['$seen'] !== true);
    const starred = said.some(({ keywords }) => keywords['$flagged'] === true);
    const subject = row?.subject?.trim() || '(no subject)';
    return [id, said.length, subject, unread ? 'unread' : 'read', starred ? 'starred' : '-'].join(' ');
  });
  return { counts, total: rows.length, rows };
}

/** Lines that one has and the other has not. */
function difference(shown: string, wanted: string): string {
  const [a, b] = [shown.split('\n'), wanted.split('\n')];
  const more = a.filter((line) => !b.includes(line)).map((line) => `  page only: ${line}`);
  const less = b.filter((line) => !a.includes(line)).map((line) => `  server only: ${line}`);
  const lines = [...more, ...less].slice(0, 40);
  return lines.length > 0 ? lines.join('\n') : `in another order: ${shown}`;
}
