import type { JournalData, JournalEvent, JournalKind, JournalValue } from './types.ts';

/** Recipients named in a line; of more only the number. */
const NAMED = 5;
/** UTF-16 units of a reply or an address in a line. */
const TEXT = 200;

/** Facts of an event that its line has, where the event has them. */
const FIELDS = [
  'from',
  'size',
  'messageId',
  'ip',
  'login',
  'queueId',
  'transport',
  'host',
  'attempt',
] as const;

/** What happens to an accepted or delivered message as a matter of course: counted in that one's line. */
const PARTS: ReadonlyMap<JournalKind, string> = new Map([
  ['message.deposited', 'deposited'],
  ['message.queued', 'queued'],
  ['message.signed', 'signed'],
]);

export interface LogLine {
  readonly kind: JournalKind;
  readonly fields: { readonly [key: string]: JournalValue };
}

/**
 * The log lines of events that were committed together. What was deposited, queued and signed with a message is
 * counted in its line; without one it has lines of its own. `reply` goes into the line of an accepted message.
 */
export function logLines(events: readonly JournalEvent[], reply?: string): LogLine[] {
  const whole = events.find(({ kind }) => kind === 'message.accepted' || kind === 'delivery.delivered');
  const lines: LogLine[] = [];
  let parts: { [key: string]: number } | undefined;
  for (const event of events) {
    const part = PARTS.get(event.kind);
    if (part !== undefined && whole?.trace === event.trace) {
      parts ??= {};
      parts[part] = (parts[part] ?? 0) + 1;
    } else if (event !== whole) lines.push({ kind: event.kind, fields: fieldsOf(event, undefined) });
  }
  if (whole === undefined) return lines;
  const told = whole.kind === 'message.accepted' ? reply : undefined;
  return [{ kind: whole.kind, fields: { ...fieldsOf(whole, told), ...parts } }, ...lines];
}

function fieldsOf({ trace, data }: JournalEvent, reply: string | undefined): LogLine['fields'] {
  const fields: { [key: string]: JournalValue } = { trace };
  for (const key of FIELDS) {
    const value = data[key];
    if (typeof value === 'string') fields[key] = value.slice(0, TEXT);
    else if (typeof value === 'number') fields[key] = value;
  }
  addRecipients(fields, data);
  const said = reply ?? data['reply'];
  if (typeof said === 'string') fields['reply'] = said.slice(0, TEXT);
  return fields;
}

function addRecipients(fields: { [key: string]: JournalValue }, data: JournalData): void {
  const to = data['to'] ?? data['account'];
  if (typeof to === 'string') fields['to'] = [to.slice(0, TEXT)];
  if (!Array.isArray(to)) return;
  const named: unknown[] = to.slice(0, NAMED);
  fields['to'] = named.map((one) => String(one).slice(0, TEXT));
  if (to.length > NAMED) fields['toCount'] = to.length;
}
