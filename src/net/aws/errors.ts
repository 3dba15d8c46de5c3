import { AwsError, type AwsErrorKind } from './types.ts';
import { NoAnswer } from './http.ts';

/** Names that Amazon's services have for "slower, please". */
const THROTTLED: ReadonlySet<string> = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'RequestThrottled',
  'RequestThrottledException',
  'TooManyRequestsException',
  'RequestLimitExceeded',
  'BandwidthLimitExceeded',
  'SlowDown',
  'OverLimit',
  'AWS.SimpleQueueService.OverLimit',
  'KmsThrottled',
]);

const AUTH: ReadonlySet<string> = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'NotAuthorized',
  'UnauthorizedAccess',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidSignatureException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidToken',
  'TokenRefreshRequired',
  'RequestExpired',
  'RequestTimeTooSkewed',
  'OptInRequired',
  'AllAccessDisabled',
  'KMS.AccessDeniedException',
]);

const MISSING: ReadonlySet<string> = new Set([
  'NoSuchKey',
  'NoSuchBucket',
  'NotFound',
  'NotFoundException',
  'QueueDoesNotExist',
  'AWS.SimpleQueueService.NonExistentQueue',
  'ConfigurationSetDoesNotExist',
  'ConfigurationSetDoesNotExistException',
]);

/** Names under which the request was not looked at for lack of time or of health. */
const SERVER: ReadonlySet<string> = new Set([
  'InternalFailure',
  'InternalError',
  'InternalServerError',
  'InternalServiceErrorException',
  'ServiceUnavailable',
  'RequestTimeout',
  'RequestTimeoutException',
]);

/** What the SDK's exceptions have of what we ask. */
interface SdkFacts {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
  readonly hidden: NoAnswer | undefined;
}

/**
 * Any failure of a call as an AwsError. `what` names the call for a person ("SES SendEmail"). `effect`: the call does
 * something that must not be done twice, so an answer from a machine in between leaves it unsure.
 */
export function toAwsError(error: unknown, what: string, options: { effect?: boolean } = {}): AwsError {
  if (error instanceof AwsError) return error;
  const facts = factsOf(error);
  if (facts.hidden !== undefined) {
    const { left, code, message } = facts.hidden;
    const text = left
      ? `${what}: the request was sent, but no answer came (${message})`
      : `${what}: the service could not be reached (${message})`;
    return new AwsError(left ? 'unsure' : 'network', text, { code, cause: error });
  }
  const kind = kindOf(facts, options.effect === true);
  const name = facts.name === '' || facts.message.includes(facts.name) ? '' : ` (${facts.name})`;
  return new AwsError(kind, `${what}: ${oneLine(facts.message || 'no reason given')}${name}`, {
    code: facts.name || undefined,
    requestId: facts.requestId,
    cause: error,
  });
}

/** What a call answers; whatever it throws is an AwsError that names it (or the permission it needs). */
export async function told<T>(what: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw toAwsError(error, what);
  }
}

/** How what was thrown while credentials were looked for is told. Nothing of the call itself had been sent then. */
export function toCredentialsError(error: unknown, hint: string): AwsError {
  if (error instanceof AwsError) return error;
  const facts = factsOf(error);
  if (facts.hidden !== undefined || isNetworkCode(error))
    return new AwsError('network', `AWS credentials could not be fetched: ${oneLine(facts.message)}`, {
      cause: error,
    });
  const known = facts.status === undefined ? 'auth' : kindOf(facts, false);
  const kind = known === 'rejected' || known === 'missing' ? 'auth' : known;
  const text = `no AWS credentials: ${oneLine(facts.message)}${hint === '' ? '' : `; ${hint}`}`;
  return new AwsError(kind, text, { code: facts.name || undefined, cause: error });
}

function isNetworkCode(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    /^(?:ECONN|ETIMEDOUT|EPIPE|EHOST|ENET|ENOTFOUND|EAI_)/.test(error.code)
  );
}

function kindOf({ name, message, status }: SdkFacts, effect: boolean): AwsErrorKind {
  // They said yes, in words that nobody understands.
  if (status !== undefined && status >= 200 && status < 300) return effect ? 'unsure' : 'server';
  // SES says "Throttling" for both; the day's allowance frees up in hours, the rate in a second.
  if (/daily (?:message|sending) quota|24.?hour (?:send|quota)/i.test(message)) return 'quota';
  if (THROTTLED.has(name) || status === 429) return 'throttled';
  if (AUTH.has(name)) return 'auth';
  if (MISSING.has(name)) return 'missing';
  // A machine in between gave up on the service: what that did nobody knows.
  if (effect && (status === 502 || status === 504)) return 'unsure';
  if (SERVER.has(name) || (status !== undefined && status >= 500)) return 'server';
  if (status === 401) return 'auth';
  if (/^(?:CredentialsProvider|TokenProvider|Provider)Error$/.test(name)) return 'auth';
  // No answer of theirs at all: a fault on our side, which says nothing of the request.
  return status === undefined ? 'server' : 'rejected';
}

function factsOf(error: unknown): SdkFacts {
  if (!(error instanceof Error))
    return { name: '', message: String(error), status: undefined, requestId: undefined, hidden: undefined };
  const metadata =
    '$metadata' in error ? (error.$metadata as Record<string, unknown> | undefined) : undefined;
  const code = 'Code' in error && typeof error.Code === 'string' ? error.Code : undefined;
  const name = error.name === 'Error' || error.name === 'Unknown' ? (code ?? '') : error.name;
  const status = metadata?.['httpStatusCode'];
  const requestId = metadata?.['requestId'];
  return {
    name,
    message: error.message === 'UnknownError' ? '' : error.message,
    status: typeof status === 'number' ? status : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
    hidden: error instanceof NoAnswer ? error : error.cause instanceof NoAnswer ? error.cause : undefined,
  };
}

/** Fit for a log line and an SMTP reply: one line, printable, not endless. */
function oneLine(text: string): string {
  return text
    .slice(0, 600)
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim();
}
