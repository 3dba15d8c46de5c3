import { refuse } from '../replies.ts';
import { SESSION_LIMITS } from '../limits.ts';
import { loginOf, type Session } from '../session.ts';
import { Decoder, literalHead, type Segment, SyntaxFault } from '../wire/decoder.ts';
import { type SearchCriteria, searchCriteria, type SearchKey, usesFilter } from '../wire/search-key.ts';

/** Where filters stand among the annotations of the server (RFC 5466 section 3.2). */
const VALUES = '/filters/values/';

type Values = ReadonlyMap<string, Uint8Array>;

/** The key that an annotation's entry gives a name to; undefined for other entries. */
export function filterOf(entry: string): string | undefined {
  if (!entry.startsWith(VALUES)) return undefined;
  const name = entry.slice(VALUES.length);
  return name.includes('/') ? undefined : name;
}

/**
 * What is searched for, with the searches that it names put in (RFC 5466 section 3.1). Their texts are UTF-8, and so are
 * those beside them then.
 * @throws Refusal UNDEFINED-FILTER, LIMIT; SyntaxFault BADCHARSET
 */
export async function withFilters<T extends SearchCriteria>(session: Session, criteria: T): Promise<T> {
  if (!usesFilter(criteria.key)) return criteria;
  if (!/^(?:|us-ascii|utf-?8)$/i.test(criteria.charset))
    throw new SyntaxFault('expected no other charset than UTF-8 beside FILTER', 'BADCHARSET (UTF-8)');
  const { accountId } = loginOf(session);
  const stored = await session.options.store.read.run('sharing.annotations', { accountId, mailboxId: 0 });
  const values = new Map<string, Uint8Array>();
  // Somebody's own filter goes before a shared one of that name.
  for (const scope of ['shared', 'private']) {
    for (const each of stored) {
      const name = filterOf(each.entry);
      if (each.scope === scope && name !== undefined) values.set(name, each.value);
    }
  }
  return { ...criteria, charset: 'utf-8', key: expander(session, values)(criteria.key, []) };
}

/** Puts filters in, and those that they name, within limits for all of them together. */
function expander(
  session: Session,
  values: Values,
): (key: SearchKey, within: readonly string[]) => SearchKey {
  let filters = 0;
  let octets = 0;
  const expand = (key: SearchKey, within: readonly string[]): SearchKey => {
    switch (key.kind) {
      case 'and':
        return { kind: 'and', keys: key.keys.map((each) => expand(each, within)) };
      case 'or':
        return { kind: 'or', a: expand(key.a, within), b: expand(key.b, within) };
      case 'not':
        return { kind: 'not', key: expand(key.key, within) };
      case 'filter':
        return expand(read(key.name, within), [...within, key.name.toLowerCase()]);
      default:
        return key;
    }
  };
  const read = (name: string, within: readonly string[]): SearchKey => {
    const value = values.get(name.toLowerCase());
    if (value === undefined) throw undefinedFilter(name, 'There is no such filter');
    if (within.includes(name.toLowerCase())) throw undefinedFilter(name, 'This filter names itself');
    octets += value.length;
    if (++filters > SESSION_LIMITS.filters || octets > SESSION_LIMITS.literalBytes)
      throw refuse('limit', 'LIMIT', `At most ${SESSION_LIMITS.filters} filters at once`);
    try {
      return filterKey(session, value);
    } catch (error) {
      if (error instanceof SyntaxFault) throw undefinedFilter(name, `The filter is wrong: ${error.message}`);
      throw error;
    }
  };
  return expand;
}

function undefinedFilter(name: string, text: string): Error {
  return refuse('not-found', `UNDEFINED-FILTER ${name}`, text);
}

/** The search-keys of a filter's value. Throws a SyntaxFault that tells what is wrong. */
export function filterKey(session: Session, value: Uint8Array): SearchKey {
  const { imapDepth } = session.options.limits;
  return searchCriteria(new Decoder(segmentsOf(value), { maxDepth: imapDepth, utf8: true }), 'utf-8').key;
}

/** The lines of a value, cut at its literals. */
function segmentsOf(value: Uint8Array): Segment[] {
  const octets = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const segments: Segment[] = [];
  let at = 0;
  for (;;) {
    const end = octets.indexOf('\r\n', at);
    const line = octets.subarray(at, end === -1 ? undefined : end);
    const head = end === -1 ? undefined : literalHead(line);
    if (head === undefined || end + 2 + head.size > octets.length)
      return [...segments, { line: octets.subarray(at), literal: undefined }];
    at = end + 2 + head.size;
    segments.push({ line, literal: { octets: octets.subarray(end + 2, at), binary: head.binary } });
  }
}
