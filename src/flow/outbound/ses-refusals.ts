import type { Cause, Outcome } from './transport.ts';

/**
 * What SES means when it refuses, told from its words: the API's and the SMTP endpoint's are the same ("Amazon SES email
 * sending errors" in its developer guide). Each is answered by a sentence that says what to do.
 */

/** A refusal as it came, by API or SMTP. */
export interface SesRefusal {
  /** Amazon's name for it, where the way has one: "MessageRejected". */
  readonly code: string | undefined;
  readonly text: string;
  /** What is plain from code or status alone. */
  readonly kind: 'throttled' | 'quota' | 'server' | 'auth' | 'missing' | 'rejected';
}

export interface RefusalContext {
  readonly region: string;
  /** True: the account is known to be in the sandbox. */
  readonly sandbox: boolean;
  /** Addresses of From and Sender and the envelope sender, lower case. */
  readonly senders: readonly string[];
  readonly recipients: readonly string[];
  readonly configurationSet: string | undefined;
}

/** What follows from a refusal. `only`: the recipients it speaks of, lower case; undefined: all. */
export interface Judgement {
  readonly cause: Cause;
  /** Undefined: temporary. */
  readonly status: string | undefined;
  readonly reason: string;
  /** See `Outcome`. */
  readonly advice?: string | undefined;
  readonly only?: readonly string[];
}

/** Advice for whoever has routes, to stand behind the reason. */
export const OR_ADD_A_WAY = 'or add another way ("postern transport")';
export const OR_ROUTE_AROUND = 'or give such mail another way ("postern route")';

/** SES does not know SMTPUTF8: local parts are ASCII. */
export const NOT_ASCII: Judgement = {
  cause: 'sender',
  status: '5.6.7',
  reason: 'SES takes no address with letters beyond ASCII before the "@"',
  advice: 'give such mail another way ("postern route")',
};

/** A list that SES did not tell to its end; its name for the error may stand behind. */
const CUT_SHORT = /\.\.\. ?(?:\(\w+\))?$/;
/** Units of what SES said that are repeated. */
const SAID_MAX = 300;

interface Rule {
  readonly codes?: ReadonlySet<string>;
  readonly words?: RegExp;
  /** `said` is short enough to be repeated, `text` is all of it. */
  judge(context: RefusalContext, said: string, text: string): Judgement;
}

