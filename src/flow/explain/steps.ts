import { HELD } from '../../data/holds/types.ts';
import type { JournalKind } from '../../data/journal/types.ts';
import { sizeText, timeText } from '../../base/quantities.ts';
import { certificateSteps } from './certificates.ts';
import { diskSteps } from './disk.ts';
import { intakeSteps } from './intake.ts';
import {
  addressesText,
  addressText,
  type Facts,
  ownReason,
  peerText,
  triedLogin,
  typeable,
} from './facts.ts';
import { checkRow, judged } from './judged.ts';
import { remedyForOurs, remedyForTheirs } from './remedies.ts';

/** A line of a block in two columns. */
export interface Row {
  readonly label: string;
  readonly text: string;
}

/** One event in words: what happened, the particulars, and what can be done. */
export interface Step {
  readonly headline: string;
  readonly details: readonly string[];
  /** Particulars that read better side by side; they stand below the details. */
  readonly rows?: readonly Row[];
  /** Sentences; a line that begins with "postern " is a command to copy. */
  readonly remedy: string;
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
const STAGES: Readonly<Record<string, string>> = {
  connect: 'when it connected',
  helo: 'when it introduced itself (EHLO)',
  starttls: 'when it turned encryption on (STARTTLS)',
  auth: 'when it signed in (AUTH)',
  mail: 'when it named the sender (MAIL)',
  rcpt: 'when it named a recipient (RCPT)',
  data: 'when it sent the message (DATA)',
  command: 'at a command',
};

const CHANGES: Readonly<Record<string, string>> = {
  retry: 'asked for an attempt now',
  hold: 'put it on hold',
  release: 'released it',
  drop: 'dropped it; the sender is not told',
  bounce: 'gave it up; the sender will be told',
};

const STEPS: Readonly<Record<JournalKind, Teller>> = {
  'connection.refused': (facts) => refusal(facts, `A connection from ${peerText(facts)} was refused`),
  'session.refused': (facts) => {
    const stage = STAGES[facts.text('stage')] ?? '';
    return refusal(facts, `${peerText(facts)} was refused ${stage}`.trimEnd());
  },
  'login.succeeded': (facts) => ({
    headline: `${facts.text('login')} signed in from ${peerText(facts)}`,
    details: [`By ${wayIn(facts)}.`, ...connection(facts)],
    remedy: '',
  }),
  'login.failed': (facts) => {
    const who = triedLogin(facts);
    return refusal(facts, `Signing in${who === '' ? '' : ` as "${who}"`} from ${peerText(facts)} failed`);
  },
  'mail.refused': (facts) =>
    refusal(
      facts,
      `${peerText(facts)} was refused as it wanted to send from ${addressText(facts.text('from'))}`,
    ),
  'recipient.refused': (facts) => {
    const to = addressesText(facts.list('to'));
    return refusal(
      facts,
      `The recipient ${to} was refused; the message was from ${addressText(facts.text('from'))}`,
    );
  },
  'message.refused': (facts) =>
    facts.has('from')
      ? refusal(facts, `A message from ${addressText(facts.text('from'))} was refused after it had arrived`, [
          `It was for ${facts.list('to').join(', ')}.`,
        ])
      : refusal(facts, `It could not be taken for ${addressesText(facts.list('to'))}, though for others`),
  'message.accepted': accepted,
  'message.judged': judged,
  'message.deposited': deposited,
  'message.queued': queued,
  'message.signed': (facts) => ({
    headline: 'We signed it, so that receivers can verify that it is ours (DKIM)',
    details: facts.list('selectors').map((name) => `With the key at ${name}.`),
    remedy: '',
  }),
  'script.acted': (facts) => ({
    headline: `For ${facts.text('account')}: ${facts.text('what')}`,
    details: facts.text('queueId') === '' ? [] : [`It is ${facts.text('queueId')} in the queue.`],
    remedy: '',
  }),
  'script.failed': (facts) => ({
    headline: `For ${facts.text('account')}: ${facts.text('script')} failed${(facts.number('line') ?? 0) > 0 ? ` at line ${facts.text('line')}` : ''}`,
    details: [`Why: ${facts.text('reason')}.`, 'The message was put into the inbox; nothing is lost.'],
    remedy: `See the script: postern sieve show ${typeable(facts.text('account'))}`,
  }),
  'delivery.attempt': (facts) => ({
    headline: `Tried to deliver to ${addressesText(facts.list('to'))}`,
    details: transcript(facts),
    remedy: '',
  }),
  'delivery.deferred': (facts, context) => {
    const next = facts.number('nextAt');
    return {
      headline: `Not delivered yet to ${addressesText(facts.list('to'))} (attempt ${facts.text('attempt')})`,
      details: [
        ...transcript(facts),
        ...(next === undefined ? [] : [`Next attempt at ${timeText(next, context.timeZone)}.`]),
      ],
      remedy: remedyForTheirs(facts, 'delayed'),
    };
  },
  'delivery.delivered': delivered,
  'delivery.failed': (facts) => ({
    headline: `Could not be delivered to ${addressesText(facts.list('to'))}; we have given up (attempt ${facts.text('attempt')})`,
    details: transcript(facts),
    remedy: remedyForTheirs(facts, 'failed'),
  }),
  'delivery.interrupted': (facts) => ({
    headline: `An attempt to deliver to <${facts.text('recipient')}> was interrupted`,
    details: [
      sentence(facts.text('reason')),
      'It is tried again; if the first attempt went through, the recipient gets it twice.',
    ],
    remedy: '',
  }),
  'delivery.bounced': (facts) => ({
    headline: `It came back later from ${addressesText(facts.list('to'))}`,
    details: [`${facts.text('by')} said: ${facts.text('reply')}`],
    remedy: `Why nothing more is sent there, if so: postern suppression show ${typeable(facts.list('to')[0] ?? '')}`,
  }),
  'delivery.complained': (facts) => ({
    headline: `${addressesText(facts.list('to'))} reported it as spam`,
    details: [`${facts.text('by')} said: ${facts.text('reply')}`],
    remedy: `Nothing more is sent there: postern suppression show ${typeable(facts.list('to')[0] ?? '')}`,
  }),
  'delivery.confirmed': (facts) => ({
    headline: `News of ${addressesText(facts.list('to'))}`,
    details: [`${facts.text('by')} said: ${facts.text('reply')}`],
    remedy: '',
  }),
  'bounce.sent': (facts) => ({
    headline: `The sender ${addressText(facts.text('to'))} was told by a notification`,
    details: [
      ...facts.list('about').map((line) => `About ${line}.`),
      `The notification is ${facts.text('notice')} in the queue.`,
    ],
    remedy: '',
  }),
  'bounce.suppressed': (facts) => ({
    headline: 'The sender was not told',
    details: [
      ...facts.list('about').map((line) => `It would have been about ${line}.`),
      `Why: ${facts.text('reason')}.`,
    ],
    remedy: '',
  }),
  'queue.changed': (facts) => {
    const what = CHANGES[facts.text('action')] ?? facts.text('action');
    const reason = facts.text('reason');
    return {
      headline: `${facts.text('by')} ${what}`,
      details: [
        `${facts.text('recipients')} recipient(s).`,
        ...(reason === '' ? [] : [`Reason: ${reason}.`]),
      ],
      remedy:
        facts.text('action') === 'hold'
          ? `It waits until: postern queue release ${facts.text('queueId')}`
          : '',
    };
  },
  'ban.set': banSet,
  'ban.lifted': (facts) => ({
    headline: `${facts.text('by')} lifted the ban of ${facts.text('subject')}`,
    details: ['The next one would be as short as the first.'],
    remedy: '',
  }),
  'account.held': (facts) => ({
    headline: `What ${facts.text('account')} sends is held from now on`,
    details: [
      `Why: ${facts.text('reason')}.`,
      'Nothing of it is lost; its owner and the administrators were told.',
    ],
    remedy: `If it was the person: postern hold release ${facts.text('account')}. If not: postern account passwd ${facts.text('account')}, then postern hold release ${facts.text('account')} --drop`,
  }),
  'account.released': (facts) => ({
    headline: `${facts.text('by')} ${facts.flag('dropped') === true ? 'ended the hold and dropped what was held' : 'released what was held'} of ${facts.text('account')}`,
    details: [],
    remedy: '',
  }),
  ...intakeSteps,
  ...certificateSteps,
  ...diskSteps,
  'message.snoozed': (facts, { timeZone }) => ({
    headline: `${facts.text('account')} has put it away until ${timeText(facts.number('until') ?? 0, timeZone)}`,
    details: ['Until then it is in the mailbox Snoozed.'],
    remedy: '',
  }),
  'message.woken': (facts) => ({
    headline: `It is back in the mailbox ${facts.text('mailbox')} of ${facts.text('account')}`,
    details: [
      facts.flag('due') === true ? 'It had been put away until now.' : 'It was brought back before its time.',
    ],
    remedy: '',
  }),
  'message.unsubscribed': (facts) => ({
    headline: `${facts.text('account')} has left the mailing list`,
    details: [
      facts.text('way') === 'mail'
        ? `By a message to ${facts.text('to')}.`
        : `By telling ${facts.text('to')}.`,
      ...(facts.text('reply') === '' ? [] : [`It answered: ${facts.text('reply')}.`]),
    ],
    remedy: '',
  }),
  'message.expunged': (facts) => other(facts, 'The message was deleted from a mailbox'),
  'admin.changed': (facts) => other(facts, 'An administrator changed something'),
};

/** The words for an event; an unknown kind, of a later version, shows what it holds. */
export function tell(facts: Facts, context: StepContext): Step {
  const { kind } = facts.row;
  const teller = Object.hasOwn(STEPS, kind) ? STEPS[kind as JournalKind] : undefined;
  return teller?.(facts, context) ?? other(facts, kind);
}

function banSet(facts: Facts, { timeZone }: StepContext): Step {
  const [subject, reason, by] = [facts.text('subject'), facts.text('reason'), facts.text('by')];
  const until = facts.number('until');
  const end = until === undefined ? '' : ` until ${timeText(until, timeZone)}`;
  const account = facts.text('banKind') === 'account';
  const offences = facts.number('offences') ?? 0;
  return {
    headline: account
      ? `Logins to ${subject} from places it does not know are refused${end}`
      : `${by === '' ? 'Logins' : `${by}: logins`} from ${subject} are refused${end}`,
    details: [
      ...(reason === '' ? [] : [`Why: ${reason}.`]),
      ...(offences > 1 ? [`It is number ${offences} in a row, each twice as long as the one before.`] : []),
      account
        ? 'Where the account logged in from within the last 30 days it is not affected.'
        : 'Mail from other hosts (port 25) is not affected.',
    ],
    remedy: `To end it now: postern ban lift ${subject}`,
  };
}

function refusal(facts: Facts, headline: string, more: readonly string[] = []): Step {
  const details = [...more];
  const [reply, reason] = [facts.text('reply'), facts.text('reason')];
  if (reason !== '' && !reply.includes(reason)) details.push(`Why: ${reason}.`);
  if (reply !== '') details.push(`We answered: ${reply}`);
  return { headline, details: [...details, ...connection(facts)], remedy: remedyForOurs(facts) };
}

/** Where and how protected, as far as the event tells: what the check of passwords writes knows neither. */
function connection(facts: Facts): string[] {
  const port = facts.number('port') ?? 0;
  if (port === 0) return facts.has('protocol') ? [`Service: ${facts.text('protocol')}.`] : [];
  const parts = [`On port ${port}`];
  if (facts.has('tls')) parts.push(encryption(facts));
  const login = facts.row.kind.startsWith('login.') ? '' : facts.text('login');
  if (login !== '') parts.push(`signed in as ${login}`);
  return [`${parts.join(', ')}.`];
}

/** How somebody signed in. */
function wayIn(facts: Facts): string {
  const how = facts.text('mechanism') || facts.text('how') || 'password';
  return how === 'remembered' ? 'password, verified a few minutes before' : how;
}

function encryption(facts: Facts): string {
  const tls = facts.text('tls');
  return tls === '' ? 'not encrypted' : `encrypted (${tls})`;
}

function accepted(facts: Facts): Step {
  const login = facts.text('login');
  const from = login === '' ? peerText(facts) : `our user ${login}, at ${peerText(facts)}`;
  const messageId = facts.text('messageId');
  const hidden = facts.number('hidden') ?? 0;
  return {
    headline: `We took a message of ${sizeText(facts.number('size') ?? 0)} from ${from}`,
    details: [
      `From ${addressText(facts.text('from'))} for ${addressesText(facts.list('to'))}.`,
      ...(messageId === '' ? [] : [`Message-ID: <${messageId}>`]),
      ...(facts.has('via') ? [] : connection(facts)),
      ...(facts.text('discarded') === '' ? [] : [`It was thrown away: ${facts.text('discarded')}.`]),
      ...(hidden > 0
        ? [`${hidden} octets of its header claimed to be ours and are hidden from readers.`]
        : []),
    ],
    // With the filter off there is no judgement that would tell.
    rows: facts.list('checks').map(checkRow),
    remedy: '',
  };
}

function deposited(facts: Facts, { notified }: StepContext): Step {
  const account = facts.text('account') || `the account number ${facts.text('accountId')}`;
  const reason = facts.text('reason');
  const others = facts.list('recipients').filter((address) => address !== account);
  const via = facts.list('via');
  return {
    headline: `${notified ? 'The notification' : 'It'} is in the mailbox ${facts.text('mailbox')} of ${account}`,
    details: [
      ...(others.length === 0 ? [] : [`It was for ${addressesText(others)}, which leads there.`]),
      ...(via.length === 0 ? [] : [`By way of ${via.join(', ')}.`]),
      ...(reason === '' ? [] : [`Why there: ${reason}.`]),
    ],
    remedy: '',
  };
}

function queued(facts: Facts): Step {
  const held = facts.text('held');
  const queueId = facts.text('queueId');
  return {
    headline: `It is in the queue for ${addressesText(facts.list('to'))}`,
    details: [
      `Queue id ${queueId}, sender ${addressText(facts.text('from'))}.`,
      ...(held === '' ? [] : [`It is held and not sent: ${held}.`]),
    ],
    remedy: held === '' ? '' : releaseOf(held, queueId),
  };
}

function releaseOf(held: string, queueId: string): string {
  if (held.startsWith(HELD)) {
    return `What waits of the account, and what to do: postern hold list. This message alone: postern queue release ${queueId}`;
  }
  return `When mail can go out again: postern queue release ${queueId}`;
}

function delivered(facts: Facts, { notices }: StepContext): Step {
  const to = addressesText(facts.list('to'));
  const what = notices.has(facts.text('queueId')) ? 'The notification was delivered' : 'Delivered';
  return { headline: `${what} to ${to}`, details: transcript(facts), remedy: '' };
}

/** Who said what at the other end, and how the way there was protected. */
function transcript(facts: Facts): string[] {
  const [host, reply, tls] = [facts.text('host'), facts.text('reply'), facts.text('tls')];
  const lines: string[] = [];
  const own = ownReason(reply, facts.flag('answered'));
  if (own !== undefined) lines.push(`${host === '' ? 'Why' : `With ${host}`}: ${own}`);
  else if (reply !== '') lines.push(host === '' ? `Why: ${reply}` : `${host} answered: ${reply}`);
  if (tls === 'plain') lines.push('The way there was not encrypted.');
  else if (tls !== '' && tls !== 'local') lines.push(`The way there was encrypted (${tls}).`);
  lines.push(...wayTaken(facts));
  return lines;
}

/** Which way was taken and why, where there was a choice. */
function wayTaken(facts: Facts): string[] {
  const [route, transport] = [facts.text('route'), facts.text('transport')];
  const before = facts.list('before');
  if (route === '' || (route === 'default' && before.length === 0)) return [];
  const by = transport === 'none' ? 'no way was open' : `by ${transport}`;
  return [`Route ${route}: ${by}.`, ...before.map((line) => `Before that, ${line}.`)];
}

function sentence(text: string): string {
  return text === '' ? '' : `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

function other(facts: Facts, headline: string): Step {
  const details = Object.keys(facts.row.data).map((key) => {
    const list = facts.list(key);
    return `${key}: ${list.length > 0 ? list.join(', ') : facts.text(key)}`;
  });
  return { headline, details, remedy: '' };
}
