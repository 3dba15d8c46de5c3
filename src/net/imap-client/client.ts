import { ImapFailure } from './failure.ts';
import type { Atom, RawResponse, Status, Value } from './response.ts';
import { isAtom, isList, parseStatus, parseValues, textOf } from './response.ts';
import { decodeMailboxName, encodeMailboxName } from './utf7.ts';
import type { ImapWire, LiteralSink } from './wire.ts';

export interface ListedMailbox {
  /** As the server writes it on the wire: what commands name it by. */
  readonly wire: string;
  /** Levels from the top, in Unicode. */
  readonly levels: readonly string[];
  /** What stands between levels on the wire; '' for a flat name space. */
  readonly delimiter: string;
  /** Attributes with their backslash, as sent: "\\Noselect", "\\Sent". */
  readonly attributes: readonly string[];
}

export interface SelectedMailbox {
  readonly exists: number;
  readonly uidvalidity: number;
  /** 0 where the server does not say. */
  readonly uidnext: number;
}

/** Prefixes of mailbox names (RFC 2342), on the wire: those of the account, of other people, of everybody. */
export interface Namespaces {
  readonly own: readonly string[];
  readonly others: readonly string[];
  readonly shared: readonly string[];
}

/** Data items of one FETCH response, names in upper case; bodies that went to the sink are empty. */
export type FetchedRow = ReadonlyMap<string, Value>;

/** A session with an IMAP server (RFC 3501, RFC 9051), after login. One command at a time. */
export class ImapClient {
  readonly #wire: ImapWire;
  #tags = 0;
  #capabilities: ReadonlySet<string> = new Set();

  constructor(wire: ImapWire) {
    this.#wire = wire;
  }

  get capabilities(): ReadonlySet<string> {
    return this.#capabilities;
  }

  get closed(): boolean {
    return this.#wire.connection.closed;
  }

  /** Take on capabilities from a response code or an untagged response. */
  learn(words: string): void {
    this.#capabilities = new Set(words.toUpperCase().split(' ').slice(1));
  }

  /**
   * One command: texts and, between them, literals (sent synchronising). Throws `ImapFailure` 'refused' for NO and BAD.
   * `shown` stands for the command in error messages.
   */
  async command(
    parts: readonly (string | Buffer)[],
    options: {
      readonly shown?: string;
      readonly untagged?: (raw: RawResponse) => void;
      readonly sink?: LiteralSink | undefined;
      /** Answers a continuation that is no literal's (AUTHENTICATE). */
      readonly challenge?: (text: string) => Promise<string>;
    } = {},
  ): Promise<Status> {
    const tag = `p${++this.#tags}`;
    const wire = this.#wire;
    const rest = [...parts];
    let line = `${tag} ${takeText(rest)}`;
    const literal = (): Buffer | undefined => (Buffer.isBuffer(rest[0]) ? rest[0] : undefined);
    const shown = options.shown ?? String(parts[0]).split(' ', 2).join(' ');
    await wire.send(`${line}${literal() === undefined ? '' : `{${literal()?.length}}`}\r\n`);
    for (;;) {
      const raw = await wire.response(options.sink);
      const first = raw.texts[0] ?? '';
      if (first.startsWith('+')) {
        const octets = literal();
        if (octets !== undefined) {
          await wire.send(octets);
          rest.shift();
          line = takeText(rest);
          await wire.send(`${line}${literal() === undefined ? '' : `{${literal()?.length}}`}\r\n`);
        } else if (options.challenge !== undefined) {
          await wire.send(`${await options.challenge(first.slice(1).trim())}\r\n`);
        } else throw new ImapFailure('protocol', 'the server asks for more than the command has');
      } else if (first.startsWith('* ')) {
        this.#untagged(raw, options.untagged);
      } else if (first.startsWith(`${tag} `)) {
        return this.#finish(first.slice(tag.length + 1), shown);
      } else throw new ImapFailure('protocol', 'the server sent a line that belongs to nothing');
    }
  }

