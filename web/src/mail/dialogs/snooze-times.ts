/** When snoozed mail may come back. */
export interface SnoozeTime {
  readonly name: 'laterToday' | 'thisEvening' | 'tomorrow' | 'weekend' | 'nextWeek' | 'inAMonth';
  /** Milliseconds since the epoch. */
  readonly at: number;
}

const HOUR_MS = 3_600_000;
const [MORNING, EVENING] = [8, 18];

export function snoozeTimes(now: number): SnoozeTime[] {
  const at = (days: number, hour: number): number => {
    const day = new Date(now);
    return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days, hour).getTime();
  };
  const today = new Date(now);
  const hour = today.getHours();
  const weekday = today.getDay();
  const times: SnoozeTime[] = [];
  if (hour < EVENING - 3) {
    const later = Math.ceil((now + 2 * HOUR_MS) / HOUR_MS) * HOUR_MS;
    times.push({ name: 'laterToday', at: later });
  }
  if (hour < EVENING - 1) times.push({ name: 'thisEvening', at: at(0, EVENING) });
  times.push({ name: 'tomorrow', at: at(1, MORNING) });
  if (weekday >= 1 && weekday <= 4) times.push({ name: 'weekend', at: at(6 - weekday, MORNING) });
  const toMonday = (8 - weekday) % 7 || 7;
  if (toMonday > 1) times.push({ name: 'nextWeek', at: at(toMonday, MORNING) });
  const month = new Date(today.getFullYear(), today.getMonth() + 1, today.getDate(), MORNING);
  times.push({ name: 'inAMonth', at: month.getTime() });
  return times;
}

/** As an input of type datetime-local has it. */
export function localInput(at: number): string {
  const day = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}T${two(day.getHours())}:${two(day.getMinutes())}`;
}
