/** The shape of the rows of the command and test tables, and what many rows share. */
import { checkComparator, checkRelation, type StringCheck } from './string-checks.ts';
import type { Node } from './program.ts';
import type { Position } from './types.ts';

export interface ArgSpec {
  readonly type: 'string' | 'strings' | 'number';
  /** For messages: "a mailbox name". */
  readonly what: string;
  /** References to variables mean nothing here (RFC 5229 3: constant strings). */
  readonly constant?: boolean;
  /** Looks at each string without references to variables. */
  readonly check?: StringCheck;
  /** What the check finds is a warning: when the script runs, such a string is passed over. */
  readonly soft?: boolean;
}

export interface TagSpec {
  /** One of these must be required. */
  readonly ext?: readonly string[];
  readonly value?: ArgSpec;
  /** Of the tags of one group only one may stand. */
  readonly group?: string;
  /** Another tag that must stand too. */
  readonly needs?: readonly string[];
}

export type Tags = Readonly<Record<string, TagSpec>>;

export interface CheckContext {
  readonly requires: ReadonlySet<string>;
  readonly regexLength: number;
  error(at: Position, message: string): void;
  warn(at: Position, message: string): void;
}

export interface Spec {
  readonly kind: 'control' | 'action' | 'test';
  /** One of these must be required. */
  readonly ext?: readonly string[];
  readonly tags?: Tags;
  readonly args?: readonly ArgSpec[];
  /** An argument that may be missing: the first or the last. */
  readonly optional?: 'first' | 'last';
  readonly tests?: 'one' | 'many';
  readonly block?: boolean;
  /** What tables cannot say. */
  readonly check?: (node: Node, context: CheckContext) => void;
}

const RELATION: ArgSpec = { type: 'string', what: 'a relation', constant: true, check: checkRelation };

/** RFC 5228 2.7.1, RFC 5231, draft-ietf-sieve-regex, RFC 6134. */
export const MATCH: Tags = {
  is: { group: 'match' },
  contains: { group: 'match' },
  matches: { group: 'match' },
  regex: { group: 'match', ext: ['regex'] },
  list: { group: 'match', ext: ['extlists'] },
  count: { group: 'match', ext: ['relational'], value: RELATION },
  value: { group: 'match', ext: ['relational'], value: RELATION },
  comparator: {
    value: { type: 'string', what: 'a comparator', constant: true, check: checkComparator },
  },
};

/** RFC 5228 2.7.4, RFC 5233. */
export const ADDRESS_PART: Tags = {
  all: { group: 'part' },
  localpart: { group: 'part' },
  domain: { group: 'part' },
  user: { group: 'part', ext: ['subaddress'] },
  detail: { group: 'part', ext: ['subaddress'] },
};

/** RFC 5260 6. */
export const INDEX: Tags = {
  index: { ext: ['index'], value: { type: 'number', what: 'the number of a field' } },
  last: { ext: ['index'], needs: ['index'] },
};

/** RFC 5703 4. */
export const MIME: Tags = {
  mime: { ext: ['mime'] },
  anychild: { ext: ['mime'], needs: ['mime'] },
};

export const MIME_OPTIONS: Tags = {
  type: { ext: ['mime'], group: 'mime', needs: ['mime'] },
  subtype: { ext: ['mime'], group: 'mime', needs: ['mime'] },
  contenttype: { ext: ['mime'], group: 'mime', needs: ['mime'] },
  param: {
    ext: ['mime'],
    group: 'mime',
    needs: ['mime'],
    value: { type: 'strings', what: 'names of parameters' },
  },
};
