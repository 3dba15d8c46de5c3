import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { literalDomains } from './domains.ts';
import { openTable, parseTable } from './open.ts';
import { addressKeys, findAddress, usersOf } from './search.ts';
import { type LookupTable, problemText } from './types.ts';

const nothing = async (): Promise<{ problem: string }> => ({ problem: 'there is no such file' });

async function table(type: string, text: string): Promise<LookupTable> {
  const { table: made, problems } = await parseTable(type, `${type}:users`, text);
  assert.ok(made, problems.map(problemText).join('\n'));
  return made;
}

async function said(type: string, text: string): Promise<string[]> {
  return (await parseTable(type, `${type}:users`, text)).problems.map(problemText);
}

/** What one rule makes of a key. */
async function one(type: string, text: string, key: string): Promise<string | undefined> {
  return (await table(type, text)).query(key);
}

const HYBRID = `# who gets what
/^(adam|jack)(\\+.*)?@(example\\.com|my\\.fqdn)$/  \${1}
/^ryan@example\\.com$/ ryan
# all the rest
/@example\\.com$/
  ryan
`;

describe('tables of patterns', () => {
  it('answer the documented examples', async () => {
    for (const type of ['pcre', 'regexp']) {
      const users = await table(type, HYBRID);
      assert.equal(await users.query('adam@example.com'), 'adam');
      assert.equal(await users.query('jack+abc@my.fqdn'), 'jack');
      assert.equal(await users.query('ryan@example.com'), 'ryan');
      assert.equal(await users.query('xyz@example.com'), 'ryan');
      assert.equal(await users.query('ryan@my.fqdn'), undefined);
    }
  });

  it('match without regard to case and keep the case of what they give back', async () => {
    const users = await table('pcre', HYBRID);
    assert.equal(await users.query('ADAM@Example.COM'), 'ADAM');
    assert.equal(await one('regexp', '/^Ann@/i ann', 'ann@x'), undefined);
    assert.equal(await one('regexp', '/^Ann@/ii ann', 'ann@x'), 'ann');
  });

  it('take the first rule that fits, blocks and negations included', async () => {
    const text = `if /@a\\.test$/
if !/^root@/
/^ann@/ ann
!/^bob@/ rest
endif
/^root@/ admin
endif
/^/ nobody`;
    const users = await table('pcre', text);
    assert.equal(await users.query('ann@a.test'), 'ann');
    assert.equal(await users.query('eve@a.test'), 'rest');
    assert.equal(await users.query('bob@a.test'), 'nobody');
    assert.equal(await users.query('root@a.test'), 'admin');
    assert.equal(await users.query('ann@b.test'), 'nobody');
  });

  it('put groups into the result in all spellings', async () => {
    assert.equal(await one('pcre', '/^(.)(.)?@/ $1-${2}$(1)$$', 'a@'), 'a-a$');
    assert.equal(await one('pcre', '/^(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)$/ ${10}$1', 'abcdefghij'), 'ja');
    assert.equal(await one('pcre', '/a/ one,  two   ', 'a'), 'one,  two');
  });

  it('take any delimiter, and lines that go on', async () => {
    assert.equal(await one('pcre', '%^a/b@%x ab', 'a/b@x'), 'ab');
    assert.equal(await one('pcre', '/^a\\/b@/ ab', 'a/b@x'), 'ab');
    assert.equal(await one('regexp', '/a/ b\n# note\n\n  c\n\td', 'a'), 'b  c\td');
    assert.equal(await one('pcre', '\n  # first\r\n/a/ b\r\n', 'a'), 'b');
  });

  it('honour the flags of pcre', async () => {
    assert.equal(await one('pcre', '/a b # no/x r', 'ab'), 'r');
    assert.equal(await one('pcre', '/b/A r', 'ab'), undefined);
    assert.equal(await one('pcre', '/a|b/A r', 'cb'), undefined);
    assert.equal(await one('pcre', '/^(a+)(a*)$/U $1.$2', 'aaa'), 'a.aa');
    assert.equal(await one('pcre', '/^a.b$/s r', 'a\nb'), undefined);
    assert.equal(await one('pcre', '/^b$/m r', 'a\nb'), 'r');
    assert.equal(await one('pcre', '/b$/E r', 'ab'), 'r');
  });

  it('read POSIX brackets, intervals and basic expressions', async () => {
    assert.equal(await one('regexp', '/^[]\\d]+$/ r', ']\\d'), 'r');
    assert.equal(await one('regexp', '/^[[:digit:][.-.]]{2,3}$/ r', '1-2'), 'r');
    assert.equal(await one('regexp', '/^\\(a+\\)?$/x $1', '(a+)?'), undefined);
    assert.equal(await one('regexp', '/^\\(a\\{1,2\\}\\)(b+$/x [$1]', 'aa(b+'), '[aa]');
    assert.equal(await one('regexp', '/(a|ab)(c|bcd)/ $1-$2', 'abcd'), 'a-bcd');
  });

  it('refuse with file, line and remedy what only a backtracking matcher could do', async () => {
    const cases: [string, string, RegExp][] = [
      ['pcre', '/^(?!owner-)(.*)-out@/ $1', /^users:2: .*negative lookahead.*if !/],
      ['pcre', '/(?<=a)b/ r', /lookbehind/],
      ['pcre', '/(a)\\1/ r', /backreference.*one rule for each/],
      ['pcre', '/(?>a)b/ r', /atomic/],
      ['pcre', '/a++b/ r', /possessive/],
      ['pcre', '/(a/ r', /missing closing/],
      ['regexp', '/(a)\\1/ r', /backreference/],
      ['regexp', '/(?:a)/ r', /Name the table pcre:/],
      ['regexp', '/a{5000}/ r', /repeat count/],
    ];
    for (const [type, rule, wanted] of cases) {
      const result = await parseTable(type, `${type}:users`, `# first\n${rule}\n`);
      assert.equal(result.table, undefined, rule);
      assert.match(problemText(result.problems[0] ?? assert.fail(rule)), wanted, rule);
    }
  });

  it('leave out what Postfix leaves out, and say so', async () => {
    const text = '/a/Q one\n/a/ $2\n/a/ $1b\n!/(z)/ $1\nendif\nword here\n/a x\n/^/ last';
    const made = await table('pcre', text);
    assert.equal(await made.query('a'), 'last');
    const lines = await said('pcre', text);
    assert.deepEqual(
      lines.map((line) => /^users:(\d+): /.exec(line)?.[1]),
      ['1', '2', '3', '4', '5', '6', '7'],
    );
  });

  it('answer at once whatever the pattern and the key', async () => {
    const evil = await table('pcre', '/^(a+)+$/ r\n/^(.*)*(.*)*(.*)*x$/ s');
    assert.equal(await evil.query(`${'a'.repeat(1000)}!`), undefined);
    assert.equal(await evil.query('a'.repeat(100_000)), undefined);
  });

  it('are bounded', async () => {
    const many = '/^a/ b\n'.repeat(5001);
    assert.match((await said('pcre', many)).join('\n'), /users:5001: the table has more than 5000 rules/);
    assert.match((await said('texthash', 'x'.repeat(5 * 1024 * 1024))).join('\n'), /larger than 4 MiB/);
  });
});

