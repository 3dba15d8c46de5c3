import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { literalsFrom, literalsIn } from '../../../test/support/literals.ts';
import { auditActions, auditWhy } from './audit-texts.ts';
import { whyNot } from './admin/audit-why.ts';
import type { Operation } from './admin/operation.ts';
import { operations } from './admin/operations.ts';

/** Every action of the audit has a name that people read, and every such name an action. */

const ROOT = resolve(import.meta.dirname, '../../..');
/** Actions whose last word is filled in: what it may be. */
const FILLED: Readonly<Record<string, readonly string[]>> = {
  'account.X1': ['resume', 'suspend'],
  'masked.X1': ['on', 'off', 'deleted'],
  'queue.X1': ['retry', 'hold', 'release', 'drop', 'bounce'],
  'sender-list.X1': ['allow', 'block'],
  'settings.X1': ['doctor', 'housekeeping', 'alerts', 'journal', 'admin', 'setup'],
};
/** Handed on as an argument. */
const HANDED_ON = ['group.add', 'group.change', 'audit.undo'];

/** Of operations that tell the audit themselves; what of them is filled in. */
function noted(): string[] {
  return globSync('src/servers/http/admin/*.ts', { cwd: ROOT })
    .map((file) => readFileSync(resolve(ROOT, file), 'utf8'))
    .flatMap((source) =>
      [...source.matchAll(/\baudited: /g)].flatMap(({ index }) => {
        const row = source.slice(index, source.indexOf('run(', index));
        return [...row.matchAll(/'([a-z]+\.[a-z]+)'/g)].flatMap(([, name]) => name ?? []);
      }),
    )
    .concat('backup.create', 'backup.drill');
}

function sources(): string[] {
  return globSync('src/data/**/*.ts', { cwd: ROOT })
    .filter((file) => !/\.(?:test|contract)\.ts$|migrations/.test(file))
    .map((file) => readFileSync(resolve(ROOT, file), 'utf8'));
}

test('every action of the audit has words, and all words are those of an action', () => {
  const found = new Set<string>([...HANDED_ON, ...noted()]);
  const all = sources();
  for (const source of all) {
    for (const { index } of source.matchAll(/\b(?:audit|saveSetting)\(|const action = `/g)) {
      const [name] = literalsFrom(source, index + source.slice(index).search(/[(=]/) + 1).filter((text) =>
        /^[a-z-]+\.[a-z0-9-]+$|^[a-z-]+\.X1$/.test(text),
      );
      if (name === undefined) continue;
      for (const each of FILLED[name]?.map((last) => name.replace('X1', last)) ?? [name]) found.add(each);
    }
  }
  // "hold.drop" and "hold.release" stand in one expression.
  for (const text of all.flatMap(literalsIn)) if (/^hold\.(?:drop|release)$/.test(text)) found.add(text);
  for (const name of HANDED_ON)
    assert.ok(
      all.some((source) => source.includes(`'${name}'`)),
      name,
    );
  assert.deepEqual([...found].toSorted(), Object.keys(auditActions).toSorted());
});

test('what cannot be taken back has a reason with a code', () => {
  assert.equal(whyNot('domain.add').code, 'audit.whyDomainAdd');
  assert.equal(whyNot('account.session-end').code, 'audit.whySession');
  assert.equal(whyNot('never.heard').code, 'audit.whyOtherwise');
  const used = new Set(
    readFileSync(resolve(ROOT, 'src/servers/http/admin/audit-why.ts'), 'utf8').match(/why[A-Z]\w+/g),
  );
  assert.deepEqual(
    Object.keys(auditWhy).filter((key) => !used.has(key)),
    [],
  );
});

/** Operations that change nothing: they look, plan, or wait; or make the folder of an import, which is told of itself. */
const LOOKING = [
  'dns.plan',
  'dns.undoPlan',
  'filter.whatIf',
  'importing.ensureMailbox',
  'lookup.query',
  'routing.probe',
  'routing.test',
  'setup.expect',
  'sieve.check',
];

test('whatever an administrator changes is told to the audit', () => {
  const silent = Object.entries(operations).flatMap(([area, rows]) =>
    Object.entries(rows as Readonly<Record<string, Operation>>)
      // What does not look at who asks can tell nobody who it was.
      .filter(([, row]) => row.method !== 'GET' && row.audited === undefined && row.run.length < 3)
      .map(([name]) => `${area}.${name}`),
  );
  assert.deepEqual(silent.toSorted(), LOOKING);
});
