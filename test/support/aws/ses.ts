import type { Core } from './internal.ts';
import { ServiceError } from './internal.ts';
import { createEvents, type SesEvents } from './ses-events.ts';
import { createInbound, type Inbound } from './ses-inbound.ts';
import {
  addressesIn,
  fieldOf,
  outboundMessageId,
  type ParsedMessage,
  parseMessage,
  rewritten,
} from './ses-message.ts';
import type { Sns } from './sns.ts';
import type { Sqs } from './sqs.ts';
import type { EventDestination, S3Control, SesControl, SesSent, SesSettings } from './types.ts';

/** One call of SendEmail or SendRawEmail, its members in our names. */
export interface SesCall {
  readonly api: 1 | 2;
  /** Undefined: the From field. */
  readonly from: string | undefined;
  /** Empty: To, Cc and Bcc of the message. */
  readonly recipients: readonly string[];
  readonly raw: Buffer;
  readonly configurationSet: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
  readonly sourceArn: string | undefined;
  readonly fromArn: string | undefined;
  readonly returnPathArn: string | undefined;
}

export interface Ses {
  readonly settings: Settings;
  /** Name -> verified. */
  readonly identities: Map<string, boolean>;
  readonly configurationSets: Map<string, EventDestination[]>;
  readonly inbound: Inbound;
  send(call: SesCall): SesSent;
  readonly control: SesControl;
}

type Settings = { -readonly [Name in keyof Omit<SesSettings, 'identities'>]: SesSettings[Name] };

const MAX_RECIPIENTS = 50;
const MAX_OCTETS = { 1: 10 * 1024 * 1024, 2: 40 * 1024 * 1024 } as const;

export function createSes(core: Core, parts: { sqs: Sqs; sns: Sns; s3: S3Control }): Ses {
  const { identities: verified = [], ...given } = core.options.ses ?? {};
  const settings: Settings = {
    production: true,
    sendingEnabled: true,
    enforcement: 'HEALTHY',
    maxSendRate: Infinity,
    max24HourSend: 50_000,
    sentLast24Hours: 0,
    latencyMs: 0,
    ...given,
  };
  const identities = new Map(verified.map((name) => [name.toLowerCase(), true]));
  const configurationSets = new Map<string, EventDestination[]>();
  const sent: SesSent[] = [];
  const events = createEvents(core, {
    ...parts,
    configurationSets,
    sent,
    latencyMs: () => settings.latencyMs,
  });
  const inbound = createInbound(core, parts);
  const allowance = createAllowance(settings);
  const send = (call: SesCall): SesSent => {
    const message = parseMessage(call.raw);
    const from = call.from ?? fieldOf(message, 'From') ?? '';
    const recipients = call.recipients.length > 0 ? call.recipients : headerRecipients(message);
    const configurationSet = call.configurationSet ?? fieldOf(message, 'X-SES-CONFIGURATION-SET');
    const tags = { ...headerTags(message), ...call.tags };
    checkShape(call, message, recipients);
    checkAccount(call.api, settings);
    if (configurationSet !== undefined && !configurationSets.has(configurationSet)) {
      throw noConfigurationSet(call.api, configurationSet);
    }
    checkIdentities(core, { ...call, from, recipients }, message, settings, identities);
    allowance(call.api, recipients.length);
    const now = Date.now();
    const messageId = outboundMessageId(now);
    const keep = core.options.keepRaw !== false;
    const record: SesSent = {
      messageId,
      api: call.api,
      from: addressesIn(from)[0] ?? from,
      recipients: recipients.map((each) => addressesIn(each)[0] ?? each),
      raw: keep ? call.raw : Buffer.alloc(0),
      size: call.raw.length,
      delivered: keep ? rewritten(message, messageId, core.region, now) : Buffer.alloc(0),
      configurationSet,
      tags,
      sourceArn: call.sourceArn,
      fromArn: call.fromArn,
      returnPathArn: call.returnPathArn,
      at: now,
    };
    sent.push(record);
    events.sent(record, message);
    return record;
  };
  const control = createControl({ settings, identities, configurationSets, sent, events, inbound });
  return { settings, identities, configurationSets, inbound, send, control };
}

