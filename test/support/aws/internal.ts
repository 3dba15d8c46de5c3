import type { IncomingHttpHeaders } from 'node:http';
import type { AwsOptions, AwsService, Violation } from './types.ts';

/** A request whose body was read and whose signature was found right. */
export interface Incoming {
  readonly method: string;
  /** As it came, percent-encoded, without query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Octets, transfer and aws-chunked coding removed. */
  readonly body: Buffer;
  /** Key that signed, "" where nothing has to be signed. */
  readonly accessKeyId: string;
  /** Aborted when the client went away. */
  readonly signal: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

/** A request understood: what it is, and the work it asks for. */
export interface Prepared {
  readonly operation: string;
  readonly resource: string;
  readonly version?: 1 | 2;
  run(): Answer | Promise<Answer>;
}

/** One service: reads requests and words errors in its protocol. */
export interface ServiceModule {
  prepare(request: Incoming): Prepared;
  renderError(error: ServiceError, requestId: string, request: { method: string; path: string }): Answer;
}

/** An error as a service answers it. `violation`: no right client would have sent the request. */
export class ServiceError extends Error {
  readonly status: number;
  readonly code: string;
  readonly violation: boolean;
  constructor(status: number, code: string, message: string, violation = false) {
    super(message);
    this.status = status;
    this.code = code;
    this.violation = violation;
  }
}

/** The request is malformed: answered so, and kept for the test to see. */
export function malformed(code: string, message: string, status = 400): ServiceError {
  return new ServiceError(status, code, message, true);
}

/** What the services share. */
export interface Core {
  readonly options: AwsOptions;
  readonly region: string;
  readonly accountId: string;
  /** Known once the server listens. */
  endpoint(): string;
  /** A duration of a service (seconds) as milliseconds here. */
  scaled(seconds: number): number;
  /** Run later unless closed first; counts as under way for `idle` when `pending` is true. */
  later(ms: number, pending: boolean, task: () => void): () => void;
  /** Counts as under way for `idle`. */
  track(work: Promise<void>): void;
  readonly violations: Violation[];
  /** Aborted by close(). */
  readonly closing: AbortSignal;
}

export function violate(core: Core, service: AwsService, operation: string, error: ServiceError): void {
  if (error.violation) {
    core.violations.push({ service, operation, code: error.code, message: error.message });
  }
}

/** The last segment of an ARN, URL or path. */
export function lastSegment(text: string): string {
  return text.slice(Math.max(text.lastIndexOf('/'), text.lastIndexOf(':')) + 1);
}
