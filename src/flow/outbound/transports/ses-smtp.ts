import { randomBytes } from 'node:crypto';
import { errorText } from '../../../base/errors.ts';
import { fileTrouble, PEM_FILE_BYTES, readSmallFile } from '../../../base/small-file.ts';
import type { LeasedWork, QueueRecipient } from '../../../data/queue/types.ts';
import { chooseMechanism, startClientMechanism } from '../../../mail/sasl/client.ts';
import { foldField } from '../../../mail/message/build.ts';
import { sesSmtpHost, sesSmtpPassword } from '../../../net/aws/ses-smtp-password.ts';
import type { Aws } from '../../../net/aws/types.ts';
import { hostAddresses } from '../../../net/dns/host-addresses.ts';
import type { ClientFailure } from '../../../net/smtp-client/failure.ts';
import { replyText } from '../../../net/smtp-client/reply.ts';
import type { FlowDeps } from '../../deps.ts';
import { ClientPool } from '../pool.ts';
import type { SesSmtpSettings } from '../routing/settings.ts';
import { type Arns, arnsFor } from '../ses-identities.ts';
import { openSesAccess, type SesAccess } from '../ses-account.ts';
import { judgeRefusal, type Judgement, outcomeOf, type SesRefusal, NOT_ASCII } from '../ses-refusals.ts';
import { type Prepared, prepareForSes, sesObjection } from '../ses-senders.ts';
import { type Attempt, forAll, type Outcome, type Transport } from '../transport.ts';
import { sesAddress } from './ses-api.ts';
import { failureOutcome, type Hop, tryHop } from './smtp.ts';

/** Recipients that SES takes in a transaction. */
const RECIPIENTS_MAX = 50;
/** Octets of a message, attachments in their base64. */
const MESSAGE_BYTES = 40 * 1024 * 1024;
const SESSIONS = 16;
/** Transactions again for those whom a refusal was not about. */
const ROUNDS_MAX = 4;

export interface SesSmtpLogin {
  readonly user: string;
  readonly password: string;
}

/** Sending by SES's SMTP endpoint. */
export function createSesSmtp(
  deps: () => FlowDeps,
  name: string,
  settings: SesSmtpSettings,
  options: { readonly aws?: Aws | undefined } = {},
): Transport {
  const { clock, logger } = deps();
  // A password made for SMTP says nothing to the API.
  const ask = settings.smtp_credentials_file === undefined;
  const access = openSesAccess(name, settings, { clock, logger, ask, aws: options.aws });
  const pool = new ClientPool({ clock, perHost: SESSIONS });
  return {
    name,
    kind: 'ses-smtp',
    maxBytes: MESSAGE_BYTES,
    maxRecipients: RECIPIENTS_MAX,
    ...(access.reportsWithinMs !== undefined && { reportsWithinMs: access.reportsWithinMs }),
    objection: (facts) => sesObjection(deps(), access.rules, facts),
    async attempt(work, content, stopping, attempt) {
      const current = deps();
      const hop = await hopOf(current, settings, access.aws);
      if ('reason' in hop) return forAll(work, outcomeOf(hop, `SES ${settings.region}`));
      const add = (envelope: string, author: string): string[] =>
        sesFields(settings, attempt, arnsFor(settings, envelope, author));
      const prepared = await prepareForSes(current, access.rules, work.message, content, add);
      if ('reason' in prepared)
        return forAll(work, outcomeOf({ ...prepared, status: '5.7.1' }, `SES ${settings.region}`));
      const size = prepared.content.size;
      const parts = { deps: current, settings, access, pool, hop, prepared, stopping };
      return attemptAll(parts, { ...work, message: { ...work.message, reversePath: prepared.from, size } });
    },
    async close() {
      await pool.close();
      if (options.aws === undefined) access.aws.close();
    },
  };
}

/** Fields that SES's SMTP endpoint obeys and takes out. */
function sesFields(settings: SesSmtpSettings, attempt: Attempt | undefined, arns: Arns): string[] {
  const tags = { ...settings.tags, ...(attempt !== undefined && { 'postern-attempt': attempt.tag }) };
  const named = Object.entries(tags).map(([tag, value]) => `${tag}=${value}`);
  const fields: [string, string | undefined][] = [
    ['X-SES-CONFIGURATION-SET', settings.configuration_set],
    ['X-SES-MESSAGE-TAGS', named.length === 0 ? undefined : named.join(', ')],
    ['X-SES-SOURCE-ARN', arns.sourceArn],
    ['X-SES-FROM-ARN', arns.fromArn],
    ['X-SES-RETURN-PATH-ARN', arns.returnPathArn],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [foldField(name, value)]));
}