const RULES: readonly Rule[] = [
  {
    words:
      /address(?:es)? (?:is|are) not verified|failed the check in region|domain is not verified for sending/i,
    judge: notVerified,
  },
  {
    codes: new Set(['MailFromDomainNotVerified', 'MailFromDomainNotVerifiedException']),
    words: /mail from domain is not verified/i,
    judge: ({ region }) =>
      later(
        'sender',
        `SES in ${region} cannot use the custom MAIL FROM domain: its MX record is missing; publish it as "Custom MAIL FROM domain" of the identity shows it, or take the domain out there`,
      ),
  },
  {
    codes: new Set(['ConfigurationSetDoesNotExist', 'ConfigurationSetDoesNotExistException']),
    words: /configuration set .{0,100}(?:does not|doesn't) exist/i,
    judge: ({ region, configurationSet }) =>
      later(
        'ours',
        `SES in ${region} has no configuration set "${configurationSet ?? ''}"; create it there, or take "configuration_set" out of the transport`,
      ),
  },
  {
    codes: new Set(['ConfigurationSetSendingPausedException']),
    words: /sending (?:is )?(?:paused|disabled) for (?:the )?configuration set/i,
    judge: ({ region, configurationSet }) =>
      later(
        'ours',
        `sending is paused for the configuration set "${configurationSet ?? ''}" in ${region}; enable it in the SES console`,
      ),
  },
  {
    codes: new Set(['AccountSendingPausedException', 'SendingPausedException', 'AccountSuspendedException']),
    words:
      /sending (?:is )?paused|account is (?:paused|suspended|shut ?down)|under (?:investigation|review)/i,
    judge: ({ region }) =>
      later(
        'auth',
        `SES in ${region} lets this account send nothing at present; see "Account dashboard" in the SES console and the notice AWS has sent`,
        OR_ADD_A_WAY,
      ),
  },
  {
    words: /daily (?:message|sending) quota|24.?hour (?:send|quota)/i,
    judge: ({ region }) =>
      later(
        'quota',
        `the recipients that SES in ${region} allows in 24 hours are used up; ask AWS for a higher sending quota`,
        OR_ADD_A_WAY,
      ),
  },
  {
    words:
      /maximum (?:sigv2 smtp )?sending rate|throttl|rate exceeded|too many concurrent|too many requests/i,
    judge: ({ region }) => later('rate', `SES in ${region} asks us to send more slowly`),
  },
  {
    codes: new Set(['LimitExceededException', 'LimitExceeded']),
    judge: ({ region }, said) =>
      later('quota', `SES in ${region}: a limit of the account is reached (${said})`),
  },
  {
    words: /not authori[sz]ed to perform|access ?denied/i,
    judge: ({ region }, said) =>
      later(
        'auth',
        `AWS does not let us send in ${region}: the IAM policy needs ses:SendEmail and ses:SendRawEmail for this identity (${said})`,
      ),
  },
  {
    words: /credentials invalid|authentication (?:required|failed|credentials)|not subscribed to ses/i,
    judge: ({ region }, said) =>
      later(
        'auth',
        `SES in ${region} does not take our credentials; SMTP passwords are made for one region and from a long-term key ("postern ses smtp-credentials") (${said})`,
      ),
  },
  {
    words: /black ?list|suppress/i,
    judge: (_, said) =>
      gone('recipient', '5.1.1', `SES does not send to this address after earlier bounces: ${said}`),
  },
  {
    words:
      /invalid (?:email )?address|illegal address|local address contains|(?:local|domain) (?:part |name )?(?:contains|starts with|ends with)|missing (?:final|local|domain|'@')|invalid (?:domain|recipient)|non-ascii characters in the email/i,
    judge: invalidAddress,
  },
  {
    words:
      /message (?:length|is too long|is larger|too large)|exceeds .{0,40}(?:size|length|limit)|maximum message size|entity ?too ?large/i,
    judge: (_, said) => gone('size', '5.3.4', `the message is too large for SES: ${said}`),
  },
  {
    words: /virus|malware/i,
    judge: (_, said) => gone('content', '5.7.1', `SES has refused the message for what it holds: ${said}`),
  },
  {
    codes: new Set([
      'InvalidParameterValue',
      'BadRequestException',
      'ValidationError',
      'ValidationException',
      'InvalidParameterException',
    ]),
    words: /header|transaction failed|invalid mime|content-?type|illegal/i,
    judge: (_, said) => gone('message', '5.6.0', `SES cannot send the message as it is: ${said}`),
  },
];

/** What SES means. */
export function judgeRefusal(refusal: SesRefusal, context: RefusalContext): Judgement {
  const said = refusal.text.slice(0, SAID_MAX);
  const { kind, code } = refusal;
  const named = RULES.find(({ codes }) => code !== undefined && codes?.has(code) === true && !isWide(code));
  const rule = named ?? RULES.find(({ words }) => words?.test(refusal.text) === true);
  if (rule !== undefined) return rule.judge(context, said, refusal.text);
  const wide = RULES.find(({ codes }) => code !== undefined && codes?.has(code) === true);
  if (kind === 'throttled') return later('rate', `SES in ${context.region} asks us to send more slowly`);
  if (kind === 'quota') return later('quota', said);
  if (kind === 'server') return later('network', `SES in ${context.region} has trouble of its own (${said})`);
  if (kind === 'auth') return later('auth', said);
  if (wide !== undefined) return wide.judge(context, said, refusal.text);
  if (kind === 'missing') return later('ours', said);
  return gone('policy', '5.7.1', `SES has refused the message: ${said}`);
}

/** Names that stand for anything: the words tell more. */
function isWide(code: string): boolean {
  return /^(?:InvalidParameter|BadRequest|Validation|LimitExceeded)/.test(code);
}

function later(cause: Cause, reason: string, advice?: string): Judgement {
  return { cause, status: undefined, reason, advice };
}

function gone(cause: Cause, status: string, reason: string, advice?: string): Judgement {
  return { cause, status, reason, advice };
}

/** "…The following identities failed the check in region EU-WEST-1: a@example.org, b@example.net..." */
function notVerified(context: RefusalContext, _said: string, text: string): Judgement {
  const { region, senders, recipients, sandbox } = context;
  const listed = /region [\w-]+: ?([^\n]{1,4000})/i.exec(text)?.[1] ?? '';
  const failing = listed
    .split(/[,\s]+/)
    .map((each) => addressIn(each))
    .filter((each) => each !== '');
  const refusedSenders = failing.filter((each) => senders.some((sender) => isOrIsIn(sender, each)));
  const refusedRecipients = recipients.filter((each) => failing.includes(each.toLowerCase()));
  // A list that was cut short ends in "...": then the senders may be among those left out.
  if (refusedSenders.length === 0 && (refusedRecipients.length > 0 || (sandbox && failing.length > 0))) {
    const many = refusedRecipients.length > 0 ? refusedRecipients : recipients;
    const whom = many.slice(0, 3).join(', ');
    return {
      ...gone(
        'sender',
        '5.7.1',
        `SES in ${region} is still in the sandbox: it sends to verified addresses only; ask for production access (SES console, "Account dashboard"), verify ${whom} there`,
        OR_ADD_A_WAY,
      ),
      ...(!CUT_SHORT.test(text) && refusedRecipients.length > 0 && { only: refusedRecipients.map(lower) }),
    };
  }
  const who = refusedSenders[0] ?? failing[0] ?? senders[0] ?? 'this sender';
  return { status: '5.7.1', ...unverified(who, region) };
}

function lower(text: string): string {
  return text.toLowerCase();
}

function isOrIsIn(address: string, identity: string): boolean {
  return address === identity || address.endsWith(`@${identity}`);
}

/** "Alice <a@example.org>" gives "a@example.org". */
function addressIn(text: string): string {
  return text
    .replace(/^.*</, '')
    .replace(/[>.]+$/, '')
    .toLowerCase();
}

/** A sender that SES does not know, and what to do about it. */
export function unverified(sender: string, region: string): Pick<Judgement, 'cause' | 'reason' | 'advice'> {
  const domain = sender.slice(sender.lastIndexOf('@') + 1);
  const reason = `SES in ${region} does not send for ${sender}: verify the domain ${domain} there (SES console, "Identities")`;
  return { cause: 'sender', reason, advice: OR_ROUTE_AROUND };
}

function invalidAddress({ recipients }: RefusalContext, said: string): Judgement {
  const text = said.toLowerCase();
  const named = recipients.filter((each) => text.includes(each.toLowerCase())).map(lower);
  const judged = gone('recipient', '5.1.3', `SES does not take the address: ${said}`);
  return named.length === 0 ? judged : { ...judged, only: named };
}

/** The outcome for a recipient. `said`: whether the reply is SES's own words or the sentence of ours. */
export function outcomeOf(judgement: Judgement, host: string, pauseMs?: number): Outcome {
  const { cause, status, reason, advice } = judgement;
  const common = { cause, host, answered: false, advice } as const;
  if (status === undefined) {
    const reply = `451 ${temporaryStatus(cause)} ${reason}`;
    const pause = pauseMs === undefined ? {} : { pauseMs };
    return { outcome: 'deferred', ...common, reply, lostReply: false, ...pause };
  }
  return { outcome: 'failed', ...common, status, reply: `550 ${status} ${reason}` };
}

/** RFC 3463: 4.3.0, other system status; 4.4.5, system congestion; 4.4.1, no answer; 4.7.0, other security status. */
function temporaryStatus(cause: Cause): string {
  if (cause === 'rate' || cause === 'quota') return '4.4.5';
  if (cause === 'network') return '4.4.1';
  if (cause === 'auth' || cause === 'sender') return '4.7.0';
  return '4.3.0';
}
