import { Refusal } from '../../base/errors.ts';
import type { SetFailure } from '../../data/jmap/set-emails.ts';
import type { JsonObject } from './json.ts';

/** Method-level errors (RFC 8620 section 3.6.2 and those of each method). */
export type MethodErrorType =
  | 'serverUnavailable'
  | 'serverFail'
  | 'serverPartialFail'
  | 'unknownMethod'
  | 'invalidArguments'
  | 'invalidResultReference'
  | 'forbidden'
  | 'accountNotFound'
  | 'accountNotSupportedByMethod'
  | 'accountReadOnly'
  | 'requestTooLarge'
  | 'cannotCalculateChanges'
  | 'stateMismatch'
  | 'anchorNotFound'
  | 'unsupportedSort'
  | 'unsupportedFilter'
  | 'tooManyChanges'
  | 'fromAccountNotFound'
  | 'fromAccountNotSupportedByMethod'
  | 'unknownDataType';

/** A method cannot be done. */
export class MethodError extends Error {
  readonly type: MethodErrorType;

  constructor(type: MethodErrorType, description?: string) {
    super(description ?? type);
    this.type = type;
  }

  toJson(): JsonObject {
    return this.message === this.type ? { type: this.type } : { type: this.type, description: this.message };
  }
}

export function invalidArguments(description: string): MethodError {
  return new MethodError('invalidArguments', description);
}

/** What stops one object of a /set (RFC 8620 section 5.3), thrown or handed on. */
export class SetError extends Error {
  readonly json: JsonObject;

  constructor(type: string, description?: string, more: JsonObject = {}) {
    super(description ?? type);
    this.json = { type, ...(description !== undefined && { description }), ...more };
  }
}

export function invalidProperties(properties: readonly string[], description: string): SetError {
  return new SetError('invalidProperties', description, { properties });
}

/**
 * RFC 8620 section 5.3: where others had done everything before us, nothing is written, and the state is another than the one
 * that was asked for. @throws MethodError 'stateMismatch'
 */
export function requireUntouched(ifInState: string | undefined, writes: number, moved: boolean): void {
  if (ifInState !== undefined && writes === 0 && moved) throw new MethodError('stateMismatch');
}

/** What a write says that was to be done at another state, at a state that the client does not know. */
export function stateMismatch(error: unknown): never {
  throw error instanceof Refusal && error.kind === 'conflict' ? new MethodError('stateMismatch') : error;
}

export function setErrorOf(failure: SetFailure): JsonObject {
  return { ...failure };
}

/**
 * What an error that ends one object of a /set says; what is no expected failure goes on upwards. So does that the server cannot
 * do anything now, unless something has been done already (`isBegun`): an error of the whole method says that nothing has
 * changed (RFC 8620 section 3.6.2), and who believes it does all of it again.
 */
export function setErrorFrom(error: unknown, isBegun = false): JsonObject {
  if (error instanceof SetError) return error.json;
  if (!(error instanceof Refusal)) throw error;
  const description = error.message;
  switch (error.kind) {
    case 'over-quota':
      return { type: 'overQuota', description };
    case 'too-large':
      return { type: 'tooLarge', description };
    case 'limit':
      return { type: 'rateLimit', description };
    case 'not-permitted':
      return { type: 'forbidden', description };
    case 'not-found':
    case 'no-such-message':
      return { type: 'notFound', description };
    case 'bad-input':
      return { type: 'invalidProperties', description };
    case 'unavailable':
    case 'storage-full':
      if (isBegun) return { type: 'serverUnavailable', description };
      throw error;
    default:
      throw error;
  }
}

/** HTTP's own numbers (RFC 9110, RFC 6585) for limits that have one. */
const STATUS: ReadonlyMap<string, number> = new Map([
  ['maxSizeRequest', 413],
  ['maxSizeUpload', 413],
  ['maxConcurrentRequests', 429],
  ['maxConcurrentUpload', 429],
]);

/** Request-level errors (RFC 8620 section 3.6.1); 'unavailable' is none of those, but HTTP's 503. */
export class RequestError extends Error {
  readonly type: 'unknownCapability' | 'notJSON' | 'notRequest' | 'limit' | 'unavailable';
  readonly limit: string | undefined;
  readonly status: number;

  constructor(type: RequestError['type'], detail: string, limit?: string) {
    super(detail);
    this.type = type;
    this.limit = limit;
    this.status = type === 'unavailable' ? 503 : (STATUS.get(limit ?? '') ?? 400);
  }

  toJson(): JsonObject {
    return {
      type: this.type === 'unavailable' ? 'about:blank' : `urn:ietf:params:jmap:error:${this.type}`,
      status: this.status,
      detail: this.message,
      ...(this.limit !== undefined && { limit: this.limit }),
    };
  }
}
