/** Prefix of the error types of RFC 8555 section 6.7. */
const ACME_ERROR = 'urn:ietf:params:acme:error:';
/** Characters of an authority's words that are kept. */
const DETAIL_LENGTH = 500;

/** A problem document (RFC 7807), as far as ACME uses it. */
export interface Problem {
  readonly type?: unknown;
  readonly detail?: unknown;
  readonly subproblems?: unknown;
}

/** The authority did not do as it was asked, or could not be asked. The message is for a person. */
export class AcmeFailure extends Error {
  override readonly name = 'AcmeFailure';
  /** "rateLimited", "badNonce", ... of RFC 8555 section 6.7; 'unreachable' or 'malformedAnswer' where none was said. */
  readonly type: string;
  /** Milliseconds until it may be asked again, where it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(type: string, message: string, retryAfterMs?: number) {
    super(message);
    this.type = type;
    this.retryAfterMs = retryAfterMs;
  }
}

/** From the answer to a request: its problem document in words, or its status. */
export function failureOf(status: number, body: unknown, retryAfterMs: number | undefined): AcmeFailure {
  const problem: Problem = typeof body === 'object' && body !== null ? body : {};
  const type = typeof problem.type === 'string' ? problem.type : '';
  const name = type.startsWith(ACME_ERROR) ? type.slice(ACME_ERROR.length) : `http${status}`;
  return new AcmeFailure(
    plain(name).slice(0, 60),
    problemText(problem) || `HTTP status ${status}`,
    retryAfterMs,
  );
}

/** What a problem says, with what it says of single names. */
export function problemText(problem: Problem): string {
  const detail = typeof problem.detail === 'string' ? problem.detail : '';
  const subs = Array.isArray(problem.subproblems) ? problem.subproblems.slice(0, 5) : [];
  const more = subs.flatMap((sub: unknown) => {
    if (typeof sub !== 'object' || sub === null || !('detail' in sub)) return [];
    return typeof sub.detail === 'string' && !detail.includes(sub.detail) ? [sub.detail] : [];
  });
  return plain([detail, ...more].filter((text) => text !== '').join('; ')).slice(0, DETAIL_LENGTH);
}

/** Controls would do something to a terminal instead of showing something. */
// oxlint-disable-next-line no-control-regex -- controls are what it looks for
const CONTROLS = /[\x00-\x1f\x7f-\x9f]+/g;

/** On one line, without controls. */
function plain(text: string): string {
  return text.toWellFormed().replaceAll(CONTROLS, ' ').trim();
}