async function hopOf(deps: FlowDeps, settings: SesSmtpSettings, aws: Aws): Promise<Hop | Judgement> {
  const host = settings.host ?? sesSmtpHost(settings.region);
  const addresses = await hostAddresses(deps.dns, host);
  if (typeof addresses === 'string') return { cause: 'network', status: undefined, reason: addresses };
  const { port, tls } = settings;
  let ca: string | undefined;
  try {
    if (settings.ca_file !== undefined)
      ca = (await readSmallFile(settings.ca_file, PEM_FILE_BYTES)).toString('latin1');
  } catch (error) {
    const reason = `the authorities of the transport cannot be read (${errorText(error)})`;
    return { cause: 'auth', status: undefined, reason };
  }
  return {
    host: { name: host, addresses },
    options: {
      protocol: 'smtp',
      tls,
      verify: tls === 'none' ? 'none' : 'pkix',
      port,
      ...(ca !== undefined && { ca }),
    },
    login: async ({ client }) => {
      const login = await sesLogin(settings, aws);
      if (typeof login === 'string') return refusedLogin(login);
      const mechanismName = chooseMechanism(client.capabilities.auth, undefined);
      if (mechanismName === undefined) return refusedLogin('the endpoint offers no login that we know');
      const mechanism = startClientMechanism(mechanismName, {
        login: login.user,
        password: login.password,
        channelBinding: undefined,
        random: randomBytes,
      });
      const outcome = await client.authenticate(mechanism);
      if (outcome.status === 'accepted') return undefined;
      if (outcome.status === 'broken') return outcome.failure;
      return refusedLogin(outcome.status === 'refused' ? replyText(outcome.reply) : outcome.reason);
    },
  };
}

function refusedLogin(reason: string): ClientFailure {
  return { phase: 'auth', kind: 'refused', reason };
}

/** User and password, read when they are needed; or why there are none. */
export async function sesLogin(settings: SesSmtpSettings, aws: Aws): Promise<SesSmtpLogin | string> {
  const file = settings.smtp_credentials_file;
  try {
    if (file === undefined) {
      const keys = await aws.keys();
      if (keys.sessionToken !== undefined)
        return 'SMTP passwords are made from the long-term key of an IAM user, and these credentials are temporary (a role, SSO, an instance): use the transport "ses-api", or give "smtp_credentials_file"';
      return { user: keys.accessKeyId, password: sesSmtpPassword(keys.secretAccessKey, settings.region) };
    }
    const text = (await readSmallFile(file)).toString('utf8').trim();
    const colon = text.indexOf(':');
    if (colon < 1 || text.includes('\n')) return `${file} does not hold "user:password" in one line`;
    return { user: text.slice(0, colon), password: text.slice(colon + 1) };
  } catch (error) {
    return `no credentials for SES: ${file === undefined ? errorText(error) : `${file}: ${fileTrouble(error)}`}`;
  }
}

interface Parts {
  readonly deps: FlowDeps;
  readonly settings: SesSmtpSettings;
  readonly access: SesAccess;
  readonly pool: ClientPool;
  readonly hop: Hop;
  readonly prepared: Prepared;
  readonly stopping: AbortSignal;
}

async function attemptAll(parts: Parts, work: LeasedWork): Promise<ReadonlyMap<number, Outcome>> {
  const outcomes = new Map<number, Outcome>();
  const host = `SES ${parts.settings.region}`;
  const able: QueueRecipient[] = [];
  for (const recipient of work.recipients) {
    if (sesAddress(recipient.address) !== undefined) able.push(recipient);
    else outcomes.set(recipient.id, outcomeOf(NOT_ASCII, host));
  }
  for (let at = 0; at < able.length; at += RECIPIENTS_MAX) {
    let left: readonly QueueRecipient[] = able.slice(at, at + RECIPIENTS_MAX);
    for (let round = 0; round < ROUNDS_MAX && left.length > 0; round++) {
      const turn = await parts.access.limits.take(left.length, parts.stopping);
      if (turn === 'stopped') return outcomes;
      if (turn !== 'go') {
        const outcome = outcomeOf({ ...turn, status: undefined }, host, turn.pauseMs);
        for (const { id } of left) outcomes.set(id, outcome);
        break;
      }
      const again = await oneTransaction(parts, work, left, outcomes);
      if (again === 'stopped') return outcomes;
      left = round + 1 < ROUNDS_MAX ? again : [];
    }
  }
  return outcomes;
}

