/**
 * Pictures that messages link to come by way of our server, from hosts that may be slow or silent. A browser keeps six
 * connections to a server (HTTP/1.1), and a message may have a hundred pictures: together they would hold up all else
 * that the pages ask for, as long as those hosts are waited for.
 */

/** Where the server fetches them. */
export const PICTURES = '/account/v1/image';
/** Half of the connections; one more is that of the events. */
const AT_ONCE = 3;
/** Milliseconds after which one that our server says nothing of is given up: it waits 20 seconds for the other host. */
const PATIENCE_MS = 60_000;

/** Asks for a few at a time, in the order they came; what is not wanted any more is not asked for. */
export function pictureQueue(
  ask: (request: Request, signal: AbortSignal) => Promise<Response>,
): (request: Request) => Promise<Response> {
  const waiting: (() => void)[] = [];
  let free = AT_ONCE;
  return async (request) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      request.signal.throwIfAborted();
      return await ask(request, AbortSignal.any([request.signal, AbortSignal.timeout(PATIENCE_MS)]));
    } finally {
      const next = waiting.shift();
      if (next === undefined) free++;
      else next();
    }
  };
}
