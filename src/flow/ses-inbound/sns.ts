import { createHash, timingSafeEqual } from 'node:crypto';
import { type Fetch, fetchSns } from '../../net/aws/sns-fetch.ts';
import { confirmationUrl } from '../../net/aws/sns-hosts.ts';
import { parseSnsMessage, type SnsMessage } from '../../net/aws/sns-message.ts';
import type { SnsVerifier } from '../../net/aws/sns-signature.ts';
import { AwsError } from '../../net/aws/types.ts';
import { failureText, keepProblem, noteEvent } from './problems.ts';
import { readMessage } from './queued.ts';
import { takeIn } from './take.ts';
import type { DriverState } from './supervise.ts';
import type { IntakeParts, OpenSource } from './types.ts';

/** What the HTTP server answers. SNS tries again after 5xx and after no answer; after 4xx it gives up. */
export type SnsStatus = 200 | 400 | 401 | 403 | 404 | 500 | 503;

/** The part of the endpoint that knows what is meant; the HTTP server knows how it is said. */
export interface SnsReceiver {
  /**
   * Before the body is read: 200 to go on; 401 when credentials are wanted, 404 when nobody here waits for SNS.
   * `login`: "user:password" of the request.
   */
  admit(login: string | undefined): 200 | 401 | 404;
  receive(body: string, login: string | undefined): Promise<SnsStatus>;
  /** How notices of a source fare. */
  state(source: string): DriverState;
}

export interface SnsParts extends IntakeParts {
  readonly verifier: SnsVerifier;
  readonly fetch: Fetch;
  /** All that run, those without topics too. */
  readonly sources: () => readonly OpenSource[];
  readonly maxAgeMs: () => number;
  /** A notice came through after others of that source had not: some may be in its dead-letter queue. */
  readonly recovered: (source: OpenSource) => void;
}

/** Milliseconds until we say that it takes longer: SNS waits for 15 seconds. */
const ANSWER_MS = 12_000;
/** Milliseconds that a notice may be dated ahead of our clock. */
const AHEAD_MS = 15 * 60_000;

export function createSnsReceiver(parts: SnsParts): SnsReceiver {
  /** Sources that were told to come again. */
  const troubled = new Set<string>();
  const states = new Map<string, DriverState>();
  const stateOf = (name: string): DriverState => {
    const state = states.get(name) ?? { okAt: undefined, problem: '' };
    states.set(name, state);
    return state;
  };
  const listening = (): readonly OpenSource[] =>
    parts.sources().filter(({ settings }) => settings.topic_arns.length > 0);

  function answered(source: OpenSource, status: SnsStatus): SnsStatus {
    const { name } = source.settings;
    parts.metrics.notice(name, OUTCOMES[status]);
    const state = stateOf(name);
    if (status === 200) Object.assign(state, { okAt: parts.deps().clock.now(), problem: '' });
    else state.problem = PROBLEMS[status] ?? 'what comes is refused: see the log';
    if (status >= 500) troubled.add(name);
    else if (status === 200 && troubled.delete(name)) parts.recovered(source);
    return status;
  }

  async function receive(body: string, login: string | undefined): Promise<SnsStatus> {
    const message = parseSnsMessage(body);
    if ('problem' in message) return refused(parts, 400, message.problem, '');
    const source = listening().find(({ settings }) => settings.topic_arns.includes(message.topicArn));
    if (source === undefined) return refused(parts, 403, 'its topic is not listed', message.topicArn);
    if (source.basicAuth !== undefined && !sameText(login, source.basicAuth)) return 401;
    const doubt = await doubtful(parts, message);
    if (doubt !== undefined) {
      if (doubt.status === 403) refused(parts, 403, doubt.reason, message.topicArn);
      return answered(source, doubt.status);
    }
    return answered(source, await act(parts, source, message));
  }

  return {
    state: stateOf,
    admit(login) {
      const sources = listening();
      if (sources.length === 0) return 404;
      const secrets = sources.map(({ basicAuth }) => basicAuth);
      if (secrets.includes(undefined)) return 200;
      return secrets.some((secret) => sameText(login, secret)) ? 200 : 401;
    },
    async receive(body, login) {
      try {
        return await receive(body, login);
      } catch (error) {
        parts.deps().logger.error({ error: failureText(error) }, 'intake: a request of SNS failed');
        return 500;
      }
    },
  };
}

const PROBLEMS: Partial<Record<SnsStatus, string>> = {
  500: 'a request failed here: see the log',
  503: 'SNS was told to come again: postern intake list',
};

const OUTCOMES: Readonly<Record<SnsStatus, string>> = {
  200: 'taken',
  400: 'refused',
  401: 'refused',
  403: 'refused',
  404: 'refused',
  500: 'failed',
  503: 'later',
};

