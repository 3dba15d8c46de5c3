import { HELD } from '../../data/holds/types.ts';
import type { JournalKind } from '../../data/journal/types.ts';
import { moment, octets } from '../../base/words.ts';
import { certificateSteps } from './certificates.ts';
import { diskSteps } from './disk.ts';
import { intakeSteps } from './intake.ts';
import { type Facts, triedLogin, typeable } from './facts.ts';
import { checkRow, judged } from './judged.ts';
import { transcript } from './way.ts';
import { remedyForOurs, remedyForTheirs } from './remedies.ts';
import {
  addressArg,
  addressesArg,
  only,
  peerArg,
  reasonIs,
  remedy,
  type Said,
  say,
  toldText,
} from './say.ts';

/** A line of a block in two columns. */
export interface Row {
  /** A score, or words. */
  readonly label: Said | undefined;
  readonly text: Said;
}

/** One event in words: what happened, the particulars, and what can be done. */
export interface Step {
  readonly headline: Said;
  readonly details: readonly Said[];
  /** Particulars that read better side by side; they stand below the details. */
  readonly rows?: readonly Row[];
  /** Sentences; lines of them that begin with "postern " are commands to copy. */
  readonly remedy: readonly Said[];
}

export interface StepContext {
  readonly timeZone: string | undefined;
  /** Queue ids of notifications that we made about the message. */
  readonly notices: ReadonlySet<string>;
  /** A notification was made before this event. */
  readonly notified: boolean;
}

type Teller = (facts: Facts, context: StepContext) => Step;

/** Where in a session a refusal fell, for people who never met SMTP. */
const STAGES = {
  connect: 'refusedConnect',
  helo: 'refusedHelo',
  starttls: 'refusedStarttls',
  auth: 'refusedAuth',
  mail: 'refusedMail',
  rcpt: 'refusedRcpt',
  data: 'refusedData',
  command: 'refusedCommand',
} as const;

const CHANGES = {
  retry: 'queueRetry',
  hold: 'queueHold',
  release: 'queueRelease',
  drop: 'queueDrop',
  bounce: 'queueBounce',
} as const;

function keyOf<T extends object>(table: T, name: string): T[keyof T] | undefined {
  return Object.hasOwn(table, name) ? table[name as keyof T] : undefined;
}