function createControl(parts: {
  settings: Settings;
  identities: Map<string, boolean>;
  configurationSets: Map<string, EventDestination[]>;
  sent: SesSent[];
  events: SesEvents;
  inbound: Inbound;
}): SesControl {
  const { settings, identities, configurationSets, sent, events, inbound } = parts;
  const control = {
    sent,
    verify: (identity: string) => void identities.set(identity.toLowerCase(), true),
    unverify: (identity: string) => void identities.set(identity.toLowerCase(), false),
    createConfigurationSet: (name: string, destinations: readonly EventDestination[] = []) =>
      void configurationSets.set(name, [...destinations]),
    ...events.control,
    ...inbound.control,
  };
  // The settings are read and written through, so that a test says `aws.ses.production = false`.
  for (const name of Object.keys(settings) as (keyof Settings)[]) {
    Object.defineProperty(control, name, {
      enumerable: true,
      get: () => settings[name],
      set(value: never) {
        settings[name] = value;
      },
    });
  }
  Object.defineProperty(control, 'activeRuleSet', {
    enumerable: true,
    get: () => inbound.active.name,
    set(name: string | undefined) {
      inbound.active.name = name;
    },
  });
  return control as unknown as SesControl;
}

export function rejected(message: string): ServiceError {
  return new ServiceError(400, 'MessageRejected', message);
}

function invalid(api: 1 | 2, message: string): ServiceError {
  return new ServiceError(400, api === 1 ? 'InvalidParameterValue' : 'BadRequestException', message);
}

function noConfigurationSet(api: 1 | 2, name: string): ServiceError {
  const message = `Configuration set <${name}> does not exist.`;
  return api === 1
    ? new ServiceError(400, 'ConfigurationSetDoesNotExist', message)
    : new ServiceError(404, 'NotFoundException', message);
}

function checkShape(call: SesCall, message: ParsedMessage, recipients: readonly string[]): void {
  const max = MAX_OCTETS[call.api];
  if (call.raw.length > max) {
    throw invalid(call.api, `Message length is more than ${max} bytes long: '${call.raw.length}'.`);
  }
  if (recipients.length === 0) throw invalid(call.api, 'No recipients specified');
  if (recipients.length > MAX_RECIPIENTS)
    throw invalid(call.api, `Recipient count exceeds ${MAX_RECIPIENTS}.`);
  for (const recipient of recipients) {
    const address = addressesIn(recipient)[0] ?? '';
    if (!/^[!-?A-~]+@[!-?A-~]+$/.test(address))
      throw invalid(call.api, 'Local address contains control or whitespace');
    if (!address.slice(address.lastIndexOf('@')).includes('.'))
      throw invalid(call.api, "Missing final '@domain'");
  }
  if (message.fields.length === 0 || fieldOf(message, 'From') === undefined) {
    throw invalid(call.api, "Missing required header 'From'.");
  }
  for (const name of ['From', 'To', 'Cc', 'Bcc', 'Date', 'Subject', 'Message-ID', 'Sender', 'Reply-To']) {
    const count = message.fields.filter((field) => field.name.toLowerCase() === name.toLowerCase()).length;
    if (count > 1) throw invalid(call.api, `Duplicate header '${name}'.`);
  }
  const long = message.fields.find(({ octets }) => octets.split('\n').some((line) => line.length > 999));
  if (long !== undefined) throw invalid(call.api, `Header ${long.name} has a line of more than 998 octets`);
}

function checkAccount(api: 1 | 2, settings: Settings): void {
  if (settings.enforcement === 'SHUTDOWN') {
    throw api === 1
      ? rejected(
          'Sending suspended for this account. For more information, please check the inbox of the email address associated with your AWS account.',
        )
      : new ServiceError(400, 'AccountSuspendedException', 'Sending suspended for this account.');
  }
  if (settings.sendingEnabled) return;
  throw api === 1
    ? new ServiceError(400, 'AccountSendingPausedException', 'Email sending is disabled for your account.')
    : new ServiceError(400, 'SendingPausedException', 'Email sending is disabled for your account.');
}