describe('indexed tables', () => {
  it('fold keys and keep values', async () => {
    const users = await table(
      'hash',
      'Ann@Example.com  ann,  bob \n"o d"@x.y odd\n@z.z all\n  them\nann@example.com no\nkey\n',
    );
    assert.equal(await users.query('ANN@example.com'), 'ann,  bob');
    assert.equal(await users.query('"o d"@x.y'), 'odd');
    assert.equal(await users.query('@z.z'), 'all  them');
    assert.equal(await users.query('key'), undefined);
  });

  it('are asked for an address in steps, patterns only for the whole', async () => {
    const options = { delimiter: '+', bareDomain: 'x.y' };
    assert.deepEqual(addressKeys('a+b@x.y', options), ['a+b@x.y', 'a@x.y', 'a+b', 'a', '@x.y']);
    assert.deepEqual(addressKeys('a+b@z.z', options), ['a+b@z.z', 'a@z.z', '@z.z']);
    const users = await table('texthash', 'a@x.y ann\nb bob\n@x.y all');
    assert.equal(await findAddress(users, 'a+q@x.y', options), 'ann');
    assert.equal(await findAddress(users, 'b@x.y', options), 'bob');
    assert.equal(await findAddress(users, 'c@x.y', options), 'all');
    assert.equal(await findAddress(users, 'b@z.z', options), undefined);
    assert.equal(await findAddress(await table('pcre', '/^@x.y$/ all'), 'c@x.y', options), undefined);
  });
});

