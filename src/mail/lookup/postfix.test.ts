import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseTable } from './open.ts';

/** The same tables and keys for us and for Postfix's own postmap -q. */

const TABLES = 150;
const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };

function types(): string[] {
  try {
    return execFileSync('postconf', ['-m'], { env, encoding: 'utf8' }).split('\n');
  } catch {
    return [];
  }
}

/** Small numbers that are the same in every run. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

type Dice = (sides: number) => number;
const pick = (roll: Dice, list: readonly string[]): string => list[roll(list.length)] ?? '';

const KEYS = ['ann', 'Ann+x', 'bob', 'b.o.b', 'a-b', 'aab', 'abab', 'root', 'x9', 'a/b'].flatMap((local) =>
  ['a.test', 'B.TEST', 'sub.a.test', 'atest'].map((domain) => `${local}@${domain}`),
);

function pattern(roll: Dice, type: string): string {
  const atoms = [
    'a',
    'b',
    'ab',
    'ann',
    '.',
    '[a-n]',
    '[^b]',
    '[[:alpha:]]',
    '(a|b)',
    '(ab|a)',
    '\\.',
    '[.+-]',
    '(an*)',
    '[]a]',
    '\\w',
  ];
  if (type === 'pcre') atoms.push('\\d', '(?:a|bo)', '(?i:A)', '\\bb', 'a*?', '(a+?)', '[\\w.]', '(?<n>x)');
  const repeats = ['', '', '', '', '*', '+', '?', '{1,2}', '{2}'];
  let made = roll(2) === 0 ? '^' : '';
  for (let i = roll(4); i >= 0; i--) {
    const atom = pick(roll, atoms);
    made += atom + (/[*+?]$/.test(atom) || atom.startsWith('\\b') ? '' : pick(roll, repeats));
  }
  if (roll(3) === 0) made += `@${pick(roll, ['a\\.test', '(.*)', '(a|b)\\.', '.+'])}`;
  return roll(3) === 0 ? `${made}$` : made;
}

function rule(roll: Dice, type: string): string {
  const flags = pick(
    roll,
    type === 'pcre'
      ? ['', '', '', 'i', 'ii', 'A', 'U', 'x', 'm', 'iU', 's', 'Q']
      : ['', '', '', 'i', 'ii', 'm', 'z'],
  );
  const negated = roll(5) === 0 ? '!' : '';
  const [open, close] = roll(6) === 0 ? ['%', '%'] : ['/', '/'];
  const result = pick(roll, [
    'ann',
    'bob, ann',
    '<$1>',
    '${1}.x',
    '$(1)$$',
    '${2}',
    'a  b  ',
    '$x',
    '$1x',
    '',
  ]);
  return `${negated}${open}${pattern(roll, type)}${close}${flags} ${result}`;
}

function patternTable(roll: Dice, type: string): string {
  const lines: string[] = [];
  let open = 0;
  for (let i = 2 + roll(6); i > 0; i--) {
    const what = roll(12);
    if (what === 0) {
      lines.push(`if ${roll(2) === 0 ? '!' : ''}/${pattern(roll, type)}/`);
      open++;
    } else if (what === 1) {
      lines.push('endif');
      open--;
    } else if (what === 2) lines.push('  # a comment', '', '  and more');
    else lines.push(rule(roll, type));
  }
  while (open-- > 0) lines.push('endif');
  return `${lines.join('\n')}\n`;
}

function indexedTable(roll: Dice): string {
  const lines: string[] = [];
  for (let i = 3 + roll(20); i > 0; i--) {
    const key = pick(roll, [...KEYS, '@a.test', '"q r"@a.test', 'alone', 'ANN@A.TEST']);
    lines.push(pick(roll, [`${key} v${i}`, `${key}\tone, two  `, `${key} x\n  y`, `# ${key} no`, key]));
  }
  return `${lines.join('\n')}\n`;
}

/** Key to result, of those that have one. */
function postmap(table: string, keys: readonly string[]): Promise<Map<string, string>> {
  return new Promise((resolve, reject) => {
    const child = execFile('postmap', ['-q', '-', table], { env, encoding: 'utf8' }, (error, out) => {
      if (error !== null && error.code !== 1) reject(error);
      else
        resolve(
          new Map(
            out
              .split('\n')
              .filter((line) => line.includes('\t'))
              .map((line) => {
                const tab = line.indexOf('\t');
                return [line.slice(0, tab), line.slice(tab + 1)];
              }),
          ),
        );
    });
    child.stdin?.end(keys.map((key) => `${key}\n`).join(''));
  });
}

describe('the answers of Postfix', () => {
  const there = types();
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-lookup-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  for (const type of ['regexp', 'pcre', 'texthash']) {
    const skip = there.includes(type)
      ? false
      : `postmap has no tables of type ${type} here (Debian packages postfix, postfix-pcre)`;
    it(`to ${type} tables are ours`, { skip }, async () => {
      const roll = dice(type.length * 7919);
      let found = 0;
      let refused = 0;
      for (let i = 0; i < TABLES; i++) {
        const text = type === 'texthash' ? indexedTable(roll) : patternTable(roll, type);
        const file = join(directory, `${type}${i}`);
        await writeFile(file, text);
        // Postfix waits for seconds before it believes a file that was written just now.
        await utimes(file, 1_000_000_000, 1_000_000_000);
        const { table, problems } = await parseTable(type, `${type}:${file}`, text);
        if (table === undefined) {
          refused++;
          assert.ok(problems.length > 0);
          continue;
        }
        const theirs = await postmap(`${type}:${file}`, KEYS);
        for (const key of KEYS) {
          const ours: string | undefined = await table.query(key);
          assert.equal(ours, theirs.get(key), `${key} in ${type} table:\n${text}`);
          if (ours !== undefined) found++;
        }
      }
      assert.ok(found > TABLES, `only ${found} results`);
      assert.ok(refused < TABLES / 5, `${refused} tables were refused`);
    });
  }
});
