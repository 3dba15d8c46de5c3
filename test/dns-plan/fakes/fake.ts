/** What stands in for the HTTP API of a provider: on 127.0.0.1, with what every one of them has. */
import { createServer, type IncomingMessage } from 'node:http';

export interface FakeRequest {
  readonly method: string;
  /** Without the prefix of the API. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  /** Undefined: no JSON. */
  readonly body: unknown;
}

export interface FakeAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Fake {
  readonly endpoint: string;
  readonly requests: FakeRequest[];
  /** Answers that are given before anything else, one a request. */
  readonly first: FakeAnswer[];
  /** The POST of this number, and those after it, fail; 0: none. */
  breakAfter: number;
  close(): Promise<void>;
}

/** Bodies that are a text are sent as they are, others as JSON. */
export async function startFake(answer: (request: FakeRequest, origin: string) => FakeAnswer): Promise<Fake> {
  const requests: FakeRequest[] = [];
  const first: FakeAnswer[] = [];
  const state = { breakAfter: 0 };
  let origin = '';
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece);
      const text = Buffer.concat(pieces).toString('utf8');
      const url = new URL(incoming.url ?? '/', 'http://fake');
      const request: FakeRequest = {
        method: incoming.method ?? '',
        path: url.pathname.replace(/^\/api/, ''),
        query: url.searchParams,
        headers: incoming.headers,
        text,
        body: parsed(text),
      };
      requests.push(request);
      const posts = requests.filter(({ method }) => method === 'POST').length;
      const broken = state.breakAfter > 0 && request.method === 'POST' && posts >= state.breakAfter;
      const given = broken ? { status: 500 } : (first.shift() ?? answer(request, origin));
      const { status, body = '', headers = {} }: FakeAnswer = given;
      outgoing.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // One that a failed test leaves behind keeps nobody waiting.
  server.unref();
  const bound = server.address();
  origin = `http://127.0.0.1:${bound !== null && typeof bound === 'object' ? bound.port : 0}`;
  return {
    endpoint: `${origin}/api`,
    requests,
    first,
    get breakAfter() {
      return state.breakAfter;
    },
    set breakAfter(count) {
      state.breakAfter = count;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** One page of a list, by number from 1. */
export function pageOf<T>(rows: readonly T[], number: number, size: number): { rows: T[]; pages: number } {
  return {
    rows: rows.slice((number - 1) * size, number * size),
    pages: Math.max(1, Math.ceil(rows.length / size)),
  };
}
