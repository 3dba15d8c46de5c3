/**
 * The JMAP tests of the Cyrus project (cassandane) against Postern:
 *
 *     node bench/jmap-suite/run.ts PATH_TO_CASSANDANE [--lib DIR]... [--only PATTERN] [--json FILE] [--jobs N] [--all] [--verbose]
 *
 * One server in this process, in a temporary directory; each test gets a domain of its own there, with the accounts that
 * its text names, and in each of them the Inbox alone, as the suite expects. `--lib`: directories with Perl modules, Mail::JMAPTalk for example.
 * Nothing of the suite is part of Postern: docs/guides/jmap.md says where to get it. The run fails when a test fails that
 * is not listed in differences.json, and when one that is listed there passes.
 */
import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { OTHER_USERS } from '../../src/data/sharing/namespaces.ts';
import { hashPassword } from '../../src/data/directory/passwords.ts';
import { jmapClient } from '../../test/jmap/client.ts';
import { startTestServer, TEST_PASSWORD, testActor, type TestServer } from '../../test/support/server.ts';
import { ruleOf } from './rules.ts';

/** Others than itself as whom the account of a test may send, as the suite does. */
const SENDERS = ['from@localhost', 'from@local', 'foo@local', 'fooalias1@robmtest.vm'];
const CLASSES = [
  'JMAPCore',
  'JMAPMailbox',
  'JMAPEmail',
  'JMAPEmailSubmission',
  'JMAPBlob',
  'JMAPQuota',
  'JMAPSieve',
  'JMAPVacationResponse',
];
const SECONDS = 20;

interface Test {
  readonly name: string;
  readonly class: string;
  readonly method: string;
  /** Of a tiny test; a test of the class itself has none. */
  readonly file: string | undefined;
  readonly text: string;
}

type Outcome = 'passed' | 'failed' | 'not applicable' | 'differs';

interface Result {
  readonly name: string;
  outcome: Outcome;
  why?: string;
  /** Of one that differs: what the suite says. */
  said?: string;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lib: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    jobs: { type: 'string', default: '2' },
    all: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
  },
});
const suite = resolve(positionals[0] ?? '.');
const lib = values.lib.map((each) => resolve(each));

/** Methods of one text, each with its own part of it. */
function methodsOf(text: string): { readonly method: string; readonly text: string }[] {
  const starts = [...text.matchAll(/^sub (test_\w+)/gm)];
  return starts.map(({ 1: method = '', index }, i) => ({
    method,
    text: text.slice(index, starts[i + 1]?.index ?? text.length),
  }));
}

async function listTests(): Promise<Test[]> {
  const tests: Test[] = [];
  for (const name of CLASSES) {
    const folder = join(suite, 'tiny-tests', name);
    const files = await readdir(folder).catch(() => []);
    for (const each of files.toSorted()) {
      const file = join('tiny-tests', name, each);
      const whole = await readFile(join(suite, file), 'utf8');
      const found = methodsOf(whole);
      for (const { method, text } of found) {
        const own = found.length === 1 ? whole : text;
        tests.push({ name: `${name}.${method.slice(5)}`, class: name, method, file, text: own });
      }
    }
    const own = await readFile(join(suite, 'Cassandane/Cyrus', `${name}.pm`), 'utf8');
    for (const { method, text } of methodsOf(own))
      tests.push({ name: `${name}.${method.slice(5)}`, class: name, method, file: undefined, text });
  }
  return tests;
}