const ask = async (name: string, key: string): Promise<string | undefined> => {
  const { table: made, problems: wrong } = await openTable(name, nothing);
  assert.ok(made, wrong.map(problemText).join('\n'));
  return made.query(key);
};

describe('names of tables', () => {
  it('carry tables in themselves', async () => {
    assert.equal(await ask('inline:{a=b, {C = d e}}', 'c'), 'd e');
    assert.equal(await ask('static:{x y }', 'a'), 'x y');
    assert.equal(await ask('pcre:{{/a/ x}, {/(b)/ [$1]}}', 'b'), '[b]');
    assert.equal(await ask('unionmap:{static:a, inline:{q=r}, static:{b c}}', 'q'), 'a,r,b c');
    assert.equal(await ask('pipemap:{inline:{a=b},inline:{b=c}}', 'a'), 'c');
    assert.equal(await ask('pipemap:{inline:{a=b},inline:{b=c}}', 'b'), undefined);
  });

  it('say what is wrong with them', async () => {
    for (const [name, wanted] of [
      ['users', /TYPE:PLACE/],
      ['mysql:/etc/x', /type "mysql"/],
      ['inline:{a}', /no "="/],
      ['inline:{}', /no entries/],
      ['pcre:/none', /^pcre:\/none: there is no such file/],
      ['unionmap:{pcre:/none', /braces/],
    ] as const) {
      const { table: made, problems: wrong } = await openTable(name, nothing);
      assert.equal(made, undefined, name);
      assert.match(wrong.map(problemText).join('\n'), wanted);
    }
  });
});

describe('any text', () => {
  it('is a table or has problems, and never throws', async () => {
    let state = 12_345;
    const roll = (sides: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * sides);
    };
    const pieces = [
      '/',
      '!',
      'if ',
      'endif',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '\\',
      '$',
      '${',
      '$1',
      '?',
      '*',
      '+',
      '|',
      '^',
      '.',
      '\n',
      ' ',
      '#',
      '=',
      ',',
      ':',
      '"',
      'a',
      'b@c.d',
      '(?:',
      '(?<',
      '[[:',
      ':]',
      '\u{1f4a9}',
      '\ud800',
      '\0',
    ];
    for (let i = 0; i < 3000; i++) {
      let text = roll(2) === 0 ? '/' : '';
      for (let n = roll(25); n > 0; n--) text += pieces[roll(pieces.length)] ?? '';
      for (const type of ['pcre', 'regexp', 'texthash']) {
        const made = await parseTable(type, `${type}:x`, text);
        if (made.table !== undefined) await made.table.query(text);
        else assert.ok(made.problems.some(({ kind }) => kind === 'error'));
        literalDomains(type, text);
      }
      const opened = await openTable(`inline:${text}`, nothing);
      await (opened.table ?? (await openTable(`unionmap:{${text}}`, nothing)).table)?.query('a');
    }
  });
});

describe('what tables say', () => {
  it('is a list of users', () => {
    assert.deepEqual(usersOf(' ann, bob  carl,,ann'), ['ann', 'bob', 'carl']);
    assert.equal(
      usersOf('a,'.repeat(10) + Array.from({ length: 500 }, (_, i) => `u${i}`).join(' ')).length,
      100,
    );
  });

  it('names domains', () => {
    assert.deepEqual(literalDomains('pcre', HYBRID), ['example.com', 'my.fqdn']);
    assert.deepEqual(literalDomains('texthash', 'a@b.c x\n@D.e y\nplain z'), ['b.c', 'd.e']);
    assert.deepEqual(
      literalDomains('pcre', '/@.*\\.com$/ x\n/@(a|b)[.]net$/ y\n/@co+l.com/ z\n/@x\\.(?:org|net)/ w'),
      ['a.net', 'b.net', 'x.org', 'x.net'],
    );
  });
});
