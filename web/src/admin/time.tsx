import { formatDateTime, formatRelative } from '../base/format.ts';

/** A time as it is where the reader is; the exact one (UTC) when it is pointed at. `at`: milliseconds since the epoch. */
export function Time({ at, relative = false }: { readonly at: number; readonly relative?: boolean }) {
  const exact = new Date(at).toISOString();
  return (
    <time dateTime={exact} title={`${exact.replace('T', ' ').replace('Z', '')} UTC`}>
      {relative ? formatRelative(at) : formatDateTime(at)}
    </time>
  );
}

/** The same twice: on the clock, and from now. */
export function TimeAndAway({ at }: { readonly at: number }) {
  return (
    <>
      <Time at={at} /> ({formatRelative(at)})
    </>
  );
}