/** Takes as long whatever is given. */
function sameText(given: string | undefined, secret: string | undefined): boolean {
  if (given === undefined || secret === undefined) return false;
  return timingSafeEqual(digest(given), digest(secret));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Somebody who is not SNS, or is not ours. Nothing of it is stored: anybody could fill the disk. */
function refused(parts: SnsParts, status: 400 | 403, reason: string, topic: string): SnsStatus {
  const shown = topic.slice(0, 200);
  parts.deps().logger.warn({ reason, topic: shown }, 'intake: a request to the SNS endpoint was refused');
  noteEvent(parts, { what: 'refused', reason, topic: shown });
  return status;
}

/** Why a message is not believed, or not yet. */
async function doubtful(
  { verifier, deps, maxAgeMs }: SnsParts,
  message: SnsMessage,
): Promise<{ readonly status: 403 | 503; readonly reason: string } | undefined> {
  const { clock, logger } = deps();
  const age = clock.now() - message.sentAt;
  if (age > maxAgeMs()) return { status: 403, reason: `it is ${Math.round(age / 60_000)} minutes old` };
  if (age < -AHEAD_MS) return { status: 403, reason: 'it is dated in the future' };
  const signature = await verifier.verify(message);
  if (signature.status === 'valid') return undefined;
  if (signature.status === 'invalid') return { status: 403, reason: signature.reason };
  logger.warn({ reason: signature.reason }, 'intake: a signature of SNS cannot be verified now');
  return { status: 503, reason: signature.reason };
}

async function act(parts: SnsParts, source: OpenSource, message: SnsMessage): Promise<SnsStatus> {
  switch (message.type) {
    case 'SubscriptionConfirmation':
      return confirm(parts, source, message);
    case 'UnsubscribeConfirmation':
      parts
        .deps()
        .logger.warn(
          { topic: message.topicArn },
          'intake: the endpoint was unsubscribed: no more notices of mail come this way',
        );
      noteEvent(parts, { what: 'unsubscribed', source: source.settings.name, topic: message.topicArn });
      return 200;
    case 'Notification':
      return notified(parts, source, message);
  }
}

/** Of a listed topic, whose signature is valid: SNS is asked, at its own host and nowhere else. */
async function confirm(parts: SnsParts, source: OpenSource, message: SnsMessage): Promise<SnsStatus> {
  const { clock, logger } = parts.deps();
  const url = confirmationUrl(message.subscribeUrl ?? '', message.topicArn);
  if (url === undefined) {
    return refused(parts, 403, 'its SubscribeURL is not at the host of SNS', message.topicArn);
  }
  try {
    await fetchSns(parts.fetch, clock, url);
  } catch (error) {
    logger.warn({ topic: message.topicArn, error: failureText(error) }, 'intake: could not subscribe');
    return error instanceof AwsError && error.kind === 'rejected' ? 403 : 503;
  }
  logger.info({ topic: message.topicArn }, `Subscribed to SNS topic '${message.topicArn}'`);
  noteEvent(parts, { what: 'subscribed', source: source.settings.name, topic: message.topicArn });
  return 200;
}

async function notified(parts: SnsParts, listed: OpenSource, message: SnsMessage): Promise<SnsStatus> {
  // One topic may tell of several buckets.
  const candidates = parts.sources().filter(({ settings }) => settings.topic_arns.includes(message.topicArn));
  const read = candidates.map((source) => ({ source, read: readMessage(source, message.message) }));
  const fits = read.find(({ read: each }) => each.kind !== 'problem');
  if (fits?.read.kind === 'greeting') return 200;
  if (fits?.read.kind !== 'mail') {
    if ((await parts.others?.(message.message, message.topicArn)) === true) return 200;
    const first = read[0]?.read;
    const reason = first?.kind === 'problem' ? first.reason : 'it fits no source';
    await keepProblem(parts, listed.settings.name, 'sns', reason, message.message);
    return 200;
  }
  const { notice } = fits.read;
  const { clock } = parts.deps();
  const late = new AbortController();
  const taking = takeIn(parts, fits.source, { key: notice.key, by: 'sns', notice });
  const first = await Promise.race([taking, clock.sleep(ANSWER_MS, late.signal)]).finally(() => late.abort());
  if (first === undefined) {
    // It goes on by itself; when SNS comes again it is done, or waits to be tried again.
    taking.catch((error: unknown) => {
      parts.deps().logger.warn({ key: notice.key, error: failureText(error) }, 'intake: has to wait');
    });
    return 503;
  }
  return first.outcome === 'waiting' ? 503 : 200;
}
