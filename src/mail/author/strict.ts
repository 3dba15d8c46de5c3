/** From as the grammar has it (RFC 5322 section 3.4, RFC 6854): where a value keeps to it, all readers see the same. */

/** One mailbox of a well-formed value. */
export interface StrictMailbox {
  /** As it stands, without quotes. */
  readonly local: string;
  readonly domain: string;
  /** Words before the angle brackets and comments, as they stand: what is shown beside or instead of the address. */
  readonly shown: string;
}

/** Characters of an atom; all beyond ASCII (RFC 6532), and the dot, which obs-phrase has and every reader takes. */
function isAtom(code: number): boolean {
  if (code > 127) return true;
  if (code >= 48 && code <= 57) return true;
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || "!#$%&'*+-/=?^_`{|}~.".includes(String.fromCharCode(code));
}

/** Thrown inside this file only: the value breaks the grammar. */
class Loose extends Error {}

/** The end of an encoded word that opens at `at`, or -1. Its text may hold what an atom may not: senders do that. */
function encodedWordEnd(text: string, at: number): number {
  if (!text.startsWith('=?', at)) return -1;
  const match = /^=\?[!-~]{1,60}\?[bBqQ]\?([!->@-~]{0,400})\?=/.exec(text.slice(at, at + 500));
  return match === null ? -1 : at + match[0].length;
}

class Reader {
  readonly #text: string;
  #at = 0;
  #shown = '';

  constructor(text: string) {
    this.#text = text;
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #is(char: string): boolean {
    return this.#peek() === char;
  }

  #take(char: string): void {
    if (!this.#is(char)) throw new Loose();
    this.#at++;
  }

  /** White space and comments; those are shown by some readers. */
  #skip(): void {
    for (;;) {
      while (this.#is(' ') || this.#is('\t')) this.#at++;
      if (!this.#is('(')) return;
      const start = this.#at;
      let depth = 0;
      do {
        if (this.#at >= this.#text.length) throw new Loose();
        const char = this.#text.charAt(this.#at++);
        if (char === '\\') this.#at++;
        else if (char === '(') depth++;
        else if (char === ')') depth--;
      } while (depth > 0);
      this.#shown += ` ${this.#text.slice(start + 1, this.#at - 1)} `;
    }
  }

  #quoted(): string {
    this.#take('"');
    let value = '';
    while (!this.#is('"')) {
      if (this.#is('\\')) this.#at++;
      if (this.#at >= this.#text.length) throw new Loose();
      value += this.#text.charAt(this.#at++);
    }
    this.#at++;
    return value;
  }

  #atom(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && isAtom(this.#text.charCodeAt(this.#at))) this.#at++;
    if (this.#at === start) throw new Loose();
    return this.#text.slice(start, this.#at);
  }

  /** dot-atom: no empty part, no encoded word, which is not allowed here and some readers decode (RFC 2047 section 5). */
  #dotAtom(): string {
    const atom = this.#atom();
    if (/^\.|\.$|\.\.|=\?/.test(atom)) throw new Loose();
    return atom;
  }

  #checkLocal(local: string): string {
    if (/[@<>,;:()[\]\\"]|=\?/.test(local)) throw new Loose(); // legal in quotes, and read in several ways
    return local;
  }

  /** `local@domain` in angle brackets, nothing else between them. */
  #angle(): { local: string; domain: string } {
    this.#take('<');
    const local = this.#is('"') ? this.#checkLocal(this.#quoted()) : this.#dotAtom();
    this.#take('@');
    const domain = this.#dotAtom();
    this.#take('>');
    return { local, domain };
  }

  /** A mailbox, or the name of a group, of which the ":" is taken. */
  #entry(): StrictMailbox | 'group' {
    this.#shown = '';
    this.#skip();
    let words = 0;
    let last = '';
    for (;;) {
      if (this.#is('<')) {
        const { local, domain } = this.#angle();
        this.#skip();
        return { local, domain, shown: this.#shown };
      }
      if (this.#is('@') && words === 1) {
        this.#at++;
        const shown = this.#shown.replace(last, ''); // the local part is no display name
        const domain = this.#dotAtom();
        if (/^\.|\.$|\.\./.test(last)) throw new Loose();
        this.#shown = '';
        this.#skip();
        return { local: this.#checkLocal(last), domain, shown: `${shown}${this.#shown}` };
      }
      if (this.#is(':') && words > 0) {
        this.#at++;
        return 'group';
      }
      last = this.#word();
      this.#shown += ` ${last}`;
      words++;
      const end = this.#at;
      this.#skip();
      if (this.#at !== end && this.#is('@')) throw new Loose(); // "a @b": not all readers join them
    }
  }

  #word(): string {
    if (this.#is('"')) return this.#quoted();
    const end = encodedWordEnd(this.#text, this.#at);
    if (end < 0) return this.#atom();
    const word = this.#text.slice(this.#at, end);
    this.#at = end;
    return word;
  }

  read(): StrictMailbox[] {
    const found: StrictMailbox[] = [];
    let inGroup = false;
    for (;;) {
      this.#skip();
      if (inGroup && this.#is(';')) {
        this.#at++;
        inGroup = false;
        this.#skip();
      } else {
        const entry = this.#entry();
        if (entry === 'group') {
          if (inGroup) throw new Loose();
          inGroup = true;
          continue;
        }
        found.push(entry);
        if (inGroup && this.#is(';')) continue;
      }
      if (this.#at >= this.#text.length) break;
      this.#take(',');
    }
    if (inGroup) throw new Loose();
    return found;
  }
}

/** The mailboxes of an unfolded value that keeps to the grammar; undefined for every other. Linear. */
export function strictMailboxes(text: string): StrictMailbox[] | undefined {
  try {
    return new Reader(text).read();
  } catch (error) {
    if (!(error instanceof Loose)) throw error;
    return undefined;
  }
}
