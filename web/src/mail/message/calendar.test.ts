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

  it('are answered', () => {
    const reply = replyCalendar(INVITATION, { name: 'Bob', address: 'bob@example.test' }, 'ACCEPTED', 0);
    assert.match(reply, /METHOD:REPLY/);
    assert.match(reply, /UID:1@else\.test/);
    assert.match(reply, /SEQUENCE:2/);
    assert.match(reply, /ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@example\.test/);
    assert.doesNotMatch(reply, /carl/);
  });
});
