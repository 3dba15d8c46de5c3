import ICAL from 'ical.js';

/** What people want to know of an invitation (RFC 5545, RFC 5546). */
export interface Invited {
  readonly method: 'REQUEST' | 'CANCEL' | 'REPLY' | 'PUBLISH' | 'COUNTER' | 'OTHER';
  readonly uid: string;
  readonly summary: string;
  readonly location: string;
  readonly description: string;
  /** Milliseconds since the epoch; for days local midnight. */
  readonly start: number;
  readonly end: number;
  readonly wholeDays: boolean;
  readonly repeats: boolean;
  readonly organizer: Person | undefined;
  readonly attendees: readonly (Person & { readonly answer: Answer })[];
}
export interface Person {
  readonly name: string;
  readonly address: string;
}
export type Answer = 'accepted' | 'declined' | 'tentative' | 'none';

/** Characters of a calendar part, and attendees that are listed. */
const MOST_TEXT = 500_000;
const MOST_PEOPLE = 200;

const METHODS = ['REQUEST', 'CANCEL', 'REPLY', 'PUBLISH', 'COUNTER'] as const;
const ANSWERS: Readonly<Record<string, Answer>> = {
  ACCEPTED: 'accepted',
  DECLINED: 'declined',
  TENTATIVE: 'tentative',
};

function person(property: ICAL.Property): Person {
  const value = String(property.getFirstValue() ?? '');
  const name = property.getParameter('cn');
  return {
    name: typeof name === 'string' ? name : '',
    address: value.replace(/^mailto:/i, '').toLowerCase(),
  };
}

/** The first event of a calendar; undefined when there is none that can be read. */
export function readInvitation(text: string): Invited | undefined {
  if (text.length > MOST_TEXT) return undefined;
  try {
    return read(new ICAL.Component(ICAL.parse(text) as unknown[]));
  } catch {
    return undefined;
  }
}

function read(calendar: ICAL.Component): Invited | undefined {
  const component = calendar.getFirstSubcomponent('vevent');
  if (component === null) return undefined;
  const zones = new Map(
    calendar
      .getAllSubcomponents('vtimezone')
      .map((zone) => [String(zone.getFirstPropertyValue('tzid')), zone]),
  );
  const time = (name: string): ICAL.Time | undefined => {
    const property = component.getFirstProperty(name);
    const value = property?.getFirstValue();
    if (!(value instanceof ICAL.Time)) return undefined;
    const zone = zones.get(String(property?.getParameter('tzid') ?? ''));
    // Their zone as they describe it; a name alone is looked up by ical.js, and is local time otherwise.
    if (zone !== undefined) value.zone = new ICAL.Timezone(zone);
    return value;
  };
  const start = time('dtstart');
  if (start === undefined) return undefined;
  const duration = component.getFirstPropertyValue('duration');
  let end = time('dtend');
  if (end === undefined) {
    end = start.clone();
    if (duration instanceof ICAL.Duration) end.addDuration(duration);
    else if (start.isDate) end.adjust(1, 0, 0, 0);
  }
  const words = (name: string): string => String(component.getFirstPropertyValue(name) ?? '').slice(0, 5000);
  const method = String(calendar.getFirstPropertyValue('method') ?? 'PUBLISH').toUpperCase();
  const organizer = component.getFirstProperty('organizer');
  return {
    method: METHODS.find((each) => each === method) ?? 'OTHER',
    uid: words('uid'),
    summary: words('summary'),
    location: words('location'),
    description: words('description'),
    start: start.toJSDate().getTime(),
    end: end.toJSDate().getTime(),
    wholeDays: start.isDate,
    repeats: component.getFirstProperty('rrule') !== null,
    organizer: organizer === null ? undefined : person(organizer),
    attendees: component
      .getAllProperties('attendee')
      .slice(0, MOST_PEOPLE)
      .map((each) => ({
        ...person(each),
        answer: ANSWERS[String(each.getParameter('partstat') ?? '').toUpperCase()] ?? 'none',
      })),
  };
}

/** An answer as a calendar program understands it (RFC 5546 section 3.2.3). `now`: milliseconds since the epoch. */
export function replyCalendar(
  text: string,
  me: Person,
  answer: 'ACCEPTED' | 'TENTATIVE' | 'DECLINED',
  now: number,
): string {
  const calendar = new ICAL.Component(ICAL.parse(text) as unknown[]);
  const event = calendar.getFirstSubcomponent('vevent');
  const reply = new ICAL.Component('vcalendar');
  reply.addPropertyWithValue('prodid', '-//Postern//EN');
  reply.addPropertyWithValue('version', '2.0');
  reply.addPropertyWithValue('method', 'REPLY');
  for (const zone of calendar.getAllSubcomponents('vtimezone')) reply.addSubcomponent(zone);
  const made = new ICAL.Component('vevent');
  for (const name of ['uid', 'sequence', 'organizer', 'dtstart', 'dtend', 'recurrence-id', 'summary']) {
    const property = event?.getFirstProperty(name);
    if (property != null) made.addProperty(property);
  }
  made.addPropertyWithValue('dtstamp', ICAL.Time.fromJSDate(new Date(now), true));
  const attendee = made.addPropertyWithValue('attendee', `mailto:${me.address}`);
  attendee.setParameter('partstat', answer);
  if (me.name !== '') attendee.setParameter('cn', me.name);
  reply.addSubcomponent(made);
  return `${reply.toString()}\r\n`;
}
