/** What a report from a stranger may cost to read. The largest providers' daily reports have a few thousand rows. */
export const reportLimits = {
  /** Octets of the attachment, still packed. */
  packedBytes: 10 * 1024 * 1024,
  /** Octets of it unpacked. */
  inflatedBytes: 10 * 1024 * 1024,
  /** Unpacked octets for each packed one, once there are more than `ratioFloorBytes`: text packs 10 to 60 times. */
  ratio: 200,
  ratioFloorBytes: 1024 * 1024,
  /** Elements inside one another, and in all. A report needs 6 and about 20 a row. */
  xmlDepth: 20,
  xmlElements: 1_000_000,
  /** Attributes of one element: a report needs a few namespaces. */
  xmlAttributes: 50,
  /** Characters of one element's text; the rest of longer text is dropped. */
  textChars: 4096,
  /** Rows of a report; more are a report that nobody sends. */
  records: 50_000,
  /** DKIM signatures (RFC 9990 3.1.3 suggests 100), SPF results and reasons kept of one row. */
  resultsPerRecord: 20,
  /** Policies of a TLS report, and failures of each. */
  tlsPolicies: 1000,
  tlsFailures: 100,
} as const;

export type ReportLimits = { readonly [K in keyof typeof reportLimits]: number };

export type ReportProblemKind =
  /** More octets than are read. */
  | 'too-large'
  /** Unpacks to far more than it is: made to hurt. */
  | 'bomb'
  /** Damaged, cut off, or not what its container says. */
  | 'broken'
  /** A document type or entities: no report has them, attacks do. */
  | 'doctype'
  /** Elements beyond the limits. */
  | 'too-many'
  | 'encrypted'
  | 'several-files'
  /** A container or compression that is not read. */
  | 'unsupported'
  /** Well-formed, and something else. */
  | 'not-a-report'
  /** Took longer than it may. */
  | 'too-slow';

/** Why a report was not read. `message` is one clause for the log. */
export class ReportProblem extends Error {
  override readonly name = 'ReportProblem';
  readonly kind: ReportProblemKind;

  constructor(kind: ReportProblemKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
