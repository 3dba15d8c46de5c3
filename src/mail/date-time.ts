/**
 * A date-time of RFC 3339 section 5.6, in milliseconds since the epoch; undefined for what is none. Leap seconds count as the
 * second before them.
 */
export function parseDateTime(text: string): number | undefined {
  const found = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}:\d{2}):(\d{2})(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/.exec(text);
  if (found === null) return undefined;
  const [, date = '', minute = '', second = '', fraction = '', zone = ''] = found;
  const whole = second === '60' ? '59' : second;
  const ms = Date.parse(`${date}T${minute}:${whole}${fraction.slice(0, 4)}${zone.toUpperCase()}`);
  // Date.parse takes the 31st of February for a day in March.
  const day = new Date(`${date}T00:00:00Z`);
  if (Number.isNaN(ms) || Number.isNaN(day.getTime()) || !day.toISOString().startsWith(date))
    return undefined;
  return ms;
}
