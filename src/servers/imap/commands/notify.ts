import { Refusal } from '../../../base/errors.ts';
import { beginNotify, endNotify } from '../notify/notify.ts';
import {
  EVENTS,
  type NotifyEvent,
  type NotifyFilter,
  type NotifyGroup,
  type NotifySelected,
} from '../notify/types.ts';
import { refuse } from '../replies.ts';
import { refresh } from '../refresh.ts';
import type { Decoder } from '../wire/decoder.ts';
import { type FetchAtt, fetchAtts } from '../wire/fetch-att.ts';
import { type Command, LOGGED_IN } from './command.ts';

/** Groups of one NOTIFY, and mailboxes that one of them names. */
const MAX_GROUPS = 50;
const MAX_NAMES = 500;

/** NOTIFY (RFC 5465 section 3). */
export const notify: Command = {
  name: 'NOTIFY',
  states: LOGGED_IN,
  capabilities: ['NOTIFY'],
  async run(session, d) {
    d.sp();
    const verb = d.keyword('SET or NONE');
    if (verb === 'NONE') {
      d.end();
      endNotify(session);
      return undefined;
    }
    if (verb !== 'SET') d.fail('SET or NONE before this');
    d.sp();
    const status = d.skip('STATUS ');
    const wish = parseGroups(d);
    d.end();
    if (wish.unknown) throw badEvent();
    // RFC 5465 section 3.1: it does as NOOP does.
    await refresh(session, true);
    await beginNotify(session, { ...wish, status });
    return undefined;
  },
};

/** RFC 5465 section 9: which events are known. */
function badEvent(): Refusal {
  return refuse('bad-input', `BADEVENT (${EVENTS.join(' ')})`, 'One of the events is not known here');
}

interface Events {
  readonly events: ReadonlySet<NotifyEvent>;
  readonly atts: readonly FetchAtt[];
  readonly unknown: boolean;
}

function parseGroups(d: Decoder): {
  selected: NotifySelected | undefined;
  groups: readonly NotifyGroup[];
  unknown: boolean;
} {
  const groups: NotifyGroup[] = [];
  let selected: NotifySelected | undefined;
  let unknown = false;
  let count = 0;
  do {
    if (++count > MAX_GROUPS) throw refuse('limit', 'LIMIT', `At most ${MAX_GROUPS} groups are taken`);
    d.need('(');
    const kind = d.keyword('which mailboxes');
    const filter = kind === 'SELECTED' || kind === 'SELECTED-DELAYED' ? undefined : filterOf(d, kind);
    d.sp();
    const wanted = parseEvents(d, filter === undefined);
    unknown ||= wanted.unknown;
    d.need(')');
    if (filter !== undefined) groups.push({ filter, events: wanted.events });
    else {
      if (selected !== undefined) d.fail('one group for the selected mailbox before this');
      selected = { delayed: kind === 'SELECTED-DELAYED', events: wanted.events, atts: wanted.atts };
    }
  } while (d.skip(' '));
  return { selected, groups, unknown };
}

function filterOf(d: Decoder, kind: string): NotifyFilter {
  // RFC 5465 section 6.3: a server that cannot tell where mail may be delivered takes all personal ones.
  if (kind === 'INBOXES' || kind === 'PERSONAL') return { kind: 'personal' };
  if (kind === 'SUBSCRIBED') return { kind: 'subscribed' };
  if (kind !== 'SUBTREE' && kind !== 'MAILBOXES') return d.fail('which mailboxes before this');
  d.sp();
  let count = 0;
  const name = (): string => {
    if (++count > MAX_NAMES) throw refuse('limit', 'LIMIT', `At most ${MAX_NAMES} mailboxes are taken`);
    return d.mailbox().normalize('NFC');
  };
  const names = d.atList ? d.list(name) : [name()];
  return { kind: kind === 'SUBTREE' ? 'subtree' : 'mailboxes', names };
}

const byName: ReadonlyMap<string, NotifyEvent> = new Map(EVENTS.map((event) => [event.toUpperCase(), event]));
const ABOUT_MESSAGES: ReadonlySet<NotifyEvent> = new Set(['MessageNew', 'MessageExpunge', 'FlagChange']);

/** events: NONE, or a list in which MessageNew of the selected mailbox may say what to fetch. */
function parseEvents(d: Decoder, selected: boolean): Events {
  const events = new Set<NotifyEvent>();
  let atts: readonly FetchAtt[] = [];
  let unknown = false;
  if (d.skip('NONE')) return { events, atts, unknown };
  d.need('(');
  do {
    const event = byName.get(d.keyword('an event'));
    if (event === undefined) unknown = true;
    else if (selected && !ABOUT_MESSAGES.has(event)) d.fail('an event of messages before this');
    else events.add(event);
    if (event !== 'MessageNew' || d.rest().toString('latin1', 0, 2) !== ' (') continue;
    d.sp();
    atts = fetchAtts(d);
    // RFC 5465 section 8: they are for the selected mailbox only.
    if (!selected) d.fail('data items for the selected mailbox only before this');
  } while (d.skip(' '));
  d.need(')');
  // RFC 5465 section 5: numbers are of use only to who hears of both, and of flags only to who knows the messages.
  if (events.has('MessageNew') !== events.has('MessageExpunge'))
    d.fail('MessageNew and MessageExpunge together before this');
  if (events.has('FlagChange') && !events.has('MessageNew'))
    d.fail('MessageNew and MessageExpunge with FlagChange before this');
  return { events, atts, unknown };
}
