/** Rows of tables in a dump of MariaDB or MySQL (mysqldump, mariadb-dump): nothing is run, only INSERTs are read. */

export type SqlRow = ReadonlyMap<string, string | undefined>;

/** Rows of one table that are read. */
const ROWS = 500_000;

/** Rows of the tables asked for, by table and column in lower case. Linear in the size of the dump. */
export function readDump(dump: string, wanted: readonly string[]): ReadonlyMap<string, readonly SqlRow[]> {
  const columns = new Map<string, readonly string[]>();
  const rows = new Map<string, SqlRow[]>();
  const scanner = new Scanner(dump);
  while (scanner.nextStatement()) {
    if (scanner.words('CREATE', 'TABLE')) {
      scanner.words('IF', 'NOT', 'EXISTS');
      columns.set(scanner.name(), scanner.definedColumns());
    } else if (
      scanner.words('INSERT', 'INTO') ||
      scanner.words('INSERT', 'IGNORE', 'INTO') ||
      scanner.words('REPLACE', 'INTO')
    ) {
      const table = scanner.name();
      if (!wanted.includes(table)) continue;
      const names = scanner.columnList() ?? columns.get(table) ?? [];
      const found = rows.get(table) ?? [];
      rows.set(table, found);
      if (!scanner.words('VALUES')) continue;
      for (
        let values = scanner.tuple();
        values !== undefined && found.length < ROWS;
        values = scanner.tuple()
      )
        found.push(new Map(names.map((name, index) => [name, values?.[index]])));
    }
  }
  return rows;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  Z: '\x1a',
  b: '\b',
};

class Scanner {
  readonly #text: string;
  #at = 0;
  #end = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Go on to the next statement; false at the end. */
  nextStatement(): boolean {
    this.#at = this.#end;
    this.#space();
    if (this.#at >= this.#text.length) return false;
    this.#end = this.#statementEnd();
    return true;
  }

  #statementEnd(): number {
    const text = this.#text;
    for (let at = this.#at; at < text.length; at++) {
      const char = text.charAt(at);
      if (char === ';') return at + 1;
      if (char === "'" || char === '"' || char === '`') at = this.#quoteEnd(at) - 1;
    }
    return text.length;
  }

  #quoteEnd(start: number): number {
    const text = this.#text;
    const quote = text.charAt(start);
    for (let at = start + 1; at < text.length; at++) {
      const char = text.charAt(at);
      if (char === '\\' && quote !== '`') at++;
      else if (char === quote) {
        if (text.charAt(at + 1) !== quote) return at + 1;
        at++;
      }
    }
    return text.length;
  }

  /** White space and comments. */
  #space(): void {
    const text = this.#text;
    for (;;) {
      while (/\s/.test(text.charAt(this.#at)) && this.#at < text.length) this.#at++;
      if (text.startsWith('--', this.#at) || text.charAt(this.#at) === '#') this.#skipPast('\n');
      else if (text.startsWith('/*', this.#at)) this.#skipPast('*/');
      else if (text.charAt(this.#at) === ';' && this.#at >= this.#end) this.#at++;
      else return;
    }
  }

  #skipPast(mark: string): void {
    const found = this.#text.indexOf(mark, this.#at);
    this.#at = found === -1 ? this.#text.length : found + mark.length;
  }

  /** Take these words when they come next. */
  words(...wanted: readonly string[]): boolean {
    const before = this.#at;
    for (const word of wanted) {
      this.#space();
      if (this.#text.slice(this.#at, this.#at + word.length).toUpperCase() !== word) {
        this.#at = before;
        return false;
      }
      this.#at += word.length;
    }
    return true;
  }

  /** A name, of a database before a dot left out, in lower case. */
  name(): string {
    this.#space();
    let name = this.#identifier();
    while (this.#text.charAt(this.#at) === '.') {
      this.#at++;
      name = this.#identifier();
    }
    return name.toLowerCase();
  }

  #identifier(): string {
    const start = this.#at;
    if (/[`"]/.test(this.#text.charAt(start))) {
      this.#at = this.#quoteEnd(start);
      return this.#text.slice(start + 1, this.#at - 1);
    }
    while (/[\w$]/.test(this.#text.charAt(this.#at))) this.#at++;
    return this.#text.slice(start, this.#at);
  }

  /** "(a, b, c)" when it comes next. */
  columnList(): readonly string[] | undefined {
    this.#space();
    if (this.#text.charAt(this.#at) !== '(') return undefined;
    const names: string[] = [];
    do {
      this.#at++;
      names.push(this.name());
      this.#space();
    } while (this.#text.charAt(this.#at) === ',');
    this.#at++;
    return names;
  }

  /** Columns of CREATE TABLE: lines of its parentheses that begin with a quoted name. */
  definedColumns(): readonly string[] {
    const body = this.#text.slice(this.#at, this.#end);
    const names: string[] = [];
    for (const line of body.split('\n')) {
      const name = /^\s*\(?\s*`([^`]{1,200})`/.exec(line)?.[1];
      if (name !== undefined) names.push(name.toLowerCase());
    }
    return names;
  }

  /** The next "(value, value)" of VALUES; undefined when there is none. NULL is undefined. */
  tuple(): readonly (string | undefined)[] | undefined {
    this.#space();
    if (this.#text.charAt(this.#at) === ',') this.#at++;
    this.#space();
    if (this.#text.charAt(this.#at) !== '(' || this.#at >= this.#end) return undefined;
    const values: (string | undefined)[] = [];
    do {
      this.#at++;
      values.push(this.#value());
      this.#space();
    } while (this.#text.charAt(this.#at) === ',' && this.#at < this.#end);
    this.#at++;
    return values;
  }

  #value(): string | undefined {
    this.#space();
    const start = this.#at;
    if (/[A-Za-z_]/.test(this.#text.charAt(start)) && this.#text.charAt(start) === '_') {
      // A character set before a string: _utf8mb4'...', _binary '...'.
      while (/\w/.test(this.#text.charAt(this.#at))) this.#at++;
      this.#space();
    }
    const quote = this.#text.charAt(this.#at);
    if (quote === "'" || quote === '"') {
      const from = this.#at + 1;
      this.#at = this.#quoteEnd(this.#at);
      return unescaped(this.#text.slice(from, this.#at - 1), quote);
    }
    const from = this.#at;
    while (this.#at < this.#end && !/[,)]/.test(this.#text.charAt(this.#at))) this.#at++;
    const word = this.#text.slice(from, this.#at).trim();
    return /^null$/i.test(word) ? undefined : word;
  }
}

function unescaped(text: string, quote: string): string {
  return text
    .replace(/\\([\s\S])/g, (_, char: string) => ESCAPES[char] ?? char)
    .replaceAll(quote + quote, quote);
}
