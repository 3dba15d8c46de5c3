/** Times that sending later is offered for; all in the time zone of this device. */

export type Preset =
  | 'later-today'
  | 'this-evening'
  | 'tomorrow-morning'
  | 'tomorrow-afternoon'
  | 'monday-morning';

const MORNING = 8;
const AFTERNOON = 14;
const EVENING = 18;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

function at(day: Date, hour: number): number {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate(), hour).getTime();
}

/** What makes sense now, soonest first; milliseconds since the epoch. */
export function presets(now: number): readonly (readonly [preset: Preset, at: number])[] {
  const today = new Date(now);
  const tomorrow = new Date(today.getFullYear(), today.getMonth(), today.getDate() + 1);
  // Monday is 1; from a Monday it is the next one.
  const days = ((8 - today.getDay()) % 7 || 7) as number;
  const monday = new Date(today.getFullYear(), today.getMonth(), today.getDate() + days);
  const found: (readonly [Preset, number])[] = [];
  const soon = Math.ceil((now + 2 * HOUR_MS) / HOUR_MS) * HOUR_MS;
  if (new Date(soon).getDate() === today.getDate() && today.getHours() < EVENING - 3)
    found.push(['later-today', soon]);
  if (today.getHours() < EVENING - 1) found.push(['this-evening', at(today, EVENING)]);
  found.push(['tomorrow-morning', at(tomorrow, MORNING)], ['tomorrow-afternoon', at(tomorrow, AFTERNOON)]);
  if (days > 1) found.push(['monday-morning', at(monday, MORNING)]);
  return found;
}

/** As an input of type datetime-local has it. */
export function toLocalInput(ms: number): string {
  const day = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}T${two(day.getHours())}:${two(day.getMinutes())}`;
}

export function fromLocalInput(text: string): number | undefined {
  const ms = new Date(text).getTime();
  return Number.isNaN(ms) ? undefined : ms;
}

/** Why a time cannot be taken. */
export function timeProblem(
  ms: number | undefined,
  now: number,
  mostSeconds: number,
): 'past' | 'far' | undefined {
  if (ms === undefined || ms < now + 30_000) return 'past';
  return ms > now + mostSeconds * 1000 ? 'far' : undefined;
}

/** Days, rounded down. */
export function daysOf(seconds: number): number {
  return Math.floor((seconds * 1000) / DAY_MS);
}
