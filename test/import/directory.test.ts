import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startTestServer, type TestServer } from '../support/server.ts';
import { cliOf, type Said } from './cli.ts';

/** People and aliases of other systems, taken over by the command line. */

const HASH = '$2y$05$abcdefghijklmnopqrstuuFAKEFAKEFAKEFAKEFAKEFAKEFAKEFAKE';

interface Report {
  readonly steps: readonly { what: string; state: string; note: string }[];
  readonly left: readonly { what: string; why: string }[];
}

describe('postern import of people and aliases', () => {
  let server: TestServer;
  let directory = '';
  let run: (...words: string[]) => Promise<Said>;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-people-'));
    server = await startTestServer();
    run = cliOf(server, directory);
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function put(path: string, text: string): Promise<void> {
    await mkdir(join(directory, path, '..'), { recursive: true });
    await writeFile(join(directory, path), text);
  }

  /** Dry run, run, and run again: the steps of the second, all of which are there in the third. */
  async function take(...words: string[]): Promise<{ steps: string[]; left: string[] }> {
    const report = async (...more: string[]): Promise<Report> => {
      const said = await run('import', ...words, ...more, '--json');
      assert.equal(said.status, 0, said.err + said.out);
      return JSON.parse(said.out) as Report;
    };
    const before = (await server.store.read.run('directory.accounts', {})).length;
    const dry = await report('--dry-run');
    assert.equal((await server.store.read.run('directory.accounts', {})).length, before);
    const { steps, left } = await report();
    assert.deepEqual(steps, dry.steps);
    assert.deepEqual([...new Set((await report()).steps.map(({ state }) => state))], ['same']);
    return { steps: steps.map(({ what }) => what), left: left.map(({ what, why }) => `${what}: ${why}`) };
  }

  it('the MariaDB schema of how-tos', async () => {
    await put(
      'howto.sql',
      `-- Host: it's here
CREATE TABLE \`users\` (
  \`id\` int(11) NOT NULL,
  \`domain_id\` int(11) NOT NULL,
  \`password\` varchar(106) NOT NULL,
  \`email\` varchar(120) NOT NULL,
  PRIMARY KEY (\`id\`)
) ENGINE=InnoDB;
INSERT INTO \`domains\` (\`id\`, \`name\`) VALUES (1,'iris.test');
/*!40000 ALTER TABLE \`users\` DISABLE KEYS */;
INSERT INTO \`users\` VALUES (1,1,'{BLF-CRYPT}${HASH}','ada@iris.test'),(2,1,'${HASH}','o\\'neil@iris.test'),(3,1,NULL,'nobody@iris.test');
INSERT INTO aliases (id, domain_id, source, destinations) VALUES (1,1,'info@iris.test','ada@iris.test, out@else.test'),(2,1,'@iris.test','ada@iris.test');
`,
    );
    const { steps, left } = await take('mariadb-dump', 'howto.sql');
    assert.deepEqual(steps, [
      'domain iris.test, with DKIM keys',
      'account ada@iris.test, with its password',
      "account o'neil@iris.test, with its password",
      'alias info@iris.test to ada@iris.test, out@else.test',
      'all other mail of iris.test to ada@iris.test',
    ]);
    assert.deepEqual(left, ['account nobody@iris.test: it has no password']);
  });

  it('mailcow', async () => {
    await put(
      'cow.sql',
      `INSERT INTO \`domain\` (\`domain\`,\`active\`) VALUES ('cow.test',1);
INSERT INTO \`mailbox\` (\`username\`,\`password\`,\`name\`,\`quota\`,\`kind\`,\`active\`) VALUES ('moo@cow.test','{BLF-CRYPT}${HASH}','Moo; the (cow)',1073741824,'',1),('off@cow.test','{BLF-CRYPT}${HASH}','Off',0,'',0);
INSERT INTO \`alias\` (\`address\`,\`goto\`,\`active\`) VALUES ('moo@cow.test','moo@cow.test',1),('herd@cow.test','moo@cow.test',1),('sink@cow.test','null@localhost',1),('old@cow.test','moo@cow.test',0);
INSERT INTO \`alias_domain\` (\`alias_domain\`,\`target_domain\`) VALUES ('bull.test','cow.test');
`,
    );
    const { steps, left } = await take('mailcow', 'cow.sql');
    assert.deepEqual(steps, [
      'domain cow.test, with DKIM keys',
      'domain bull.test, another name of cow.test',
      'account moo@cow.test, with its password',
      'quota of moo@cow.test: 1073741824 octets',
      'alias herd@cow.test to moo@cow.test',
    ]);
    assert.equal(left.length, 2);
  });

  it('docker-mailserver, Postfix tables, couchmail, and the workspace of t-lo', async () => {
    await put('dms/postfix-accounts.cf', `dan@dms.test|{SHA512-CRYPT}$6$salt$hash\n`);
    await put('dms/postfix-virtual.cf', 'all@dms.test dan@dms.test,eve@else.test\n');
    await put('dms/dovecot-quotas.cf', 'dan@dms.test:2G\n');
    const dms = await take('docker-mailserver', 'dms');
    assert.deepEqual(dms.steps.slice(1), [
      'account dan@dms.test, with its password',
      'quota of dan@dms.test: 2147483648 octets',
      'alias all@dms.test to dan@dms.test, eve@else.test',
    ]);
    await put(
      'virtual',
      '# text\ndms.test anything\nhelp@dms.test\n  dan@dms.test\nlist@dms.test |/usr/bin/list\n',
    );
    const virtual = await take('postfix-aliases', 'virtual');
    assert.deepEqual(virtual.steps, [
      'domain dms.test, with DKIM keys',
      'alias help@dms.test to dan@dms.test',
    ]);
    assert.match(virtual.left.join(), /alias list@dms\.test: it leads to "\|/);
    const docs = [
      { _id: 'couch.test' },
      {
        _id: 'org.couchdb.user:zoe@couch.test',
        dovecot_password: `{BLF-CRYPT}${HASH}`,
        sieve: { main: 'x' },
      },
      { _id: 'alias-team@couch.test', target: 'zoe@couch.test' },
      { _id: 'invite-abc', domain: 'couch.test' },
    ];
    await put('docs.json', JSON.stringify({ rows: docs.map((doc) => ({ id: doc._id, doc })) }));
    const couch = await take('couchmail', 'docs.json');
    assert.deepEqual(couch.steps.slice(1), [
      'account zoe@couch.test, with its password',
      'alias team@couch.test to zoe@couch.test',
    ]);
    await put('tlo/settings.env', 'DOMAIN=tlo.test\nADDITIONAL_DOMAINS=more.test\n');
    await put(
      'tlo/_server_workspace_/etc/dovecot/passwd',
      'tim@tlo.test:{SSHA256}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:2001:2001:/host/x::\n',
    );
    await put('tlo/_server_workspace_/etc/postfix/valias', 'postmaster@tlo.test  tim\n');
    const tlo = await take('t-lo', 'tlo');
    assert.deepEqual(tlo.steps, [
      'domain tlo.test, with DKIM keys',
      'domain more.test, with DKIM keys',
      'account tim@tlo.test, with its password',
      'alias postmaster@tlo.test to tim@tlo.test',
    ]);
  });

  it("speaks the verbs and texts of t-lo's user.sh", async () => {
    const said = async (...words: string[]): Promise<string> => (await run('user', ...words)).out;
    assert.equal(
      await said('add', 'u@example.test', 'a good long secret'),
      "Created user 'u@example.test' with password provided.\n",
    );
    assert.match(
      await said('add', 'v@example.test'),
      /^Created user 'v@example\.test', generated password is:'[^']{12,}'\.\n$/,
    );
    assert.match(await said('list'), /u@example\.test {26} \| <empty> {4}\| OK\n/);
    assert.equal(
      await said('passwd', 'u@example.test', 'another long secret'),
      "Updated password for user 'u@example.test'\n",
    );
    const unknown = await run('user', 'passwd', 'x@example.test', 'another long secret');
    assert.equal(unknown.status, 1);
    assert.match(unknown.err, /User 'x@example\.test' does not exist\. Please create the user first\./);
    assert.equal(await said('del', 'u@example.test'), "Deleted 'u@example.test'.\n");
    assert.equal(
      await said('del', 'v@example.test', '--purge-inbox'),
      "Deleted 'v@example.test' and purged mail/inboxes/example.test/v@example.test.\n",
    );
    assert.equal((await run('user', 'update-aliases')).status, 0);
    const help = await run('user', 'help');
    assert.equal(help.status, 0);
    assert.match(help.out, /update-aliases/);
  });
});