  #untagged(raw: RawResponse, take: ((raw: RawResponse) => void) | undefined): void {
    const line = (raw.texts[0] ?? '').slice(2);
    if (/^CAPABILITY /i.test(line)) this.learn(line);
    const status = parseStatus(line);
    if (status?.status === 'BYE' && take === undefined)
      throw new ImapFailure('lost', `the server says goodbye: ${status.text}`);
    if (status !== undefined && /^CAPABILITY /i.test(status.code)) this.learn(status.code);
    take?.(raw);
  }

  #finish(line: string, shown: string): Status {
    const status = parseStatus(line);
    if (status === undefined) throw new ImapFailure('protocol', 'the server sent an answer that is none');
    if (/^CAPABILITY /i.test(status.code)) this.learn(status.code);
    if (status.status === 'OK') return status;
    const code = status.code.split(' ', 1)[0]?.toUpperCase() || undefined;
    throw new ImapFailure('refused', `the server refuses ${shown}: ${status.text || status.status}`, code);
  }

  /** Mailboxes by LIST or LSUB, with special uses where the server tells them (RFC 6154). */
  async list(verb: 'LIST' | 'LSUB' = 'LIST'): Promise<ListedMailbox[]> {
    const found: ListedMailbox[] = [];
    // RFC 6154 section 2: a server may keep special uses to itself until it is asked (Cyrus: specialusealways).
    const asked =
      verb === 'LIST' && ['SPECIAL-USE', 'LIST-EXTENDED'].every((name) => this.capabilities.has(name));
    await this.command([`${verb} "" "*"${asked ? ' RETURN (SPECIAL-USE)' : ''}`], {
      shown: verb,
      untagged: (raw) => {
        const values = parseValues(raw);
        if (textOf(values[1]).toUpperCase() !== verb) return;
        const [, , attributes, delimiter, name] = values;
        const wire = textOf(name);
        if (wire === '') return;
        const between = textOf(delimiter);
        const path = decodeMailboxName(Buffer.from(wire, 'latin1'));
        found.push({
          wire,
          delimiter: between,
          levels: between === '' ? [path] : path.split(between).filter((level) => level !== ''),
          attributes: isList(attributes) ? attributes.map(textOf) : [],
        });
      },
    });
    return found;
  }

  /** Where names begin (RFC 2342); undefined when the server has no NAMESPACE. */
  async namespaces(): Promise<Namespaces | undefined> {
    if (!this.capabilities.has('NAMESPACE')) return undefined;
    let found: Namespaces | undefined;
    await this.command(['NAMESPACE'], {
      untagged: (raw) => {
        const [, name, own, others, shared] = parseValues(raw);
        if (textOf(name).toUpperCase() !== 'NAMESPACE') return;
        found = { own: prefixes(own), others: prefixes(others), shared: prefixes(shared) };
      },
    });
    return found;
  }

  /** EXAMINE (or SELECT, to be allowed to change it). */
  async open(wire: string, verb: 'EXAMINE' | 'SELECT' = 'EXAMINE'): Promise<SelectedMailbox> {
    const found = { exists: 0, uidvalidity: 0, uidnext: 0 };
    await this.command([`${verb} `, ...astring(wire)], {
      shown: verb,
      untagged: (raw) => {
        const line = (raw.texts[0] ?? '').slice(2);
        const exists = /^(\d+) EXISTS$/i.exec(line)?.[1];
        if (exists !== undefined) found.exists = Number(exists);
        const [name = '', value = ''] = (parseStatus(line)?.code ?? '').split(' ');
        if (/^UIDVALIDITY$/i.test(name)) found.uidvalidity = Number(value);
        if (/^UIDNEXT$/i.test(name)) found.uidnext = Number(value);
      },
    });
    return found;
  }

  /** UID FETCH: `row` for each response that names a UID. A body in it goes to `sink` before its row is told. */
  async fetch(
    set: string,
    items: string,
    row: (uid: number, row: FetchedRow) => void,
    sink?: LiteralSink,
  ): Promise<void> {
    await this.command([`UID FETCH ${set} (${items})`], {
      shown: 'FETCH',
      sink,
      untagged: (raw) => {
        if (!/^\* \d+ FETCH/i.test(raw.texts[0] ?? '')) return;
        const fetched = pairs(parseValues(raw)[3]);
        const uid = Number(textOf(fetched.get('UID')));
        if (Number.isSafeInteger(uid) && uid > 0) row(uid, fetched);
      },
    });
  }

  /** APPEND (RFC 9051 section 6.3.12); the message is streamed. `flags`: "\\Seen $Forwarded". `at`: milliseconds. */
  async append(
    wire: string,
    message: { readonly flags: string; readonly at: number; readonly size: number },
    octets: AsyncIterable<Buffer>,
  ): Promise<void> {
    const tag = `p${++this.#tags}`;
    const date = internalDate(message.at);
    const name = quote(wire);
    if (name === undefined) throw new ImapFailure('protocol', 'a mailbox name with a line break');
    await this.#wire.send(`${tag} APPEND ${name} (${message.flags}) "${date}" {${message.size}}\r\n`);
    for (;;) {
      const raw = await this.#wire.response();
      const first = raw.texts[0] ?? '';
      if (first.startsWith('+')) {
        for await (const piece of octets) await this.#wire.send(piece);
        await this.#wire.send('\r\n');
      } else if (first.startsWith(`${tag} `)) {
        this.#finish(first.slice(tag.length + 1), 'APPEND');
        return;
      } else this.#untagged(raw, undefined);
    }
  }

  async create(name: string): Promise<void> {
    await this.command(['CREATE ', ...astring(name)], { shown: 'CREATE' });
  }

  async subscribe(name: string): Promise<void> {
    await this.command(['SUBSCRIBE ', ...astring(name)], { shown: 'SUBSCRIBE' });
  }

  /** Say goodbye; never throws. */
  async logout(): Promise<void> {
    try {
      if (!this.closed) await this.command(['LOGOUT'], { untagged: () => undefined });
    } catch {
      // It is over either way.
    }
    this.#wire.connection.destroy();
  }
}