const STEPS: Readonly<Record<JournalKind, Teller>> = {
  'connection.refused': (facts) => refusal(facts, say('connection.refused', { peer: peerArg(facts) })),
  'session.refused': (facts) => {
    const stage = keyOf(STAGES, facts.text('stage')) ?? 'session.refused';
    return refusal(facts, say(stage, { peer: peerArg(facts) }));
  },
  'login.succeeded': (facts) => ({
    headline: say('login.succeeded', { login: facts.text('login'), peer: peerArg(facts) }),
    details: [wayIn(facts), ...connection(facts)],
    remedy: [],
  }),
  'login.failed': (facts) => {
    const who = triedLogin(facts);
    const peer = peerArg(facts);
    return refusal(facts, who === '' ? say('login.failed', { peer }) : say('loginFailedAs', { who, peer }));
  },
  'mail.refused': (facts) =>
    refusal(facts, say('mail.refused', { peer: peerArg(facts), from: addressArg(facts.text('from')) })),
  'recipient.refused': (facts) => {
    const [to, from] = [addressesArg(facts.list('to')), addressArg(facts.text('from'))];
    return refusal(facts, say('recipient.refused', { to, from }));
  },
  'message.refused': (facts) =>
    facts.has('from')
      ? refusal(facts, say('message.refused', { from: addressArg(facts.text('from')) }), [
          say('wasFor', { to: facts.list('to').join(', ') }),
        ])
      : refusal(facts, say('messageRefusedForSome', { to: addressesArg(facts.list('to')) })),
  'message.accepted': accepted,
  'message.judged': judged,
  'message.deposited': deposited,
  'message.queued': queued,
  'message.signed': (facts) => ({
    headline: say('message.signed'),
    details: facts.list('selectors').map((name) => say('signedWith', { name })),
    remedy: [],
  }),
  'script.acted': (facts) => ({
    headline: say('script.acted', { account: facts.text('account'), what: toldText(facts.text('what')) }),
    details: facts.text('queueId') === '' ? [] : [say('inQueueAs', { id: facts.text('queueId') })],
    remedy: [],
  }),
  'script.failed': (facts) => {
    const [account, script, line] = [facts.text('account'), facts.text('script'), facts.text('line')];
    const atLine = (facts.number('line') ?? 0) > 0;
    return {
      headline: atLine
        ? say('scriptFailedAt', { account, script, line })
        : say('script.failed', { account, script }),
      details: [reasonIs(facts.text('reason')), say('scriptNothingLost')],
      remedy: [remedy('seeScript', { account: typeable(account) })],
    };
  },
  'delivery.attempt': (facts) => ({
    headline: say('delivery.attempt', { to: addressesArg(facts.list('to')) }),
    details: transcript(facts),
    remedy: [],
  }),
  'delivery.deferred': (facts, context) => {
    const next = facts.number('nextAt');
    return {
      headline: say('delivery.deferred', {
        to: addressesArg(facts.list('to')),
        attempt: facts.text('attempt'),
      }),
      details: [
        ...transcript(facts),
        ...(next === undefined ? [] : [say('nextAttempt', { at: moment(next, context.timeZone) })]),
      ],
      remedy: remedyForTheirs(facts, 'delayed'),
    };
  },
  'delivery.delivered': delivered,
  'delivery.failed': (facts) => ({
    headline: say('delivery.failed', {
      to: addressesArg(facts.list('to')),
      attempt: facts.text('attempt'),
    }),
    details: transcript(facts),
    remedy: remedyForTheirs(facts, 'failed'),
  }),
  'delivery.interrupted': (facts) => ({
    headline: say('delivery.interrupted', { to: addressesArg([facts.text('recipient')]) }),
    details: [...upper(facts.text('reason')), say('interruptedAgain')],
    remedy: [],
  }),
  'delivery.bounced': (facts) => ({
    headline: say('delivery.bounced', { to: addressesArg(facts.list('to')) }),
    details: [bySaid(facts)],
    remedy: [remedy('seeSuppression', { address: typeable(facts.list('to')[0] ?? '') })],
  }),
  'delivery.complained': (facts) => ({
    headline: say('delivery.complained', { to: addressesArg(facts.list('to')) }),
    details: [bySaid(facts)],
    remedy: [remedy('suppressed', { address: typeable(facts.list('to')[0] ?? '') })],
  }),
  'delivery.confirmed': (facts) => ({
    headline: say('delivery.confirmed', { to: addressesArg(facts.list('to')) }),
    details: [bySaid(facts)],
    remedy: [],
  }),
  'bounce.sent': (facts) => ({
    headline: say('bounce.sent', { to: addressArg(facts.text('to')) }),
    details: [
      ...facts.list('about').map((what) => say('bounceAbout', { what })),
      say('bounceIs', { id: facts.text('notice') }),
    ],
    remedy: [],
  }),
  'bounce.suppressed': (facts) => ({
    headline: say('bounce.suppressed'),
    details: [
      ...facts.list('about').map((what) => say('bounceWouldBe', { what })),
      reasonIs(facts.text('reason')),
    ],
    remedy: [],
  }),
  'queue.changed': (facts) => {
    const [action, by, reason] = [facts.text('action'), facts.text('by'), facts.text('reason')];
    const known = keyOf(CHANGES, action);
    return {
      headline: known === undefined ? say('queue.changed', { by, action }) : say(known, { by }),
      details: [
        say('queueRecipients', { count: facts.text('recipients') }),
        ...(reason === '' ? [] : [say('reasonIs', { reason })]),
      ],
      remedy: action === 'hold' ? [remedy('waitsUntilReleased', { id: facts.text('queueId') })] : [],
    };
  },
  'ban.set': banSet,
  'ban.lifted': (facts) => ({
    headline: say('ban.lifted', { by: facts.text('by'), subject: facts.text('subject') }),
    details: [say('banNextShort')],
    remedy: [],
  }),
  'account.held': (facts) => ({
    headline: say('account.held', { account: facts.text('account') }),
    details: [reasonIs(facts.text('reason')), say('heldNothingLost')],
    remedy: [remedy('heldAccount', { account: facts.text('account') })],
  }),
  'account.released': (facts) => ({
    headline: say(facts.flag('dropped') === true ? 'accountDropped' : 'account.released', {
      by: facts.text('by'),
      account: facts.text('account'),
    }),
    details: [],
    remedy: [],
  }),
  ...intakeSteps,
  ...certificateSteps,
  ...diskSteps,
  'message.snoozed': (facts, { timeZone }) => ({
    headline: say('message.snoozed', {
      account: facts.text('account'),
      until: moment(facts.number('until') ?? 0, timeZone),
    }),
    details: [say('snoozedWhere')],
    remedy: [],
  }),
  'message.woken': (facts) => ({
    headline: say('message.woken', { mailbox: facts.text('mailbox'), account: facts.text('account') }),
    details: [say(facts.flag('due') === true ? 'wokenDue' : 'wokenEarly')],
    remedy: [],
  }),
  'message.unsubscribed': (facts) => ({
    headline: say('message.unsubscribed', { account: facts.text('account') }),
    details: [
      say(facts.text('way') === 'mail' ? 'unsubscribedMail' : 'unsubscribedTold', { to: facts.text('to') }),
      ...(facts.text('reply') === '' ? [] : [say('itAnswered', { reply: facts.text('reply') })]),
    ],
    remedy: [],
  }),
  'message.expunged': (facts) => other(facts, say('message.expunged')),
  'admin.changed': (facts) => other(facts, say('admin.changed')),
};

