/** `BDAT size [LAST]` (RFC 3030 section 2). */
export interface BdatCommand {
  /** Octets that follow the command line; may exceed every limit. */
  readonly size: number;
  readonly last: boolean;
}

/** Undefined when malformed: then nobody knows how many octets follow. */
export function parseBdat(argument: string): BdatCommand | undefined {
  const match = /^([0-9]{1,20})(?: +(LAST))?$/i.exec(argument);
  if (match === null) return undefined;
  return { size: Number(match[1]), last: match[2] !== undefined };
}
