/** Postfix lookup tables (postmap(1), regexp_table(5), pcre_table(5)): what they are, without files and clocks. */

/** Something that stands wrong in a table. */
export interface TableProblem {
  /** Name of the table, as errors show it: its path, or what it is called where it has none. */
  readonly source: string;
  /** From 1; 0 where it is about the whole table. */
  readonly line: number;
  /** `error`: the table cannot be used. `ignored`: Postfix leaves that rule out too and goes on. */
  readonly kind: 'error' | 'ignored';
  readonly message: string;
  /** What to write instead, a sentence; '' where the message says enough. */
  readonly remedy: string;
}

export interface LookupTable {
  /** As it was named: "pcre:/etc/postfix/users". */
  readonly name: string;
  /**
   * Whether keys are matched whole by patterns; in such a table nothing shorter than the whole address is looked up
   * (pcre_table(5), SEARCH ORDER).
   */
  readonly patterns: boolean;
  /** Rules, or keys. */
  readonly size: number;
  /** The result of one key, undefined for none. An empty text is a result, as in Postfix. */
  query(key: string): Promise<string | undefined>;
}

export type TableResult =
  | { readonly table: LookupTable; readonly problems: readonly TableProblem[] }
  | { readonly table: undefined; readonly problems: readonly TableProblem[] };

/** "FILE:LINE: message. Remedy", as compilers write it, so that editors find the place. */
export function problemText({ source, line, message, remedy }: TableProblem): string {
  const place = line === 0 ? source : `${source}:${line}`;
  return `${place}: ${message}${remedy === '' ? '' : `. ${remedy}`}`;
}

/** Octets of one table's text. */
export const TABLE_BYTES = 4 * 1024 * 1024;
/** Rules of one table of patterns: all of them may have to be tried for one address. */
export const PATTERN_RULES = 5000;
/** Keys of one indexed table. */
export const INDEXED_KEYS = 200_000;
/** UTF-16 units of a pattern. */
export const PATTERN_LENGTH = 4096;
/** UTF-16 units of a result. */
export const RESULT_LENGTH = 8192;
/** UTF-16 units of a key that is looked up; longer ones are in no table. */
export const KEY_LENGTH = 1024;
/** `if` blocks inside each other. */
export const IF_DEPTH = 50;

/** Rules tried, or lines read, between two breaths of the event loop. */
export const BREATH = 64;

/** Let others have their turn. */
export function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
