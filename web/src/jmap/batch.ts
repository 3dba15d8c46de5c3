import type { SetError } from './types.ts';

/** Calls of one turn gathered into requests (RFC 8620 section 3.3). */

/** A method call that failed, or one object of a set that was refused. */
export class JmapError extends Error {
  /** As in RFC 8620 section 3.6.2 and 5.3, e.g. "cannotCalculateChanges", "overQuota". */
  readonly type: string;
  readonly method: string;

  constructor(type: string, method: string, description?: string) {
    super(description ?? `${method}: ${type}`);
    this.type = type;
    this.method = method;
  }
}

export interface ResultReference {
  readonly resultOf: string;
  readonly name: string;
  readonly path: string;
}

/** The answer of a call, and how a later call of the same turn refers to it. */
export interface Call<T> extends Promise<T> {
  ref(path: string): ResultReference;
}

export type Invocation = readonly [name: string, args: object, id: string];
export interface Request {
  readonly using: readonly string[];
  readonly methodCalls: readonly Invocation[];
}
export interface Response {
  readonly methodResponses: readonly (readonly [name: string, answer: object, id: string])[];
  readonly sessionState: string;
}

/** Calls of a request; the server takes 16. */
const MOST_CALLS = 16;
/** From here on what refers to nothing goes into the next request, so that there is room for what refers. */
const FULL = 10;

interface Waiting {
  readonly name: string;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: unknown) => void;
}

interface Batch {
  readonly calls: Invocation[];
  readonly waiting: Map<string, Waiting>;
}

export interface Batcher {
  call<T>(name: string, args: object): Call<T>;
}

export function batcher(
  post: (request: { methodCalls: readonly Invocation[] }) => Promise<Response>,
): Batcher {
  let open: Batch[] = [];
  let lastId = 0;

  /** The request that what is referred to travels in; else the last one that has room. */
  function batchFor(args: object): Batch {
    for (const [key, value] of Object.entries(args) as [string, unknown][]) {
      if (!key.startsWith('#')) continue;
      const { resultOf } = value as ResultReference;
      const found = open.find((each) => each.waiting.has(resultOf));
      if (found === undefined) throw new Error(`${key} refers to a call that has been sent already`);
      if (found.calls.length < MOST_CALLS) return found;
      throw new Error('too many calls refer to each other');
    }
    const last = open.at(-1);
    if (last !== undefined && last.calls.length < FULL) return last;
    const made: Batch = { calls: [], waiting: new Map() };
    if (open.length === 0) queueMicrotask(flush);
    open.push(made);
    return made;
  }

  function flush(): void {
    const batches = open;
    open = [];
    for (const each of batches) void run(each);
  }

  async function run({ calls, waiting }: Batch): Promise<void> {
    try {
      const { methodResponses } = await post({ methodCalls: calls });
      for (const [name, answer, id] of methodResponses) {
        const call = waiting.get(id);
        if (call === undefined) continue;
        if (name === 'error') {
          const { type, description } = answer as SetError;
          call.reject(new JmapError(type, call.name, description));
        } else if (name === call.name) call.resolve(answer as never);
        // An answer of another name is what one method made another do (RFC 8621 section 7.5): nobody waits for it.
        else continue;
        waiting.delete(id);
      }
      for (const { name, reject } of waiting.values())
        reject(new JmapError('serverFail', name, 'No answer.'));
    } catch (error) {
      for (const { reject } of waiting.values()) reject(error);
    }
  }

  return {
    call<T>(name: string, args: object): Call<T> {
      const batch = batchFor(args);
      const id = `c${++lastId}`;
      const answer = new Promise<T>((resolve, reject) => {
        batch.calls.push([name, args, id]);
        batch.waiting.set(id, { name, resolve: resolve as (answer: never) => void, reject });
      });
      // Who wants one answer of several must not be told of the others' failures as unhandled.
      answer.catch(() => undefined);
      return Object.assign(answer, {
        ref: (path: string): ResultReference => ({ resultOf: id, name, path }),
      });
    },
  };
}
