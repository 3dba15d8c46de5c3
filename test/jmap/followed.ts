import assert from 'node:assert/strict';
import type { Answer, Args, JmapClient } from './client.ts';

/** Objects that one request may ask for. */
const AT_ONCE = 500;

/** All that there is of a kind, as text by id, whatever kind of object it is. */
async function lookUp(client: JmapClient, type: string, account: Args): Promise<Map<string, string>> {
  if (type !== 'Email' && type !== 'Thread') return get(client, type, account, null);
  const { ids } = await client.call('Email/query', account);
  if (type === 'Email') return get(client, type, account, ids as string[]);
  const threadIds = new Set<string>();
  for (let at = 0; at < (ids as string[]).length; at += AT_ONCE) {
    const some = (ids as string[]).slice(at, at + AT_ONCE);
    const { list } = await client.call('Email/get', { ...account, ids: some, properties: ['threadId'] });
    for (const { threadId } of list as Answer[]) threadIds.add(threadId as string);
  }
  return get(client, type, account, [...threadIds]);
}

async function get(
  client: JmapClient,
  type: string,
  account: Args,
  ids: readonly string[] | null,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let at = 0; at < (ids?.length ?? 1); at += AT_ONCE) {
    const { list } = await client.call(`${type}/get`, {
      ...account,
      ids: ids?.slice(at, at + AT_ONCE) ?? null,
      ...(type === 'Email' && { properties: ['mailboxIds', 'keywords', 'threadId', 'size'] }),
    });
    for (const each of list as Answer[]) found.set(each['id'] as string, canonical(each));
  }
  return found;
}

/** JSON with the names of all objects in order. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}

/** A kind of object in an account, looked at once; from then on only its /changes are believed. */
export class Followed {
  readonly #client: JmapClient;
  readonly #type: string;
  readonly #account: Args;
  #known = new Map<string, string>();
  #state: string | undefined;
  /** What was told of each and when, for whoever has to find out why it is not so. */
  readonly #told = new Map<string, string[]>();

  constructor(client: JmapClient, type: string, accountId = client.accountId) {
    this.#client = client;
    this.#type = type;
    this.#account = { accountId };
  }

  /** Take on what has changed, in pages of `max`. False: changes could not be calculated, and all was looked at anew. */
  async follow(max?: number): Promise<boolean> {
    for (let more = true; more && this.#state !== undefined; ) {
      const [answer] = await this.#client.calls([
        `${this.#type}/changes`,
        { ...this.#account, sinceState: this.#state, ...(max !== undefined && { maxChanges: max }) },
      ]);
      assert.ok(answer);
      const [name, page] = answer;
      if (name === 'error') {
        assert.equal(page['type'], 'cannotCalculateChanges', JSON.stringify(page));
        this.#state = undefined;
        break;
      }
      for (const kind of ['created', 'updated', 'destroyed'])
        for (const id of page[kind] as string[])
          this.#tell(id, `${kind} from ${this.#state} to ${String(page['newState'])}`);
      for (const id of page['destroyed'] as string[]) this.#known.delete(id);
      const news = [...(page['created'] as string[]), ...(page['updated'] as string[])];
      const found = await get(this.#client, this.#type, this.#account, news);
      // What has gone since a later page tells of.
      for (const id of news) this.#known.delete(id);
      for (const [id, facts] of found) this.#known.set(id, facts);
      this.#state = page['newState'] as string;
      more = page['hasMoreChanges'] as boolean;
    }
    if (this.#state !== undefined) return true;
    const { state } = await this.#client.call(`${this.#type}/get`, { ...this.#account, ids: [] });
    this.#known = await lookUp(this.#client, this.#type, this.#account);
    for (const id of this.#known.keys()) this.#tell(id, `seen after ${String(state)}`);
    this.#state = state as string;
    return false;
  }

  #tell(id: string, what: string): void {
    this.#told.set(id, [...(this.#told.get(id) ?? []), what]);
  }

  /** What is believed and is not so, or is so and not believed; nobody may change anything meanwhile. '' where there is nothing. */
  async lies(): Promise<string> {
    const now = await lookUp(this.#client, this.#type, this.#account);
    const wrong = [...new Set([...now.keys(), ...this.#known.keys()])].filter(
      (id) => now.get(id) !== this.#known.get(id),
    );
    return wrong
      .map((id) => {
        const told = this.#told.get(id)?.join(', ') ?? 'nothing';
        return `${this.#type} ${id}: believed ${this.#known.get(id)}, is ${now.get(id)}; told at state ${this.#state}: ${told}`;
      })
      .join('\n');
  }
}
