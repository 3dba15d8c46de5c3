/** Answers about DNS from a table, each with or without the word of DNSSEC. */
import type { Dns, DnsAnswer, DnsRecords, DnsType } from '../../src/mail/dns.ts';

export type TableRecords = { [T in DnsType]?: readonly DnsRecords[T][] };

export type TableEntry = TableRecords & {
  /** Not validated; the rest of the table is when `secure` is asked for. */
  insecure?: boolean;
  /** Another name. */
  alias?: string;
  /** SERVFAIL for these types, or all. */
  bogus?: readonly DnsType[] | true;
};

/** Names without final dot, lower case; absent ones do not exist. */
export type DnsTable = Record<string, TableEntry>;

/** `secure`: whether answers are validated where an entry does not say otherwise. Questions are noted in `asked`. */
export function tableDns(table: DnsTable, secure: boolean, asked: string[] = []): Dns {
  return {
    query: <T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> => {
      asked.push(`${type} ${name}`);
      return Promise.resolve(answer(table, secure, name.toLowerCase(), type));
    },
  };
}

function answer<T extends DnsType>(
  table: DnsTable,
  secure: boolean,
  question: string,
  type: T,
): DnsAnswer<T> {
  let name = question;
  let authenticated = secure;
  for (let hops = 0; hops < 10; hops++) {
    const entry = table[name];
    if (entry === undefined) return { status: 'nxdomain', authenticated };
    if (entry.bogus === true || entry.bogus?.includes(type) === true)
      return { status: 'temporary', reason: 'SERVFAIL' };
    authenticated &&= entry.insecure !== true;
    if (entry.alias !== undefined && type !== 'CNAME') {
      name = entry.alias;
      continue;
    }
    const records = (type === 'CNAME' && entry.alias !== undefined ? [entry.alias] : entry[type]) as
      | readonly DnsRecords[T][]
      | undefined;
    if (records === undefined || records.length === 0) return { status: 'nodata', authenticated };
    return {
      status: 'ok',
      records,
      ttl: 300,
      authenticated,
      ...(name !== question && { canonicalName: name }),
    };
  }
  return { status: 'temporary', reason: 'loop' };
}

export function mx(...names: string[]): DnsRecords['MX'][] {
  return names.map((exchange, index) => ({ preference: 10 * (index + 1), exchange }));
}

export function txt(...texts: string[]): DnsRecords['TXT'][] {
  return texts.map((text) => ({ text, chunks: [Buffer.from(text, 'latin1')] }));
}