/** Kinds that there are words for. */
export const TOLD_KINDS: readonly string[] = Object.keys(STEPS);

/** The words for an event; an unknown kind, of a later version, shows what it holds. */
export function tell(facts: Facts, context: StepContext): Step {
  const { kind } = facts.row;
  const teller = Object.hasOwn(STEPS, kind) ? STEPS[kind as JournalKind] : undefined;
  return teller?.(facts, context) ?? other(facts, say('otherKind', { kind }));
}

function bySaid(facts: Facts): Said {
  return say('bySaid', { by: facts.text('by'), reply: facts.text('reply') });
}

function banSet(facts: Facts, { timeZone }: StepContext): Step {
  const [subject, reason, by] = [facts.text('subject'), facts.text('reason'), facts.text('by')];
  const until = facts.number('until');
  const args = { subject, by, ...(until !== undefined && { until: moment(until, timeZone) }) };
  const account = facts.text('banKind') === 'account';
  const offences = facts.number('offences') ?? 0;
  const ends = until !== undefined;
  const headline = account
    ? say(ends ? 'banAccountUntil' : 'banAccount', args)
    : by === ''
      ? say(ends ? 'banUntil' : 'ban.set', args)
      : say(ends ? 'banByUntil' : 'banBy', args);
  return {
    headline,
    details: [
      ...(reason === '' ? [] : [reasonIs(reason)]),
      ...(offences > 1 ? [say('banNumber', { count: offences })] : []),
      say(account ? 'banAccountKnown' : 'banNotMail'),
    ],
    remedy: [remedy('banLift', { subject })],
  };
}

function refusal(facts: Facts, headline: Said, more: readonly Said[] = []): Step {
  const details = [...more];
  const [reply, reason] = [facts.text('reply'), facts.text('reason')];
  if (reason !== '' && !reply.includes(reason)) details.push(reasonIs(reason));
  if (reply !== '') details.push(say('weAnswered', { reply }));
  return { headline, details: [...details, ...connection(facts)], remedy: remedyForOurs(facts) };
}

