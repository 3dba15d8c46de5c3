import { execFile, spawn } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Folder of Debian's newest PostgreSQL server programs, or undefined where it is not installed. */
export function postgresPrograms(): string | undefined {
  return globSync('/usr/lib/postgresql/*/bin')
    .filter((path) => existsSync(join(path, 'initdb')))
    .toSorted()
    .at(-1);
}

/** A throw-away PostgreSQL server on a free port of 127.0.0.1; `createDatabase` gives the URL of an empty database. */
export async function startPostgres(
  programs: string,
): Promise<{ createDatabase(): Promise<string>; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'postern-pg-'));
  // The server refuses to run as root: it is started as Debian's `postgres` then.
  const isRoot = process.getuid?.() === 0;
  const ids = isRoot ? await idsOf('postgres') : undefined;
  if (ids !== undefined) await chown(directory, ids.uid, ids.gid);
  const data = join(directory, 'data');
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'postern', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...ids, cwd: directory },
  );
  const port = await freePort();
  const server = spawn(
    join(programs, 'postgres'),
    [
      '-D',
      data,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      `unix_socket_directories=${directory}`,
      '-c',
      'fsync=off',
      '-c',
      'shared_buffers=16MB',
    ],
    { ...ids, stdio: 'ignore', cwd: directory },
  );
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const url = (database: string): string => `postgres://postern@127.0.0.1:${port}/${database}`;
  let count = 0;
  const psql = (sql: string): Promise<unknown> => run(join(programs, 'psql'), [url('postgres'), '-qc', sql]);
  for (let tries = 0; ; tries++) {
    const ready = await psql('SELECT 1').then(
      () => true,
      () => false,
    );
    if (ready) break;
    if (tries > 200) throw new Error('PostgreSQL did not start');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    async createDatabase() {
      const name = `test${++count}`;
      await psql(`CREATE DATABASE ${name}`);
      return url(name);
    },
    async stop() {
      server.kill('SIGINT');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function idsOf(user: string): Promise<{ uid: number; gid: number }> {
  const uid = Number((await run('id', ['-u', user])).stdout);
  const gid = Number((await run('id', ['-g', user])).stdout);
  return { uid, gid };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
