import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readInvitation, replyCalendar } from './calendar.ts';

const INVITATION = `BEGIN:VCALENDAR
VERSION:2.0
METHOD:REQUEST
BEGIN:VTIMEZONE
TZID:Somewhere
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0300
TZOFFSETTO:+0300
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
UID:1@else.test
SEQUENCE:2
SUMMARY:Plans\\, big ones
DTSTART;TZID=Somewhere:20260503T120000
DURATION:PT90M
LOCATION:Room 1
RRULE:FREQ=WEEKLY
ORGANIZER;CN=Ann:mailto:ann@else.test
ATTENDEE;CN=Bob;PARTSTAT=NEEDS-ACTION:MAILTO:bob@example.test
ATTENDEE;PARTSTAT=ACCEPTED:mailto:carl@else.test
END:VEVENT
END:VCALENDAR`.replaceAll('\n', '\r\n');

describe('invitations', () => {
  it('are read, in the time zone they describe', () => {
    const found = readInvitation(INVITATION);
    assert.ok(found);
    assert.equal(found.method, 'REQUEST');
    assert.equal(found.summary, 'Plans, big ones');
    assert.equal(new Date(found.start).toISOString(), '2026-05-03T09:00:00.000Z');
    assert.equal(found.end - found.start, 90 * 60_000);
    assert.equal(found.repeats, true);
    assert.deepEqual(found.organizer, { name: 'Ann', address: 'ann@else.test' });
    assert.deepEqual(
      found.attendees.map(({ address, answer }) => [address, answer]),
      [
        ['bob@example.test', 'none'],
        ['carl@else.test', 'accepted'],
      ],
    );
  });

  it('may be of whole days, or nonsense', () => {
    const days = INVITATION.replace(/DTSTART.*\r\nDURATION.*/, 'DTSTART;VALUE=DATE:20260503');
    assert.equal(readInvitation(days)?.wholeDays, true);
    assert.equal(readInvitation('BEGIN:VCALENDAR'), undefined);
    assert.equal(readInvitation('<html>'), undefined);
    assert.equal(readInvitation(''), undefined);
  });

  it('with work without end are read at once: clocks that change each second, events of a billion years', () => {
    const zone = (rule: string): string =>
      INVITATION.replace('TZOFFSETFROM:+0300', `RRULE:${rule}\r\nTZOFFSETFROM:+0200`);
    // What people's programs say still holds.
    for (const rule of [
      'FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
      'FREQ=YEARLY;WKST=MO;INTERVAL=1;BYMONTH=11;BYDAY=1SU',
      'FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=SU;UNTIL=20990101T000000Z',
    ])
      assert.equal(
        new Date(readInvitation(zone(rule))?.start ?? 0).toISOString(),
        '2026-05-03T09:00:00.000Z',
        rule,
      );
    // These never came back.
    for (const rule of [
      'FREQ=SECONDLY',
      'FREQ=MINUTELY;INTERVAL=2',
      'FREQ=YEARLY;BYHOUR=1,2,3,4,5,6;BYMINUTE=1,2,3,4,5,6;BYSECOND=1,2,3,4,5,6',
    ])
      assert.equal(readInvitation(zone(rule))?.summary, 'Plans, big ones', rule);
    const observance = INVITATION.slice(
      INVITATION.indexOf('BEGIN:STANDARD'),
      INVITATION.indexOf('END:VTIMEZONE'),
    );
    const yearly = observance.replace('TZOFFSETFROM', 'RRULE:FREQ=YEARLY\r\nTZOFFSETFROM');
    assert.ok(readInvitation(INVITATION.replace(observance, yearly.repeat(3000))));
    for (const long of ['P999999999999999999W', 'PT99999999999999999S', '-P999999999999999999D']) {
      const found = readInvitation(INVITATION.replace('PT90M', long));
      assert.equal(found?.end, found?.start, long);
    }
  });

  it('are answered', () => {
    const reply = replyCalendar(INVITATION, { name: 'Bob', address: 'bob@example.test' }, 'ACCEPTED', 0);
    assert.match(reply, /METHOD:REPLY/);
    assert.match(reply, /UID:1@else\.test/);
    assert.match(reply, /SEQUENCE:2/);
    assert.match(reply, /ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@example\.test/);
    assert.doesNotMatch(reply, /carl/);
  });
});
