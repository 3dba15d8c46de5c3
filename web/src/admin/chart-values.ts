/** What a chart says of its lines beside drawing them. */

export type Values = readonly (number | null)[];

/** All of what is counted; of what is measured the last there is. Undefined: nothing is known. */
export function summaryOf(values: Values, counted: boolean): number | undefined {
  const known = values.filter((value) => value !== null);
  if (known.length === 0 || !counted) return known.at(-1);
  return known.reduce((sum, value) => sum + value, 0);
}

/** Places of values with nothing on either side: a line is not drawn through them, so they need a dot. */
export function lonely(values: Values): number[] {
  return values.flatMap((value, at) =>
    value !== null && (values[at - 1] ?? null) === null && (values[at + 1] ?? null) === null ? [at] : [],
  );
}
