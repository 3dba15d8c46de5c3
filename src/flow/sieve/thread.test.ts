import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { bodyFiles, journalOf, lines, mailbox } from '../../../test/support/flow.ts';
import { type ManualClock, manualClock } from '../../../test/support/manual-clock.ts';
import { openOutbound, type OutboundFixture } from '../../../test/support/outbound.ts';
import { silentLogger } from '../../base/log.ts';
import type { Actor } from '../../data/directory/types.ts';
import { scanMessage } from '../../mail/message/scanner.ts';
import { RUN_MS } from './engine.ts';
import type { RunJob, RunPort, RunResult, ScriptEngine } from './engine-types.ts';
import { createScriptThread } from './thread.ts';

const SYSTEM: Actor = { name: 'system', role: 'system', domainId: undefined };

const MESSAGE = Buffer.from(lines('From: a@sender.test', 'Subject: hello', '', 'Hello Alice'));

function jobFor(digest: string, octets = MESSAGE): RunJob {
  const structure = scanMessage(octets);
  const header = octets.subarray(0, structure.root.bodyStart);
  return {
    digest,
    message: { size: octets.length, known: { structure, header } },
    envelope: { from: 'a@sender.test', to: 'alice@example.test', auth: undefined },
    facts: {
      now: 0,
      zoneMinutes: 0,
      addresses: ['alice@example.test'],
      environment: {},
      spam: { tested: false, level: 0, percent: 0 },
      virus: { tested: false, level: 0 },
      detailSeparator: '+',
    },
  };
}

const no = () => Promise.resolve(false);
const nothing = () => Promise.resolve(undefined);

function portFor(text: string, more: Partial<RunPort> = {}, octets = MESSAGE): RunPort {
  return {
    text: () => Promise.resolve({ text, digest: text }),
    octets: (start, end) => Promise.resolve(octets.subarray(start, end)),
    mailboxExists: no,
    mailboxIdExists: no,
    specialUseExists: no,
    metadata: nothing,
    seen: no,
    include: nothing,
    listHas: no,
    listExists: no,
    ...more,
  };
}

function kinds(result: RunResult): unknown {
  if (result.kind !== 'plan') return result;
  return result.plan.error?.message ?? result.plan.actions.map(({ kind }) => kind);
}

/** Many tests that each look at long strings: it ends at the limit of steps only. */
const HOSTILE = lines(
  'require ["variables"];',
  `set "a" "${'ab'.repeat(4000)}";`,
  ...Array.from({ length: 600 }, () => 'if string :matches "${a}" "*b*c*d" { discard; }'),
);

describe('the thread that runs scripts', () => {
  let clock: ManualClock;
  let engine: ScriptEngine;

  beforeEach(() => {
    clock = manualClock();
    engine = createScriptThread({ clock, logger: silentLogger });
  });
  afterEach(() => engine.close());

  const run = (text: string, owner = 1, more: Partial<RunPort> = {}) =>
    engine.run(owner, jobFor(text), portFor(text, more));

  it('asks for what a script wants to know: bodies, mailboxes, scripts to include', async () => {
    const asked: string[] = [];
    const result = await run(
      lines(
        'require ["body", "mailbox", "include", "fileinto"];',
        'if not body :text :contains "Hello" { stop; }',
        'if not mailboxexists "Work" { stop; }',
        'include :global "more";',
      ),
      1,
      {
        mailboxExists: async (name) => asked.push(name) > 0,
        include: async (name, location) => {
          asked.push(`${location} ${name}`);
          return 'require "fileinto"; fileinto "Work";';
        },
      },
    );
    assert.deepEqual(kinds(result), ['fileinto']);
    assert.deepEqual(asked, ['Work', 'global more']);
  });

  it('reads the text of a script once, and tells errors with their place', async () => {
    let read = 0;
    const text = async () => {
      read += 1;
      return { text: 'keep;\nfoo;', digest: 'd' };
    };
    const port = portFor('', { text });
    for (let i = 0; i < 3; i++) {
      const result = await engine.run(1, jobFor('d'), port);
      assert.ok(result.kind === 'unreadable');
      assert.equal(result.error.line, 2);
    }
    assert.equal(read, 1);
    assert.deepEqual(await engine.run(1, jobFor('e'), portFor('', { text: async () => undefined })), {
      kind: 'gone',
    });
    const { errors } = await engine.check(1, 'keep');
    assert.equal(errors[0]?.line, 1);
  });

  it('a hostile script ends at its limit of steps, and those of others run meanwhile', async () => {
    const order: string[] = [];
    const hostile = [1, 2, 3, 4].map(async () => {
      const result = await run(HOSTILE, 1);
      order.push('hostile');
      return result;
    });
    const good = run('discard;', 2).then((result) => {
      order.push('good');
      return result;
    });
    assert.deepEqual(kinds(await good), ['discard']);
    for (const one of hostile) assert.match(String(kinds(await one)), /more than 200000 steps/);
    assert.ok(order.indexOf('good') < 4, order.join(' '));
  });

  it('reads large scripts beside the event loop', async () => {
    const rule = 'if header :contains "subject" "x" { discard; }\n';
    const large = rule.repeat(Math.floor((127 * 1024) / rule.length));
    let turns = 0;
    let busy = true;
    const turn = (): void => {
      turns += 1;
      if (busy) setImmediate(turn);
    };
    turn();
    const { errors } = await engine.check(1, large);
    busy = false;
    assert.deepEqual(errors, []);
    assert.ok(turns > 10, String(turns));
  });

  it('a run that never ends is given up, its thread replaced; the others begin again and end well', async () => {
    const never = run('require "mailbox"; if mailboxexists "X" { discard; }', 1, {
      mailboxExists: () => new Promise(() => undefined),
    });
    const asked: string[] = [];
    const first = Promise.withResolvers<void>();
    const second = run('require "mailbox"; if mailboxexists "Y" { discard; }', 2, {
      mailboxExists(name) {
        asked.push(name);
        first.resolve();
        return asked.length === 1 ? new Promise(() => undefined) : Promise.resolve(true);
      },
    });
    await first.promise;
    clock.advance(RUN_MS / 2);
    assert.deepEqual(kinds(await run('discard;', 3)), ['discard']);
    clock.advance(RUN_MS / 2);
    assert.deepEqual(await never, { kind: 'failed', why: 'it took longer than 10 s' });
    assert.deepEqual(kinds(await second), ['discard']);
    assert.deepEqual(asked, ['Y', 'Y']);
    assert.deepEqual(kinds(await run('discard;', 1)), ['discard']);
  });

  it('what fails in a question fails that run alone', async () => {
    const broken = run('require "mailbox"; if mailboxexists "X" { discard; }', 1, {
      mailboxExists: () => Promise.reject(new Error('the store is away')),
    });
    await assert.rejects(broken, /the store is away/);
    assert.deepEqual(kinds(await run('discard;')), ['discard']);
  });

  it('closing answers what waits', async () => {
    const waiting = Array.from({ length: 20 }, () =>
      run('require "mailbox"; if mailboxexists "X" { discard; }', 1, {
        mailboxExists: () => new Promise(() => undefined),
      }),
    );
    await engine.close();
    for (const one of waiting) assert.deepEqual(await one, { kind: 'failed', why: 'the server stops' });
  });
});

