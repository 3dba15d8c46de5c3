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
/** Seconds that an event lasts at most: longer ones are none, and would be counted month by month. */
const MOST_SECONDS = 10 * 366 * 86_400;
/** Observances of a time zone, those of them that repeat, and single dates: ical.js works out all of them, from their first year on. */
const MOST_OBSERVANCES = 300;
const MOST_RULES = 8;
const MOST_DATES = 300;
/** Characters of a rule. */
const MOST_RULE = 200;
/** What clocks are changed by: a day of one month, each year (RFC 5545 section 3.6.5). One of every second would take for ever. */
const YEARLY =
  /^(?:(?:FREQ=YEARLY|BYMONTH=\d{1,2}|BYDAY=[+-]?[1-5]?(?:MO|TU|WE|TH|FR|SA|SU)|BYMONTHDAY=-?\d{1,2}(?:,-?\d{1,2}){0,6}|WKST=[A-Z]{2}|INTERVAL=\d{1,2}|COUNT=\d{1,4}|UNTIL=[\dTZ-]{8,20})(?:;|$))+$/;

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

/** Whether a time zone is one as clocks have it, and not work without end. */
function isZone(zone: ICAL.Component): boolean {
  const observances = zone.getAllSubcomponents();
  const rules = observances.flatMap((each) => each.getAllProperties('rrule'));
  const dates = observances.flatMap((each) => each.getAllProperties('rdate'));
  return (
    observances.length <= MOST_OBSERVANCES &&
    rules.length <= MOST_RULES &&
    dates.reduce((sum, each) => sum + each.getValues().length, 0) <= MOST_DATES &&
    rules.every((each) => {
      const text = String(each.getFirstValue() ?? '');
      return text.includes('FREQ=YEARLY') && text.length <= MOST_RULE && YEARLY.test(text);
    })
  );
}

function read(calendar: ICAL.Component): Invited | undefined {
  const component = calendar.getFirstSubcomponent('vevent');
  if (component === null) return undefined;
  // Gone from there as well: ical.js looks for the zone of a time by itself.
  for (const zone of calendar.getAllSubcomponents('vtimezone'))
    if (!isZone(zone)) calendar.removeSubcomponent(zone);
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
    if (duration instanceof ICAL.Duration) {
      if (Math.abs(duration.toSeconds()) <= MOST_SECONDS) end.addDuration(duration);
    } else if (start.isDate) end.adjust(1, 0, 0, 0);
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
