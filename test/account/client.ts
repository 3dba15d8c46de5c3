import { TEST_PASSWORD, type TestServer } from '../support/server.ts';

// What answers are is what tests find out.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = Record<string, any>;

export interface Answer {
  readonly status: number;
  readonly json: Json;
  readonly headers: Headers;
}

/** A client of the account API: one request, its answer as JSON. */
export type AccountClient = (method: string, path: string, body?: unknown) => Promise<Answer>;

export function accountClient(
  server: TestServer,
  address: string,
  headers: Readonly<Record<string, string>> = {},
): AccountClient {
  const authorization = `Basic ${Buffer.from(`${address}:${TEST_PASSWORD}`).toString('base64')}`;
  return async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${server.ports.http}/account/v1${path}`, {
      method,
      headers: {
        authorization,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = text.startsWith('{') ? (JSON.parse(text) as Json) : { text };
    return { status: response.status, json, headers: response.headers };
  };
}