/** Where and how protected, as far as the event tells: what the check of passwords writes knows neither. */
function connection(facts: Facts): Said[] {
  const port = facts.number('port') ?? 0;
  if (port === 0) return facts.has('protocol') ? [say('service', { protocol: facts.text('protocol') })] : [];
  const login = facts.row.kind.startsWith('login.') ? '' : facts.text('login');
  const tls = facts.text('tls');
  const args = { port: String(port), tls, login };
  if (!facts.has('tls')) return [say(login === '' ? 'onPort' : 'onPortLogin', args)];
  if (tls === '') return [say(login === '' ? 'onPortPlain' : 'onPortPlainLogin', args)];
  return [say(login === '' ? 'onPortTls' : 'onPortTlsLogin', args)];
}

/** How somebody signed in. */
function wayIn(facts: Facts): Said {
  const how = facts.text('mechanism') || facts.text('how') || 'password';
  if (how === 'password') return say('loginPassword');
  return how === 'remembered' ? say('loginRemembered') : say('loginBy', { how });
}

function accepted(facts: Facts): Step {
  const login = facts.text('login');
  const messageId = facts.text('messageId');
  const hidden = facts.number('hidden') ?? 0;
  const [size, peer] = [octets(facts.number('size') ?? 0), peerArg(facts)];
  return {
    headline:
      login === '' ? say('message.accepted', { size, peer }) : say('acceptedFromUser', { size, login, peer }),
    details: [
      say('fromFor', { from: addressArg(facts.text('from')), to: addressesArg(facts.list('to')) }),
      ...(messageId === '' ? [] : [say('messageId', { id: messageId })]),
      ...(facts.has('via') ? [] : connection(facts)),
      ...(facts.text('discarded') === ''
        ? []
        : [say('thrownAway', { why: toldText(facts.text('discarded')) })]),
      ...(hidden > 0 ? [say('hiddenOctets', { count: hidden })] : []),
    ],
    // With the filter off there is no judgement that would tell.
    rows: facts.list('checks').map(checkRow),
    remedy: [],
  };
}

function deposited(facts: Facts, { notified }: StepContext): Step {
  const account = facts.text('account') || say('accountNumber', { id: facts.text('accountId') });
  const reason = facts.text('reason');
  const others = facts.list('recipients').filter((address) => address !== account);
  const via = facts.list('via');
  return {
    headline: say(notified ? 'noticeDeposited' : 'message.deposited', {
      mailbox: facts.text('mailbox'),
      account,
    }),
    details: [
      ...(others.length === 0 ? [] : [say('wasForOthers', { to: addressesArg(others) })]),
      ...(via.length === 0 ? [] : [say('byWayOf', { via: via.join(', ') })]),
      ...(reason === '' ? [] : [say('whyThere', { reason: toldText(reason) })]),
    ],
    remedy: [],
  };
}

function queued(facts: Facts): Step {
  const held = facts.text('held');
  const queueId = facts.text('queueId');
  return {
    headline: say('message.queued', { to: addressesArg(facts.list('to')) }),
    details: [
      say('queueIdSender', { id: queueId, from: addressArg(facts.text('from')) }),
      ...(held === '' ? [] : [say('heldNotSent', { why: toldText(held) })]),
    ],
    remedy: only(held === '' ? undefined : releaseOf(held, queueId)),
  };
}

function releaseOf(held: string, id: string): Said {
  return remedy(held.startsWith(HELD) ? 'releaseHeld' : 'releaseLater', { id });
}

function delivered(facts: Facts, { notices }: StepContext): Step {
  const to = addressesArg(facts.list('to'));
  const what = notices.has(facts.text('queueId')) ? 'noticeDelivered' : 'delivery.delivered';
  return { headline: say(what, { to }), details: transcript(facts), remedy: [] };
}

function upper(text: string): Said[] {
  if (text === '') return [];
  const known = toldText(text);
  return [{ ...known, text: `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.` }];
}

function other(facts: Facts, headline: Said): Step {
  const details = Object.keys(facts.row.data).map((name) => {
    const list = facts.list(name);
    return say('fact', { name, value: list.length > 0 ? list.join(', ') : facts.text(name) });
  });
  return { headline, details, remedy: [] };
}