/** Fills in outcomes; answers those whom a refusal was not about, who may be tried again at once. */
async function oneTransaction(
  parts: Parts,
  work: LeasedWork,
  recipients: readonly QueueRecipient[],
  outcomes: Map<number, Outcome>,
): Promise<readonly QueueRecipient[] | 'stopped'> {
  const { deps, pool, hop, prepared, stopping, access } = parts;
  const parcel = { work: { ...work, recipients }, content: prepared.content, stopping };
  const result = await tryHop(deps, pool, hop, parcel, recipients);
  const again: QueueRecipient[] = [];
  let sent = 0;
  for (const recipient of recipients) {
    const outcome = result.outcomes.get(recipient.id);
    if (outcome === undefined) continue;
    if (outcome.outcome === 'delivered') sent++;
    const { told, only } = translated(parts, outcome, recipients);
    if (only !== undefined && !only.includes(recipient.address.toLowerCase())) again.push(recipient);
    outcomes.set(recipient.id, told);
  }
  access.limits.sent(sent);
  if (result.stopped) return 'stopped';
  const failure = failureTold(parts, result.failure, result.hostText);
  for (const { id } of result.untried) outcomes.set(id, failure);
  return again;
}

/** What SES meant by its reply. */
function translated(
  parts: Parts,
  outcome: Outcome,
  recipients: readonly QueueRecipient[],
): { told: Outcome; only?: readonly string[] | undefined } {
  const host = outcome.host ?? `SES ${parts.settings.region}`;
  if (outcome.outcome === 'delivered') {
    const remoteId = /^250 (?:\d\.\d\.\d )?Ok:? ([\w-]{10,200})$/i.exec(outcome.reply)?.[1];
    return { told: { ...outcome, success: 'relayed', ...(remoteId !== undefined && { remoteId }) } };
  }
  if (outcome.answered !== true || (outcome.outcome === 'deferred' && outcome.lostReply))
    return { told: outcome };
  const judgement = judged(parts, refusalOf(outcome.reply), recipients);
  return { told: outcomeOf(judgement, host, pauseFor(parts, judgement)), only: judgement.only };
}

function judged(parts: Parts, refusal: SesRefusal, recipients: readonly QueueRecipient[]): Judgement {
  const { settings, access, prepared } = parts;
  const judgement = judgeRefusal(refusal, {
    region: settings.region,
    sandbox: access.limits.account()?.production === false,
    senders: prepared.senders,
    recipients: recipients.map(({ address }) => address),
    configurationSet: settings.configuration_set,
  });
  if (judgement.cause === 'sender') access.rules.identities.doubt();
  return judgement;
}

/** "454 4.7.0 Throttling failure: ..." without its codes. */
function refusalOf(reply: string): SesRefusal {
  const [, code = '', text = reply] = /^(\d{3})(?: \d\.\d{1,3}\.\d{1,3})? ?(.*)$/s.exec(reply) ?? [];
  const kind = ['530', '534', '535'].includes(code) ? 'auth' : code.startsWith('4') ? 'server' : 'rejected';
  // RFC 5321 4.5.3.1.10 aside, 552 is "too large" wherever SES says it.
  const words = code === '552' ? `message is too long: ${text}` : text;
  return { code: undefined, text: words, kind };
}

function pauseFor({ access }: Parts, { cause }: Judgement): number | undefined {
  if (cause === 'rate') return access.limits.throttled();
  return cause === 'quota' ? access.limits.usedUp() : undefined;
}

/** The outcome of those who were not reached. */
function failureTold(parts: Parts, failure: ClientFailure | undefined, hostText: string): Outcome {
  if (failure === undefined) return failureOutcome(failure, hostText);
  if (failure.phase === 'auth' && failure.kind === 'refused') {
    // "454 Temporary authentication failure" passes; "535 Authentication Credentials Invalid" is ours to mend.
    const reason = `login at SES in ${parts.settings.region} failed: ${failure.reason}`;
    return outcomeOf({ cause: 'auth', status: undefined, reason }, hostText);
  }
  const reply = failure.reply;
  if (reply !== undefined && failure.phase !== 'after-data') {
    const judgement = judged(parts, refusalOf(replyText(reply)), []);
    // A session that was refused says nothing of the message.
    return outcomeOf({ ...judgement, status: undefined }, hostText, pauseFor(parts, judgement));
  }
  return { ...failureOutcome(failure, hostText), cause: failure.phase === 'tls' ? 'tls' : 'network' };
}
