import { randomToken } from '../../base/ids.ts';
import { KeyedTurns } from '../../base/keyed-turns.ts';
import type { Principal } from '../request-login.ts';
import type { Context, JmapOptions } from './context.ts';
import { readRequest, runRequest } from './engine.ts';
import { RequestError } from './errors.ts';
import type { Json, JsonObject } from './json.ts';
import { JMAP_LIMITS } from './limits.ts';
import { sessionObject } from './session.ts';
import { methods } from './table.ts';

/** How much of each kind an account has at work. */
export class Counts {
  readonly #open = new Map<string, number>();

  /** Undefined when there are `most` already, else how to end. */
  begin(kind: string, accountId: number, most: number): (() => void) | undefined {
    const key = `${kind} ${accountId}`;
    const now = this.#open.get(key) ?? 0;
    if (now >= most) return undefined;
    this.#open.set(key, now + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = (this.#open.get(key) ?? 1) - 1;
      if (left === 0) this.#open.delete(key);
      else this.#open.set(key, left);
    };
  }
}

/** What all ways to the server have in common, so that limits of an account hold over them together. */
export interface Shared {
  readonly counts: Counts;
  /** Requests by account. */
  readonly turns: KeyedTurns;
  /** Downloads by account, of what stands in memory as a whole. */
  readonly held: KeyedTurns;
  /** Names the store, for what its reads keep. */
  readonly cache: string;
}

/** For an app and its WebSockets. */
export function sharedParts(): Shared {
  return {
    counts: new Counts(),
    turns: new KeyedTurns(JMAP_LIMITS.concurrentRequests, JMAP_LIMITS.waitingRequests),
    held: new KeyedTurns(JMAP_LIMITS.concurrentHeld, JMAP_LIMITS.waitingHeld),
    cache: randomToken(12),
  };
}

/**
 * Do a request (RFC 8620 section 3.3), whichever way it came; resolves to the response of section 3.4. `read` gives its
 * JSON, and is called when it is this request's turn. The turn ends when the answer is `sent`, or will never be: until then
 * it stands in memory, and who asks for much and reads nothing must not have many of them there.
 * @throws RequestError
 */
export async function answerRequest(
  options: JmapOptions,
  { turns, cache }: Pick<Shared, 'turns' | 'cache'>,
  login: Principal,
  trace: string,
  read: () => Json | Promise<Json>,
  sent: Promise<void>,
): Promise<JsonObject> {
  const most = JMAP_LIMITS.concurrentRequests;
  const turn = turns.take(login.accountId);
  if (turn === undefined)
    throw new RequestError('limit', `At most ${most} requests at once, please.`, 'maxConcurrentRequests');
  const end = await turn;
  try {
    const request = readRequest(await read());
    const createdIds = new Map(Object.entries(request.createdIds ?? {}));
    const { remoteAddress } = login;
    const context: Context = {
      options,
      login,
      remoteAddress,
      trace,
      cache,
      using: request.using,
      createdIds,
    };
    const methodResponses = await runRequest(context, methods, request);
    const session = await sessionObject(options, login, '');
    void sent.then(end);
    return {
      methodResponses,
      ...(request.createdIds !== undefined && { createdIds: Object.fromEntries(createdIds) }),
      sessionState: session['state'],
    };
  } catch (error) {
    end();
    throw error;
  }
}