describe('delivery with the thread', () => {
  let out: OutboundFixture;
  let engine: ScriptEngine;

  beforeEach(async () => {
    out = await openOutbound({});
    engine = createScriptThread({ clock: out.flow.clock, logger: silentLogger });
    out.flow.deps = { ...out.flow.deps, scripts: engine };
  });
  afterEach(async () => {
    await engine.close();
    await out.close();
  });

  const script = (text: string, place: 'account' | 'site-before' = 'account') =>
    out.flow.store.write.run('sieve.put', {
      actor: SYSTEM,
      place: place === 'account' ? { kind: place, accountId: out.flow.alice } : { kind: place },
      name: 'main',
      text,
      activate: true,
    });
  const box = async (name = 'INBOX') =>
    (await mailbox(out.flow.store, out.flow.alice, name)).map(({ text }) => text);
  const LETTER = lines('From: carol@sender.test', 'Subject: hello', '', 'Hello Alice');
  const LARGE = `${LETTER}${`${'z'.repeat(70)}\r\n`.repeat(5000)}`;

  it('a large message that scripts replace, change and test one after the other', async () => {
    await script(
      'require ["replace", "editheader"]; replace "gone"; addheader "X-Cut" "yes";',
      'site-before',
    );
    await script(
      'require ["body", "fileinto"]; if allof(header "X-Cut" "yes", body :contains "gone") { fileinto "Archive"; }',
    );
    await out.receive(['alice@example.test'], LARGE);
    const [stored = ''] = await box('Archive');
    assert.match(stored, /^X-Cut: yes\r\n/m);
    assert.match(stored, /gone/);
    assert.ok(!stored.includes('zzz'));
    assert.equal((await box()).length, 0);
  });

  it('a large message as it came: its body is read in pieces', async () => {
    await script('require ["body", "fileinto"]; if body :raw :contains "zzz" { fileinto "Archive"; }');
    await out.receive(['alice@example.test'], LARGE);
    assert.equal((await box('Archive')).length, 1);
    assert.equal((await bodyFiles(out.flow.store)).length, 1);
  });

  it('a message of many parts is seen as one of few: with our own fields, each part in its place', async () => {
    await script(
      lines(
        'require ["mime", "foreverypart", "extracttext", "variables", "fileinto"];',
        'if not exists "Return-Path" { stop; }',
        'if not header :mime :anychild :param "name" :is "Content-Type" "f299" { stop; }',
        'foreverypart { if header :mime :param "name" :is "Content-Type" "f150" { extracttext "t"; break; } }',
        'if string :is "${t}" "part 150" { fileinto "Archive"; }',
      ),
    );
    const parts = Array.from({ length: 300 }, (_, i) => [
      '--b',
      `Content-Type: text/plain; name=f${i}`,
      '',
      `part ${i}`,
    ]).flat();
    const head = [
      'From: carol@sender.test',
      'MIME-Version: 1.0',
      'Content-Type: multipart/mixed; boundary=b',
      '',
    ];
    await out.receive(['alice@example.test'], lines(...head, ...parts, '--b--'));
    assert.equal((await box('Archive')).length, 1);
  });

  it('a hostile script leaves the message in INBOX, and the journal says why', async () => {
    await script(HOSTILE);
    const trace = await out.receive(['alice@example.test'], LETTER);
    assert.equal((await box()).filter((text) => text.includes('Hello Alice')).length, 1);
    assert.match(
      (await journalOf(out.flow.store, trace)).join('\n'),
      /script\.failed .*"script":"script main","line":\d+,"reason":"the script takes more than 200000 steps"/,
    );
  });
});