/** Users that a test makes or names. */
function usersOf(text: string): string[] {
  const made = text.matchAll(/create_user\(\s*['"]([\w-]+)['"]|["']user[./]([\w-]+)/g);
  return [...new Set(['cassandane', ...[...made].map(([, a, b]) => a ?? b ?? '')])];
}

const secrets = await hashPassword(TEST_PASSWORD, { minLength: 1 });

/** A domain with these accounts, of which each has its Inbox alone; their JMAP ids. */
async function makeAccounts(
  { store }: TestServer,
  domain: string,
  users: readonly string[],
): Promise<{ readonly accounts: Record<string, string>; readonly inboxes: Record<string, string> }> {
  const actor = testActor;
  await store.write.run('directory.addDomain', { actor, name: domain });
  const accounts: Record<string, string> = {};
  const inboxes: Record<string, string> = {};
  for (const user of users) {
    const address = `${user}@${domain}`;
    const fields = { displayName: user, role: 'user', quota: 0, ...secrets } as const;
    await store.write.run('directory.addAccount', { actor, address, ...fields });
  }
  for (const user of users) {
    const client = await jmapClient(server, `${user}@${domain}`);
    accounts[user] = client.accountId;
    const { list } = await client.call('Mailbox/get');
    const all = list as { id: string; role: string | null }[];
    inboxes[user] = all.find(({ role }) => role === 'inbox')?.id ?? '';
    const others = all.filter(({ role }) => role !== 'inbox');
    await client.call('Mailbox/set', {
      update: Object.fromEntries(all.map(({ id }) => [id, { isSubscribed: false }])),
    });
    await client.call('Mailbox/set', { destroy: others.map(({ id }) => id) });
  }
  // As whom the suite sends.
  const account = `cassandane@${domain}`;
  for (const address of SENDERS) await store.write.run('directory.addGrant', { actor, account, address });
  return { accounts, inboxes };
}

interface PerlResult {
  readonly outcome: 'passed' | 'failed';
  readonly message?: string;
}

/** A process that runs tests, one after the other. */
function startPerl(): { run(input: object): Promise<PerlResult>; end(): void } {
  const child = spawn('perl', [join(import.meta.dirname, 'perl/one.pl'), suite, ...lib], {
    stdio: ['pipe', 'pipe', values.verbose ? 'inherit' : 'ignore'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(input) {
      child.stdin.write(`${JSON.stringify(input)}\n`);
      const { value, done } = await lines.next();
      if (done === true) throw new Error('perl ended: run with --verbose to see why');
      return JSON.parse(value) as PerlResult;
    },
    end: () => child.stdin.end(),
  };
}

let made = 0;

async function runTest(perl: ReturnType<typeof startPerl>, test: Test): Promise<Result> {
  const users = usersOf(test.text);
  const domain = `t${++made}.example.com`;
  const site = {
    domain,
    password: TEST_PASSWORD,
    ports: server.ports,
    ...(await makeAccounts(server, domain, users)),
    otherUsers: OTHER_USERS,
    ownFrom: test.class === 'JMAPEmailSubmission',
  };
  const { class: className, method, file } = test;
  const input = { class: className, file, test: method, site, seconds: SECONDS };
  const { outcome, message } = await perl.run(input);
  return { name: test.name, outcome, ...(message !== undefined && { why: message }) };
}

const differences = JSON.parse(
  await readFile(join(import.meta.dirname, 'differences.json'), 'utf8'),
) as Record<string, string>;
const pattern = new RegExp(values.only);
const tests = (await listTests()).filter(({ name }) => pattern.test(name));
const results: Result[] = [];
const queue = [...tests];

// What the suite sends to anybody is taken here.
const server = await startTestServer({
  accounts: ['postmaster@example.com'],
  domains: ['localhost', 'local', 'robmtest.vm'],
});
for (const domain of ['example.com', 'localhost', 'local', 'robmtest.vm'])
  await server.store.write.run('directory.setCatchAll', {
    actor: testActor,
    domain,
    address: 'postmaster@example.com',
  });

async function work(): Promise<void> {
  const perl = startPerl();
  for (let test = queue.shift(); test !== undefined; test = queue.shift()) {
    const rule = values.all ? undefined : ruleOf(test.text);
    const result: Result =
      rule === undefined
        ? await runTest(perl, test)
        : { name: test.name, outcome: 'not applicable', why: rule.id };
    const known = differences[test.name];
    if (known !== undefined && result.outcome === 'failed')
      Object.assign(result, { outcome: 'differs', why: known, said: result.why });
    else if (known !== undefined && result.outcome === 'passed')
      Object.assign(result, { outcome: 'failed', why: 'it is listed in differences.json, and passes' });
    results.push(result);
    if (result.outcome !== 'not applicable' || values.verbose)
      console.log(`${result.outcome.padEnd(14)} ${result.name}${result.why ? `: ${result.why.trim()}` : ''}`);
  }
  perl.end();
}

await Promise.all(Array.from({ length: Number(values.jobs) }, work));
await server.close();
const count = (outcome: Outcome): number => results.filter((each) => each.outcome === outcome).length;
console.log('');
for (const name of CLASSES) {
  const own = results.filter((each) => each.name.startsWith(`${name}.`));
  const of = (outcome: Outcome): number => own.filter((each) => each.outcome === outcome).length;
  if (own.length > 0)
    console.log(
      `${name.padEnd(22)} ${of('passed')} passed, ${of('not applicable')} not applicable, ${of('differs')} differ, ${of('failed')} failed`,
    );
}
const reasons = Map.groupBy(
  results.filter(({ outcome }) => outcome === 'not applicable'),
  ({ why }) => why ?? '',
);
for (const [why, all] of [...reasons].toSorted((a, b) => b[1].length - a[1].length))
  console.log(`not applicable, ${why}: ${all.length}`);
console.log(
  `\n${count('passed')} passed, ${count('not applicable')} not applicable, ${count('differs')} differ for the reasons listed, ${count('failed')} unexplained`,
);
if (values.json !== undefined)
  await writeFile(
    values.json,
    JSON.stringify(
      results.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
      null,
      1,
    ),
  );
process.exitCode = count('failed') > 0 ? 1 : 0;
