/** Where a body lies inside a segment. */
export interface Place {
  /** The segment's name. */
  readonly segment: string;
  /** Octets before it. */
  readonly offset: number;
}

const PLACE = /^([0-9a-z]{26})\/(\d{10})$/;

/**
 * The name of a body in a segment: the segment's and the offset, so that all names of a segment stand together, in the
 * order of their octets. A body with a file of its own has a name without a slash.
 */
export function placeName({ segment, offset }: Place): string {
  return `${segment}/${String(offset).padStart(10, '0')}`;
}

/** Undefined: the name of a body with a file of its own. */
export function parsePlace(name: string): Place | undefined {
  const [, segment, offset] = PLACE.exec(name) ?? [];
  return segment === undefined ? undefined : { segment, offset: Number(offset) };
}

/** The least name of a segment's places, and the least above all of them ('0' is next to '/'). */
export function placesOf(segment: string): { readonly from: string; readonly to: string } {
  return { from: `${segment}/`, to: `${segment}0` };
}
