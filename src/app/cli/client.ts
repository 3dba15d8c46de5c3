import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { z } from 'zod';
import { errnoCode, errorText, Refusal, type RefusalKind } from '../../base/errors.ts';
import { API_PREFIX, inputInQuery, type Operation } from '../../servers/http/admin/operation.ts';

/** Octets of an answer that are read: a thousand queued messages fit. */
const ANSWER_BYTES = 64 * 1024 * 1024;
/** Milliseconds of silence after which the server counts as stuck. */
const SILENCE_MS = 60_000;

/** Runs the operations of the server. Throws its `Refusal`s, or 'unavailable' when nobody answers. */
export interface AdminClient {
  readonly call: <I extends z.ZodType, O extends z.ZodType>(
    row: Operation<I, O>,
    input: z.input<I>,
  ) => Promise<z.output<O>>;
  /** A request whose body or answer is a stream (of messages). Resolves with the answer once it begins. */
  readonly stream: (request: StreamRequest) => Promise<AsyncIterable<Buffer>>;
}

export interface StreamRequest {
  readonly method: 'GET' | 'POST';
  /** With `API_PREFIX`. */
  readonly path: string;
  readonly query: { readonly [name: string]: string };
  readonly body?: AsyncIterable<Buffer>;
}

/** `refuse` makes the refusal for a socket where nobody answers, by the errno. */
export function createAdminClient(options: {
  readonly socketPath: string;
  readonly refuse: (errno: string | undefined) => Refusal;
}): AdminClient {
  return {
    async call<I extends z.ZodType, O extends z.ZodType>(row: Operation<I, O>, input: z.input<I>) {
      const { path, body } = compose(row, input as Record<string, unknown>);
      const answer = await exchange({ ...options, method: row.method, path, body });
      if (answer.status !== 200) throw refusalOf(answer.text);
      return row.output.parse(JSON.parse(answer.text));
    },
    stream: (wanted) => openStream(options, wanted),
  };
}

/** Parameters into the path, the rest into the query or the body. */
function compose(row: Operation, input: Record<string, unknown>): { path: string; body: string | undefined } {
  const rest = { ...input };
  const path = row.path.replace(/:(\w+)/g, (_, name: string) => {
    const value = String(rest[name]);
    delete rest[name];
    return encodeURIComponent(value);
  });
  if (!inputInQuery(row.method)) return { path: API_PREFIX + path, body: JSON.stringify(rest) };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) query.set(name, String(value));
  return { path: `${API_PREFIX}${path}${query.size === 0 ? '' : `?${query}`}`, body: undefined };
}

interface Exchange {
  readonly socketPath: string;
  readonly refuse: (errno: string | undefined) => Refusal;
  readonly method: string;
  readonly path: string;
  readonly body: string | undefined;
}

function exchange({
  socketPath,
  refuse,
  method,
  path,
  body,
}: Exchange): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { Host: 'postern', ...(body !== undefined && { 'Content-Type': 'application/json' }) };
    const sent = request(
      { socketPath, method, path, headers, timeout: SILENCE_MS, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        let octets = 0;
        response.on('data', (chunk: Buffer) => {
          octets += chunk.length;
          if (octets > ANSWER_BYTES) sent.destroy(new Error('the answer of the server is too large'));
          else chunks.push(chunk);
        });
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
        );
        response.on('error', (error) => reject(broken(error)));
      },
    );
    sent.on('timeout', () => sent.destroy(new Error(`it was silent for ${SILENCE_MS / 1000} s`)));
    sent.on('error', (error) =>
      reject(sent.reusedSocket || errnoCode(error) === undefined ? broken(error) : refuse(errnoCode(error))),
    );
    sent.end(body);
  });
}

/** Send a body as it comes and hand back the answer as it comes. */
async function openStream(
  { socketPath, refuse }: Pick<Exchange, 'socketPath' | 'refuse'>,
  { method, path, query, body }: StreamRequest,
): Promise<AsyncIterable<Buffer>> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const headers = { Host: 'postern', ...(body && { 'Content-Type': 'application/octet-stream' }) };
    const whole = `${path}?${new URLSearchParams(query)}`;
    const sent = request(
      { socketPath, method, path: whole, headers, timeout: SILENCE_MS, agent: false },
      resolve,
    );
    sent.on('timeout', () => sent.destroy(new Error(`it was silent for ${SILENCE_MS / 1000} s`)));
    sent.on('error', (error) => {
      const errno = errnoCode(error);
      reject(
        errno === 'ENOENT' || errno === 'ECONNREFUSED' || errno === 'EACCES' ? refuse(errno) : broken(error),
      );
    });
    if (body === undefined) sent.end();
    else void pipeline(Readable.from(body), sent).catch(() => undefined);
  });
  if (response.statusCode === 200) return response as AsyncIterable<Buffer>;
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  throw refusalOf(Buffer.concat(chunks).toString('utf8'));
}

function broken(error: unknown): Refusal {
  return new Refusal('unavailable', `The server did not finish its answer: ${errorText(error)}.`);
}

function refusalOf(text: string): Refusal {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return new Refusal('unavailable', 'What answers there is not a Postern server.');
  }
  const error = answer as { error?: { kind?: unknown; message?: unknown } } | null;
  const { kind, message } = error?.error ?? {};
  if (typeof message !== 'string')
    return new Refusal('unavailable', 'What answers there is not a Postern server.');
  return new Refusal(
    typeof kind === 'string' && kind !== 'internal' ? (kind as RefusalKind) : 'unavailable',
    message,
  );
}
