/** date and currentdate (RFC 5260 4, 5). */
import { formatDate } from '../message/build.ts';
import { parseDate } from '../message/dates.ts';
import { matchValues } from './match.ts';
import type { Node } from './program.ts';
import { type Run, tagText, text } from './run.ts';
import { indexedFields, type Test } from './run-tests.ts';
import { checkZone } from './string-checks.ts';
import type { SieveField } from './types.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
/** The Modified Julian Day of 1 January 1970. */
const EPOCH_MJD = 40_587;

const two = (value: number): string => String(value).padStart(2, '0');

function zoneText(minutes: number, colon: string): string {
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${colon}${two(size % 60)}`;
}

/** One part of the time `ms` (milliseconds since the epoch) in a zone (minutes east of UTC), as RFC 5260 4.2 writes it. */
export function datePart(part: string, ms: number, zone: number): string {
  const local = new Date(ms + zone * MINUTE_MS);
  const date = `${String(local.getUTCFullYear()).padStart(4, '0')}-${two(local.getUTCMonth() + 1)}-${two(local.getUTCDate())}`;
  const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}`;
  switch (part.toLowerCase()) {
    case 'year':
      return date.slice(0, 4);
    case 'month':
      return date.slice(5, 7);
    case 'day':
      return date.slice(8, 10);
    case 'date':
      return date;
    case 'julian':
      return String(Math.floor((ms + zone * MINUTE_MS) / DAY_MS) + EPOCH_MJD);
    case 'hour':
      return time.slice(0, 2);
    case 'minute':
      return time.slice(3, 5);
    case 'second':
      return time.slice(6, 8);
    case 'time':
      return time;
    case 'iso8601':
      return `${date}T${time}${zoneText(zone, ':')}`;
    case 'std11':
      return formatDate(ms, zone);
    case 'zone':
      return zoneText(zone, '');
    case 'weekday':
      return String(local.getUTCDay());
    default:
      return '';
  }
}

/** Minutes east of UTC that :zone or :originalzone ask for; the owner's otherwise. */
function wantedZone(run: Run, node: Node, original: number): number {
  if (node.tags.has('originalzone')) return original;
  const zone = tagText(run, node, 'zone');
  if (zone === undefined || checkZone(zone) !== undefined) return run.world.zoneMinutes;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3, 5));
  return zone.startsWith('-') ? -minutes : minutes;
}

/** The date of a field; of Received and its like it stands after the last ";" (RFC 5260 4). */
function fieldDate(field: SieveField): ReturnType<typeof parseDate> {
  const semicolon = field.value.lastIndexOf(';');
  return parseDate(semicolon === -1 ? field.value : field.value.slice(semicolon + 1));
}

function dateTest(run: Run, node: Node): Promise<boolean> {
  const fields = indexedFields(run, node, [text(run, node.args[0])]);
  const part = text(run, node.args[1]);
  // Without :index the first field counts (RFC 5260 4: one date is tested).
  const found = fields[0] === undefined ? undefined : fieldDate(fields[0]);
  const values = found === undefined ? [] : [datePart(part, found.ms, wantedZone(run, node, found.zone))];
  return matchValues(run, node, values, node.args[2]);
}

function currentdate(run: Run, node: Node): Promise<boolean> {
  const value = datePart(
    text(run, node.args[0]),
    run.world.now,
    wantedZone(run, node, run.world.zoneMinutes),
  );
  return matchValues(run, node, [value], node.args[1]);
}

export const DATE_TESTS: Readonly<Record<string, Test>> = { date: dateTest, currentdate };
