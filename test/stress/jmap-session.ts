import assert from 'node:assert/strict';
import { type Answer, type Args, type JmapClient, put } from '../jmap/client.ts';

/** What an email is marked with and where it lies, as text: "F1,F2 $seen,work". */
export type EmailFacts = string;

function factsOf(email: Answer): EmailFacts {
  const names = (value: object): string => Object.keys(value).toSorted().join();
  return `${names(email['mailboxIds'] as object)} ${names(email['keywords'] as object)}`;
}

/**
 * A JMAP client that looks at everything once and from then on believes Email/changes alone; beside it a list in order that
 * lives on Email/queryChanges.
 */
export class JmapSession {
  readonly #client: JmapClient;
  readonly #query: Args;
  #state = '';
  #queryState = '';
  readonly emails = new Map<string, EmailFacts>();
  list: string[] = [];

  private constructor(client: JmapClient, mailboxId: string) {
    this.#client = client;
    this.#query = {
      filter: { inMailbox: mailboxId },
      sort: [{ property: 'receivedAt', isAscending: false }],
    };
  }

  static async open(client: JmapClient, mailboxId: string): Promise<JmapSession> {
    const session = new JmapSession(client, mailboxId);
    session.#state = (await client.call('Email/get', { ids: [] }))['state'] as string;
    const { ids } = await client.call('Email/query', {});
    await session.#fetch(ids as string[]);
    const found = await client.call('Email/query', session.#query);
    session.#queryState = found['queryState'] as string;
    session.list = [...(found['ids'] as string[])];
    return session;
  }

  async #fetch(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { list, notFound } = await this.#client.call('Email/get', {
      ids,
      properties: ['mailboxIds', 'keywords'],
    });
    for (const email of list as Answer[]) this.emails.set(email['id'] as string, factsOf(email));
    // Gone since: a later answer tells of it.
    for (const id of notFound as string[]) this.emails.delete(id);
  }

  /** Take on what has changed, in pages of `max`. */
  async follow(max?: number): Promise<void> {
    for (let more = true; more; ) {
      const page = await this.#client.call('Email/changes', {
        sinceState: this.#state,
        ...(max !== undefined && { maxChanges: max }),
      });
      for (const id of page['destroyed'] as string[]) this.emails.delete(id);
      await this.#fetch([...(page['created'] as string[]), ...(page['updated'] as string[])]);
      this.#state = page['newState'] as string;
      more = page['hasMoreChanges'] as boolean;
    }
    const changes = await this.#client.call('Email/queryChanges', {
      ...this.#query,
      sinceQueryState: this.#queryState,
    });
    const removed = new Set(changes['removed'] as string[]);
    this.list = this.list.filter((id) => !removed.has(id));
    for (const { id, index } of changes['added'] as { id: string; index: number }[])
      this.list.splice(index, 0, id);
    this.#queryState = changes['newQueryState'] as string;
  }

  /** One thing that a person may do. What fails because another was faster is nobody's fault. */
  async act(
    next: (below: number) => number,
    boxes: readonly string[],
    n: number,
    /** Emails that there should not be more of. */
    most = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const ids = [...this.emails.keys()];
    const id = ids[next(ids.length)];
    const box = boxes[next(boxes.length)] ?? '';
    const update = async (patch: Args): Promise<void> => {
      if (id === undefined) return;
      const { notUpdated } = await this.#client.call('Email/set', { update: { [id]: patch } });
      if (notUpdated) assert.equal(notUpdated[id].type, 'notFound');
    };
    const deed = next(7);
    switch (deed === 0 && ids.length > most ? 5 : deed) {
      case 0:
        await put(this.#client, `From: j@else.test\nSubject: by JMAP ${n}\n\nx\n`, box);
        return;
      case 1:
        return update({ 'keywords/$seen': next(2) === 0 ? true : null });
      case 2:
        return update({ 'keywords/work': next(2) === 0 ? true : null, 'keywords/$flagged': true });
      case 3:
        return update({ mailboxIds: { [box]: true } });
      case 4:
        return update({ [`mailboxIds/${box}`]: true });
      case 5:
        if (id !== undefined && ids.length > 10) await this.#client.call('Email/set', { destroy: [id] });
        return;
      default:
        return this.follow(1 + next(4));
    }
  }
}
