import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { operations } from '../../servers/http/admin/operations.ts';
import type { Operation } from '../../servers/http/admin/operation.ts';
import { commandTable } from './table.ts';

/** What the pages can do the command line can: looked up in the sources of both. */

const ROOT = resolve(import.meta.dirname, '../../..');

/** Done by a command in another way. */
const OTHERWISE: Readonly<Record<string, string>> = {
  'GET /ses/status': 'postern ses status looks itself, so that it needs no server',
};

function sources(folder: string, end: RegExp): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map(String)
    .filter((name) => end.test(name) && !/\.test\.tsx?$/.test(name))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'));
}

const rows = Object.entries(operations).flatMap(([area, all]) =>
  Object.entries(all).map(([name, row]) => ({ id: `${area}.${name}`, row: row as Operation })),
);

/** Operations that a page names: their path stands there, with anything in the places of its parameters. */
function onPages(pages: readonly string[]): typeof rows {
  const text = pages.join('\n');
  return rows.filter(({ row: { path } }) => {
    const [first = '', ...rest] = path.split(/\/:[a-zA-Z]+/);
    // What a page puts together of several texts is looked for by its parts: "`${path}/transcript`".
    return (
      text.includes(`'${first}`) ||
      text.includes(`\`${first}`) ||
      rest.some((part) => part !== '' && text.includes(`}${part}\``))
    );
  });
}

describe('the command line', () => {
  const commands = ['src/app/cli', 'src/app/import'].flatMap((folder) => sources(folder, /\.ts$/)).join('\n');
  const pages = sources('web/src/admin', /\.tsx?$/);
  const has = (id: string): boolean => new RegExp(`\\b${id.replace('.', '\\.')}\\b`).test(commands);

  it('does what the pages do', () => {
    const shown = onPages(pages);
    assert.ok(shown.length > 60, `only ${shown.length} operations were found on the pages`);
    const missing = shown
      .filter(({ id, row }) => !has(id) && OTHERWISE[`${row.method} ${row.path}`] === undefined)
      .map(({ id, row }) => `${id} (${row.method} ${row.path})`);
    assert.deepEqual(missing, []);
  });

  it('has a command for every operation of the admin API but what mail is taken over by', () => {
    const missing = rows.filter(({ id, row }) => {
      const otherwise = OTHERWISE[`${row.method} ${row.path}`] !== undefined;
      return !has(id) && !otherwise && !id.startsWith('importing.');
    });
    assert.deepEqual(
      missing.map(({ id }) => id),
      ['sieve.check'],
      'sieve.check is what "postern sieve check" does without a server',
    );
  });

  it('has every command that the program and the pages name', () => {
    // Labels of keys, which look like commands.
    const labels = new Set(['postern backup key', 'postern backup name', 'postern backup seal']);
    const groups = Map.groupBy(commandTable, ({ words: [first = ''] }) => first);
    const wrong = [...sources('src', /\.ts$/), ...sources('web/src', /\.tsx?$/)].flatMap((text) =>
      [...text.matchAll(/\bpostern ([a-z-]+) ([a-z][a-z-]*)\b/g)].flatMap(([name, first = '', second]) => {
        const rows = groups.get(first);
        // One that stands alone takes arguments: "postern trace ann@example.org".
        if (rows === undefined || rows.some(({ words }) => words.length === 1) || labels.has(name)) return [];
        return rows.some(({ words }) => words[1] === second) ? [] : [name];
      }),
    );
    assert.deepEqual([...new Set(wrong)], []);
  });
});
