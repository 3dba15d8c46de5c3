import { decodeWords } from './words.ts';
import { guessText } from '../charset.ts';

/** An ENVELOPE as we keep it (RFC 9051 section 7.5.2), read for people. */

export interface ReadEnvelope {
  readonly subject: string;
  readonly from: readonly { readonly name: string; readonly address: string }[];
  readonly messageId: string | undefined;
}

/** Octets that are read, values of a list, and how deep lists go. */
const MAX_OCTETS = 64 * 1024;
const MAX_VALUES = 2000;
const MAX_DEPTH = 4;
/** UTF-16 units of a text that is told. */
const TEXT_LENGTH = 1000;

type Value = string | undefined | readonly Value[];

const NOTHING: ReadEnvelope = { subject: '', from: [], messageId: undefined };

/** What is no envelope says nothing. Linear, never throws. */
export function readEnvelope(octets: Buffer): ReadEnvelope {
  const values = new Reader(octets.toString('latin1', 0, MAX_OCTETS)).list(0);
  if (values === undefined) return NOTHING;
  const [, subject, from] = values;
  const id = values[9];
  return {
    subject: shown(subject),
    from: (Array.isArray(from) ? (from as readonly Value[]) : []).flatMap(addressOf),
    messageId: typeof id === 'string' ? (/<([^<>]{1,1000})>/.exec(id)?.[1] ?? undefined) : undefined,
  };
}

function shown(value: Value): string {
  if (typeof value !== 'string') return '';
  return decodeWords(value)
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, TEXT_LENGTH);
}

function addressOf(value: Value): { name: string; address: string }[] {
  if (!Array.isArray(value)) return [];
  const [name, , mailbox, host] = value as readonly Value[];
  // A group's beginning and end have no host.
  if (typeof mailbox !== 'string' || typeof host !== 'string') return [];
  const address = guessText(Buffer.from(`${mailbox}@${host}`, 'latin1')).slice(0, TEXT_LENGTH);
  return [{ name: shown(name), address }];
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  list(depth: number): Value[] | undefined {
    if (depth > MAX_DEPTH || this.#text.charAt(this.#at) !== '(') {
      // No envelope goes so deep: nothing more is read, or lists within lists would be tried again and again.
      this.#at = this.#text.length;
      return undefined;
    }
    this.#at++;
    const values: Value[] = [];
    while (this.#at < this.#text.length && values.length < MAX_VALUES) {
      const char = this.#text.charAt(this.#at);
      if (char === ')') {
        this.#at++;
        return values;
      }
      if (char === ' ') this.#at++;
      else if (char === '(') values.push(this.list(depth + 1));
      else if (char === '"') values.push(this.#quoted());
      else if (char === '{') values.push(this.#literal());
      else values.push(this.#nil());
    }
    return values;
  }

  #quoted(): string {
    let value = '';
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const char = this.#text.charAt(this.#at);
      if (char === '"') break;
      if (char === '\\') this.#at++;
      value += this.#text.charAt(this.#at);
    }
    this.#at++;
    return value;
  }

  #literal(): string {
    const end = this.#text.indexOf('}', this.#at);
    const size = end < 0 || end - this.#at > 12 ? 0 : Number(this.#text.slice(this.#at + 1, end));
    const start = end < 0 ? this.#text.length : end + 3;
    this.#at = Number.isSafeInteger(size) ? start + size : this.#text.length;
    return this.#text.slice(start, this.#at);
  }

  #nil(): undefined {
    while (this.#at < this.#text.length && !' ()"{'.includes(this.#text.charAt(this.#at))) this.#at++;
  }
}
