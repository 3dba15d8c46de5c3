import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImapClient } from '../../../test/support/imap-client.ts';
import { imapTestServer } from '../../../test/support/imap-server.ts';

function random(seed: number): (below: number) => number {
  let last = seed >>> 0;
  return (below) => {
    last = (Math.imul(last, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((last / 2 ** 32) * below);
  };
}

function numbersOf(set: string): number[] {
  return set.split(',').flatMap((range) => {
    const [from = 0, to = from] = range.split(':').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/** A client's copy of a result, changed as RFC 5267 section 4.3 says. */
function apply(result: number[], line: string, sorted: boolean): void {
  const [, word, list = ''] = / UID (ADDTO|REMOVEFROM) \(([^)]*)\)$/.exec(line) ?? [];
  const parts = list.split(' ');
  for (let i = 0; i + 1 < parts.length; i += 2) {
    const position = Number(parts[i]);
    for (const uid of numbersOf(parts[i + 1] ?? '')) {
      if (!sorted) assert.equal(position, 0);
      if (word === 'REMOVEFROM') {
        const at = sorted ? position - 1 : result.indexOf(uid);
        assert.equal(result[at], uid, `${line}: ${result.join(' ')}`);
        result.splice(at, 1);
      } else if (sorted) result.splice(position - 1, 0, uid);
      else {
        assert(!result.includes(uid), `${line}: ${result.join(' ')}`);
        result.push(uid);
        result.sort((a, b) => a - b);
      }
    }
  }
}

const FLAGS = ['\\Flagged', '\\Seen', '\\Deleted', 'work'];

async function change(c: ImapClient, next: (below: number) => number): Promise<readonly string[]> {
  const uid = 1 + next(40);
  const what = next(10);
  if (what < 2) {
    const message = `Subject: s${next(20)}\r\n\r\n${'x'.repeat(next(50))}\r\n`;
    return c.ok('APPEND INBOX ', Buffer.from(message));
  }
  if (what < 8) return c.ok(`UID STORE ${uid}:${uid + next(5)} ${'+-'[next(2)]}FLAGS (${FLAGS[next(4)]})`);
  return c.ok('EXPUNGE');
}

test('results that are kept up to date are those of a new search, whoever changes what', async () => {
  const server = await imapTestServer();
  try {
    const next = random(3);
    const a = await server.ready();
    for (let i = 0; i < 12; i++) await change(a, () => 0);
    await a.ok('SELECT INBOX');
    const b = await server.ready('INBOX');
    const searches = [
      { command: 'SEARCH', keys: '', criteria: 'FLAGGED' },
      { command: 'SEARCH', keys: '', criteria: 'OR UNSEEN KEYWORD work' },
      { command: 'SORT', keys: '(REVERSE SIZE SUBJECT) UTF-8 ', criteria: 'UNDELETED' },
      { command: 'SORT', keys: '(SUBJECT) UTF-8 ', criteria: 'NOT SUBJECT s1' },
    ];
    const kept: { tag: string; result: number[]; sorted: boolean }[] = [];
    for (const { command, keys, criteria } of searches) {
      const [answer = ''] = await b.ok(`UID ${command} RETURN (UPDATE ALL) ${keys}${criteria}`);
      const [, tag = '', all] = /TAG "([^"]+)"\) UID(?: ALL (\S+))?$/.exec(answer) ?? [];
      kept.push({ tag, result: all === undefined ? [] : numbersOf(all), sorted: command === 'SORT' });
    }
    for (let round = 0; round < 80; round++) {
      const told = [...(next(3) === 0 ? await change(b, next) : [])];
      for (let i = next(3); i > 0; i--) await change(a, next);
      told.push(...(await b.ok('NOOP')));
      for (const line of told) {
        const found = kept.find(({ tag }) => line.startsWith(`ESEARCH (TAG "${tag}")`));
        if (found !== undefined) apply(found.result, line, found.sorted);
      }
      for (const [i, { command, keys, criteria }] of searches.entries()) {
        const lines = await b.ok(`UID ${command} ${keys}${criteria}`);
        const now = lines.find((line) => line.startsWith(command)) ?? '';
        assert.equal([command, ...(kept[i]?.result ?? [])].join(' '), now, `round ${round}`);
      }
    }
    assert.deepEqual(server.logged, []);
  } finally {
    await server.close();
  }
});