/** Header From, Sender, Return-Path and envelope sender must be ours; in the sandbox the recipients too. */
function checkIdentities(
  core: Core,
  call: SesCall & { readonly from: string },
  message: ParsedMessage,
  settings: Settings,
  identities: ReadonlyMap<string, boolean>,
): void {
  const failed = new Set<string>();
  const check = (field: string | undefined, arn: string | undefined): void => {
    for (const address of addressesIn(field ?? '')) {
      const fine =
        arn === undefined ? isVerified(address, identities) : isAuthorized(core, address, arn, identities);
      if (!fine) failed.add(address);
    }
  };
  check(call.from, call.sourceArn ?? call.fromArn);
  check(fieldOf(message, 'From'), call.fromArn ?? call.sourceArn);
  check(fieldOf(message, 'Sender'), call.fromArn ?? call.sourceArn);
  check(fieldOf(message, 'Return-Path'), call.returnPathArn ?? call.sourceArn);
  if (addressesIn(call.from).length === 0) throw invalid(call.api, "Missing final '@domain'");
  if (!settings.production) {
    for (const recipient of call.recipients) {
      if (!recipient.toLowerCase().endsWith('@simulator.amazonses.com')) check(recipient, undefined);
    }
  }
  if (failed.size > 0) {
    throw rejected(
      `Email address is not verified. The following identities failed the check in region ${core.region.toUpperCase()}: ${[...failed].join(', ')}`,
    );
  }
}

/** The address itself, or its domain or one above it. */
export function isVerified(address: string, identities: ReadonlyMap<string, boolean>): boolean {
  const lower = address.toLowerCase();
  if (identities.get(lower) === true) return true;
  const labels = lower.slice(lower.lastIndexOf('@') + 1).split('.');
  return labels.some((_, index) => identities.get(labels.slice(index).join('.')) === true);
}

/** Sending authorization: the identity of the ARN covers the address; another account's is taken as authorized. */
function isAuthorized(
  core: Core,
  address: string,
  arn: string,
  identities: ReadonlyMap<string, boolean>,
): boolean {
  const match = /^arn:aws:ses:[^:]*:(\d{12}):identity\/(.+)$/.exec(arn);
  const [, account, name = ''] = match ?? [];
  if (match === null) throw new ServiceError(400, 'InvalidParameterValue', `${arn} is not an identity's ARN`);
  const theirs = account === core.accountId ? identities : new Map([[name.toLowerCase(), true]]);
  return isVerified(address, new Map([[name.toLowerCase(), theirs.get(name.toLowerCase()) === true]]));
}

function headerRecipients(message: ParsedMessage): string[] {
  return ['To', 'Cc', 'Bcc'].flatMap((name) => addressesIn(fieldOf(message, name) ?? ''));
}

function headerTags(message: ParsedMessage): Record<string, string> {
  const tags = (fieldOf(message, 'X-SES-MESSAGE-TAGS') ?? '').split(',').map((tag) => tag.trim().split('='));
  return Object.fromEntries(tags.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/** Rate and quota: a call goes through while anything is left, whatever it takes (so says SES of its buckets). */
function createAllowance(settings: Settings): (api: 1 | 2, recipients: number) => void {
  let tokens: number | undefined;
  let filledAt = Date.now();
  return (api, recipients) => {
    const limit = settings.max24HourSend;
    if (limit >= 0 && settings.sentLast24Hours >= limit)
      throw throttled(api, 'Daily message quota exceeded.');
    const rate = settings.maxSendRate;
    if (rate !== Infinity) {
      const now = Date.now();
      const most = Math.max(1, rate);
      tokens = Math.min(most, (tokens ?? most) + ((now - filledAt) / 1000) * rate);
      filledAt = now;
      if (tokens < 1) throw throttled(api, 'Maximum sending rate exceeded.');
      tokens -= recipients;
    }
    settings.sentLast24Hours += recipients;
  };
}

function throttled(api: 1 | 2, message: string): ServiceError {
  return api === 1
    ? new ServiceError(400, 'Throttling', message)
    : new ServiceError(429, 'TooManyRequestsException', message);
}
