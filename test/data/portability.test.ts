/**
 * What makes the store portable is run, not promised: every migration and every statement of the program is executed or
 * prepared on a real PostgreSQL, and the slices' contract suites run on both engines.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { openPool } from '../../src/data/db/postgres.ts';
import { allStatements } from '../../src/data/db/sql.ts';
import { openSqlite } from '../../src/data/db/sqlite.ts';
import { migrateSqlite } from '../../src/data/db/migrate.ts';
import { openPostgresStore } from '../../src/data/postgres-store.ts';
import { accountContract } from '../../src/data/account/account.contract.ts';
import { accessContract } from '../../src/data/access/access.contract.ts';
import { blobsContract } from '../../src/data/blobs/blobs.contract.ts';
import { bansContract } from '../../src/data/bans/bans.contract.ts';
import { certificatesContract } from '../../src/data/certificates/certificates.contract.ts';
import { administrationContract } from '../../src/data/directory/administration.contract.ts';
import { directoryContract } from '../../src/data/directory/directory.contract.ts';
import { greylistContract } from '../../src/data/greylist/greylist.contract.ts';
import { holdsContract } from '../../src/data/holds/holds.contract.ts';
import { intakeContract } from '../../src/data/intake/intake.contract.ts';
import { journalContract } from '../../src/data/journal/journal.contract.ts';
import { mailstoreContract } from '../../src/data/mailstore/mailstore.contract.ts';
import { queueContract } from '../../src/data/queue/queue.contract.ts';
import { reportsContract } from '../../src/data/reports/reports.contract.ts';
import { sieveContract } from '../../src/data/sieve/sieve.contract.ts';
import { sharingContract } from '../../src/data/sharing/sharing.contract.ts';
import { spamContract } from '../../src/data/spam/spam.contract.ts';
import { transportSecurityContract } from '../../src/data/transport-security/transport-security.contract.ts';
import { vaultContract } from '../../src/data/vault/vault.contract.ts';
import '../../src/data/writes.ts';
import '../../src/data/reads.ts';
import { postgresPrograms, startPostgres } from '../support/postgres.ts';

const programs = postgresPrograms();

test('SQLite prepares every statement', () => {
  const db = openSqlite(':memory:', 'writer');
  migrateSqlite(db);
  for (const statement of allStatements()) {
    assert.doesNotThrow(() => db.prepare(statement.text.sqlite), statement.text.sqlite);
  }
  assert.ok(allStatements().length > 100, 'the statements of all slices are registered');
  db.close();
});

describe('PostgreSQL', {
  skip: programs === undefined ? 'PostgreSQL (Debian package postgresql) is not installed' : false,
}, () => {
  let server: Awaited<ReturnType<typeof startPostgres>>;
  before(async () => {
    server = await startPostgres(programs ?? '');
  });
  after(() => server.stop());

  const openStore = async (
    options: { clock?: typeof systemClock } = {},
  ): ReturnType<typeof openPostgresStore> => {
    const directory = await mkdtemp(join(tmpdir(), 'postern-'));
    const store = await openPostgresStore({
      url: await server.createDatabase(),
      directory,
      clock: options.clock ?? systemClock,
    });
    return {
      ...store,
      async close() {
        await store.close();
        await rm(directory, { recursive: true, force: true });
      },
    };
  };

  test('prepares every statement', async () => {
    const store = await openStore();
    await store.close();
    const url = await server.createDatabase();
    const directory = await mkdtemp(join(tmpdir(), 'postern-'));
    await (await openPostgresStore({ url, directory, clock: systemClock })).close();
    const pool = openPool(url, 1);
    const failures: string[] = [];
    for (const statement of allStatements()) {
      const text = `PREPARE p${statement.id} AS ${statement.text.postgres}`;
      await pool
        .query(text)
        .catch((error: unknown) => failures.push(`${statement.text.postgres}\n  ${String(error)}`));
    }
    await pool.end();
    await rm(directory, { recursive: true, force: true });
    assert.deepEqual(failures, []);
  });

  accessContract(openStore);
  blobsContract(openStore, { segments: false });
  accountContract(openStore);
  bansContract(openStore);
  certificatesContract(openStore);
  administrationContract(openStore);
  directoryContract(openStore);
  holdsContract(openStore);
  intakeContract(openStore);
  greylistContract(openStore);
  journalContract(openStore);
  queueContract(openStore);
  mailstoreContract(openStore);
  sieveContract(openStore);
  sharingContract(openStore);
  spamContract(openStore, { fillUp: false });
  transportSecurityContract(openStore);
  vaultContract(openStore);
  reportsContract(openStore);
});