function takeText(rest: (string | Buffer)[]): string {
  let text = '';
  while (typeof rest[0] === 'string') text += String(rest.shift());
  return text;
}

/** A mailbox name or other string as an argument: quoted where it can be, else a literal. */
export function astring(text: string): readonly (string | Buffer)[] {
  const quoted = quote(text);
  return quoted === undefined ? [Buffer.from(text, 'latin1'), ''] : [quoted];
}

function quote(text: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- what a quoted string may not have
  if (/[\x00-\x1f\x7f-\xff]/.test(text)) return undefined;
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** The wire form of levels below each other. */
export function wireName(levels: readonly string[], delimiter: string): string {
  return encodeMailboxName(levels.join(delimiter));
}

/** First strings of the lists in a list: (("INBOX." ".")). */
function prefixes(value: Value): readonly string[] {
  return isList(value) ? value.filter(isList).map(([prefix]) => textOf(prefix)) : [];
}

function pairs(value: Value): Map<string, Value> {
  const found = new Map<string, Value>();
  if (!isList(value)) return found;
  for (let at = 0; at + 1 < value.length; at += 2) {
    const name: Value = value[at];
    if (isAtom(name)) found.set((name as Atom).atom.toUpperCase(), value[at + 1]);
  }
  return found;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** "01-Feb-2024 03:04:05 +0000" (RFC 9051 `date-time`). */
export function internalDate(ms: number): string {
  const date = new Date(ms);
  const day = `${two(date.getUTCDate())}-${MONTHS[date.getUTCMonth()] ?? 'Jan'}-${String(date.getUTCFullYear()).padStart(4, '0')}`;
  return `${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())} +0000`;
}

/** Milliseconds of an INTERNALDATE; undefined when it is none. */
export function parseInternalDate(text: string): number | undefined {
  const found = /^ ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)$/.exec(text);
  if (found === null) return undefined;
  const [, day, name = '', year, hour, minute, second, sign, zoneHours, zoneMinutes] = found;
  const month = MONTHS.findIndex((each) => each.toLowerCase() === name.toLowerCase());
  if (month === -1) return undefined;
  const local = Date.UTC(Number(year), month, Number(day), Number(hour), Number(minute), Number(second));
  const zone = (Number(zoneHours) * 60 + Number(zoneMinutes)) * 60_000;
  return sign === '-' ? local + zone : local - zone;
}
