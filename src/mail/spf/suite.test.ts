import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Dns, DnsAnswer, DnsType } from '../dns.ts';
import { checkHost } from './check.ts';

/** The RFC 7208 suite of openspf.org, which stands outside the project. */
const shared = process.env.POSTERN_CORPUS ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const suite = `${shared}/suites/spf/rfc7208-tests.yml`;

type Yaml = string | Yaml[] | { [key: string]: Yaml };

/** As much of YAML as the suite uses. */
class YamlReader {
  readonly #lines: string[];
  #at = 0;

  constructor(text: string) {
    this.#lines = text.split('\n').filter((line) => !/^\s*#/.test(line) && line.trim() !== '');
  }

  #indent(): number {
    const line = this.#lines[this.#at];
    return line === undefined ? -1 : line.search(/\S/);
  }

  /** A block of lines indented by `indent`. */
  block(indent: number): Yaml {
    return this.#lines[this.#at]?.slice(indent).startsWith('- ') ? this.#list(indent) : this.#map(indent);
  }

  #list(indent: number): Yaml[] {
    const items: Yaml[] = [];
    while (this.#indent() === indent && this.#lines[this.#at]?.slice(indent).startsWith('- ')) {
      const item = this.#lines[this.#at]?.slice(indent + 2).trimStart() ?? '';
      const pair = /^([A-Z]+):\s+(.*)$/.exec(item);
      this.#at++;
      const rest = this.#continued(indent);
      if (pair === null) items.push(scalar(item + rest));
      else items.push({ [pair[1] ?? '']: scalar((pair[2] ?? '') + rest) });
    }
    return items;
  }

  /** More lines of a plain or quoted scalar. */
  #continued(indent: number): string {
    let text = '';
    while (this.#indent() > indent) text += ` ${this.#lines[this.#at++]?.trim()}`;
    return text;
  }

  #map(indent: number): Yaml {
    const map: { [key: string]: Yaml } = {};
    while (this.#indent() === indent) {
      const line = this.#lines[this.#at++]?.slice(indent) ?? '';
      const match = /^("[^"]*"|[^:]+(?::[^ :]+)*):(?:\s+(.*))?$/.exec(line);
      assert.ok(match, `unreadable YAML: ${line}`);
      const key = String(scalar(match[1] ?? ''));
      const value = match[2]?.trim() ?? '';
      if (/^[>|]-?$/.test(value)) map[key] = this.#continued(indent).trim();
      else if (value === '' && this.#indent() > indent) map[key] = this.block(this.#indent());
      else map[key] = scalar(value + this.#continued(indent));
    }
    return map;
  }
}

const unescape = (_: string, hex: string | undefined, char: string): string =>
  hex === undefined ? (char === '0' ? '\0' : char) : String.fromCharCode(Number.parseInt(hex, 16));

function scalar(text: string): Yaml {
  const trimmed = text.trim();
  if (trimmed.startsWith('[')) {
    const items = trimmed.slice(1, -1).match(/"(?:[^"\\]|\\.)*"|'[^']*'|[^,\s][^,]*/g) ?? [];
    return items.map(scalar);
  }
  if (trimmed.startsWith('"') && trimmed.endsWith('"')) {
    return trimmed.slice(1, -1).replace(/\\(?:x([0-9A-Fa-f]{2})|(.))/g, unescape);
  }
  if (trimmed.startsWith("'")) return trimmed.slice(1, -1).replaceAll("''", "'");
  return trimmed.replace(/\s+#.*$/, '');
}

interface Case {
  helo: string;
  host: string;
  mailfrom: string;
  result: string | string[];
  explanation?: string;
}

interface Scenario {
  description: string;
  tests: Record<string, Case>;
  zonedata: Record<string, (string | Record<string, Yaml>)[]>;
}

/** The suite's zones: SPF stands for TXT too unless the name has TXT of its own, TIMEOUT for every type not listed. */
function zone(data: Scenario['zonedata']): Dns {
  const names = new Map(Object.entries(data).map(([name, rows]) => [name.toLowerCase(), rows]));
  const query = async (name: string, type: DnsType, depth: number): Promise<DnsAnswer> => {
    const rows = names.get(name.toLowerCase());
    if (rows === undefined) return { status: 'nxdomain' };
    const values = (wanted: string): Yaml[] =>
      rows
        .filter((row) => typeof row !== 'string' && wanted in row)
        .map((row) => (row as Record<string, Yaml>)[wanted] ?? '');
    const alias = values('CNAME')[0];
    if (typeof alias === 'string' && depth < 9) return query(alias, type, depth + 1);
    let found = values(type);
    if (type === 'TXT' && found.length === 0) found = values('SPF');
    found = found.filter((value) => value !== 'NONE');
    if (found.length === 0) {
      return rows.includes('TIMEOUT') ? { status: 'temporary', reason: 'timeout' } : { status: 'nodata' };
    }
    return {
      status: 'ok',
      records: found.map((value) => record(type, value)),
      ttl: 60,
      authenticated: false,
    };
  };
  return { query: (name, type) => query(name, type, 0) as Promise<never> };
}

function record(type: DnsType, value: Yaml): never {
  const built = (): unknown => {
    if (type === 'TXT') {
      const text = Array.isArray(value) ? value.join('') : String(value);
      return { text, chunks: [Buffer.from(text, 'latin1')] };
    }
    if (type === 'MX' && Array.isArray(value))
      return { preference: Number(value[0]), exchange: String(value[1]) };
    return String(value);
  };
  return built() as never;
}

test('the RFC 7208 suite', { skip: existsSync(suite) ? false : `${suite} is not there` }, async (t) => {
  const documents = readFileSync(suite, 'utf8')
    .split(/^---.*$/m)
    .slice(1);
  const wrong: string[] = [];
  let count = 0;
  for (const document of documents) {
    const scenario = new YamlReader(document).block(0) as unknown as Scenario;
    const dns = zone(scenario.zonedata);
    for (const [name, each] of Object.entries(scenario.tests)) {
      count++;
      const { helo, host: ip, mailfrom: mailFrom } = each;
      const got = await checkHost({ ip, helo, mailFrom, dns, nowMs: 1_700_000_000_000, receiver: 'mx.test' });
      const explained = each.explanation === undefined || each.explanation === (got.explanation ?? 'DEFAULT');
      if (![each.result].flat().includes(got.result) || !explained) {
        wrong.push(
          `${scenario.description}/${name}: wanted ${each.result} ${each.explanation ?? ''}, got ${JSON.stringify(got)}`,
        );
      }
    }
  }
  t.diagnostic(`report: SPF: ${count - wrong.length} of ${count} cases of the RFC 7208 suite`);
  assert.equal(count, 203);
  assert.deepEqual(wrong, []);
});
