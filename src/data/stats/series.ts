/** Everything that statistics tell, by name. `count`: how often in a step; the others: what was measured, on average. */
export interface Series {
  readonly name: string;
  readonly group: 'mail' | 'delay' | 'spam' | 'sessions' | 'logins' | 'queue' | 'system';
  readonly unit: 'count' | 'bytes' | 'percent' | 'ms';
  readonly title: string;
}

const count = (name: string, group: Series['group'], title: string): Series => ({
  name,
  group,
  unit: 'count',
  title,
});

/** The delay of mail to others, from being taken to being delivered. */
export const DELIVERY_DELAY = 'delay';
/** Shares of mail whose delay is told. */
export const SHARES = { 'delay.p50': 0.5, 'delay.p90': 0.9, 'delay.p99': 0.99 } as const;

export const SERIES: readonly Series[] = [
  count('mail.received', 'mail', 'Messages taken from other hosts'),
  count('mail.junk', 'mail', 'Messages put into Junk'),
  count('mail.refused', 'mail', 'Messages and recipients refused'),
  count('mail.submitted', 'mail', 'Messages that our people sent'),
  count('mail.delivered', 'mail', 'Recipients elsewhere that were reached'),
  count('mail.deferred', 'mail', 'Attempts that were put off'),
  count('mail.failed', 'mail', 'Recipients that could not be reached'),
  count('mail.bounced', 'mail', 'Messages that came back later'),
  { name: 'delay.p50', group: 'delay', unit: 'ms', title: 'Half of the mail is delivered within' },
  { name: 'delay.p90', group: 'delay', unit: 'ms', title: 'Nine of ten are delivered within' },
  { name: 'delay.p99', group: 'delay', unit: 'ms', title: '99 of 100 are delivered within' },
  count('spam.inbox', 'spam', 'Judged good'),
  count('spam.junk', 'spam', 'Judged unwanted'),
  count('spam.refused', 'spam', 'Judged spam beyond doubt'),
  count('connections.refused', 'sessions', 'Connections refused'),
  count('sessions.refused', 'sessions', 'Commands refused'),
  count('logins.succeeded', 'logins', 'Logins'),
  count('logins.failed', 'logins', 'Failed logins'),
  count('bans.set', 'logins', 'Bans'),
  count('sessions.smtp', 'sessions', 'Open sessions: mail from other hosts'),
  count('sessions.submission', 'sessions', 'Open sessions: sending mail'),
  count('sessions.imap', 'sessions', 'Open sessions: IMAP'),
  count('sessions.pop3', 'sessions', 'Open sessions: POP3'),
  count('sessions.managesieve', 'sessions', 'Open sessions: ManageSieve'),
  count('sessions.lmtp', 'sessions', 'Open sessions: LMTP'),
  count('queue.queued', 'queue', 'Recipients that wait in the queue'),
  count('queue.held', 'queue', 'Recipients that are held'),
  { name: 'system.memory', group: 'system', unit: 'bytes', title: 'Memory of the program' },
  { name: 'system.cpu', group: 'system', unit: 'percent', title: 'Processor time, of one processor' },
  { name: 'system.loop', group: 'system', unit: 'ms', title: 'Delay of the event loop (99 of 100)' },
  { name: 'system.disk_free', group: 'system', unit: 'bytes', title: 'Free on the disk of the data' },
];

/** Those that are measured and not counted. */
export function isGauge({ name }: Pick<Series, 'name'>): boolean {
  return /^(?:queue|system)\./.test(name) || (name.startsWith('sessions.') && name !== 'sessions.refused');
}
