import assert from 'node:assert/strict';
import { chmod, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Refusal } from '../../../base/errors.ts';
import { prepareSocketPlace } from './socket.ts';
import { SOCKET_PATH_BYTES, socketPathOf } from './socket-place.ts';

let data: string;
let servers: Server[] = [];

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'pst-'));
});

afterEach(async () => {
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  servers = [];
  await rm(data, { recursive: true, force: true });
});

function listenAt(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    servers.push(server);
    server.on('error', reject).listen(path, () => resolve(server));
  });
}

/** A socket file whose process is gone: bound in a child that is killed, so nobody unlinks it. */
async function leaveStale(path: string): Promise<void> {
  const { spawnSync } = await import('node:child_process');
  const code = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', code, path]);
  assert.ok((await lstat(path)).isSocket());
}

async function modeOf(path: string): Promise<string> {
  return ((await lstat(path)).mode & 0o777).toString(8);
}

function refusedWith(words: RegExp) {
  return (error: unknown): boolean => error instanceof Refusal && words.test(error.message);
}

describe('admin socket', () => {
  it('is a private socket in a private directory, and gone afterwards', async () => {
    const place = await prepareSocketPlace(data);
    assert.equal(place.path, await socketPathOf(data));
    await listenAt(place.path);
    await place.secure();
    assert.equal(await modeOf(dirname(place.path)), '700');
    assert.equal(await modeOf(place.path), '600');
    await place.clear();
    await assert.rejects(lstat(place.path), { code: 'ENOENT' });
  });

  it('refuses a directory that others may enter, or that is a link', async () => {
    await mkdir(join(data, 'run'));
    await chmod(join(data, 'run'), 0o755);
    await assert.rejects(prepareSocketPlace(data), refusedWith(/mode 755.*chmod 700/));
    await rm(join(data, 'run'), { recursive: true });
    await mkdir(join(data, 'elsewhere'), { mode: 0o700 });
    await symlink(join(data, 'elsewhere'), join(data, 'run'));
    await assert.rejects(prepareSocketPlace(data), refusedWith(/not a directory/));
  });

  it('removes the socket of a process that died', async () => {
    const { path } = await prepareSocketPlace(data);
    await leaveStale(path);
    await listenAt((await prepareSocketPlace(data)).path);
  });

  it('leaves a socket alone on which another server answers', async () => {
    const { path } = await prepareSocketPlace(data);
    await listenAt(path);
    await assert.rejects(prepareSocketPlace(data), refusedWith(/another server is running.*stop it first/));
    assert.ok((await lstat(path)).isSocket());
  });

  it('does not delete a file that is in the way', async () => {
    const { path } = await prepareSocketPlace(data);
    await writeFile(path, 'precious');
    await assert.rejects(prepareSocketPlace(data), Refusal);
    assert.equal(await readFile(path, 'utf8'), 'precious');
  });

  it('falls back to a short path, which a file in the data directory names', async () => {
    const long = join(data, 'x'.repeat(60), 'y'.repeat(60));
    await mkdir(long, { recursive: true });
    const runtime = join(data, 'rt');
    await mkdir(runtime, { mode: 0o700 });
    const place = await prepareSocketPlace(long, { env: { XDG_RUNTIME_DIR: runtime } });
    assert.ok(place.path.startsWith(`${runtime}/postern-`));
    assert.ok(Buffer.byteLength(place.path) <= SOCKET_PATH_BYTES);
    assert.equal(await socketPathOf(long), place.path);
    assert.equal(await modeOf(dirname(place.path)), '700');
    await listenAt(place.path);
    await place.secure();
    // A second server finds the first one through the same file.
    await assert.rejects(
      prepareSocketPlace(long, { env: { XDG_RUNTIME_DIR: runtime } }),
      refusedWith(/another server/),
    );
    await place.clear();
    assert.notEqual(await socketPathOf(long), place.path);
    await assert.rejects(lstat(dirname(place.path)), { code: 'ENOENT' });
  });

  it('clears the short path of a run that died', async () => {
    const long = join(data, 'x'.repeat(60), 'y'.repeat(60));
    await mkdir(long, { recursive: true });
    const first = await prepareSocketPlace(long, { env: {} });
    await leaveStale(first.path);
    const second = await prepareSocketPlace(long, { env: {} });
    assert.notEqual(first.path, second.path);
    await assert.rejects(lstat(dirname(first.path)), { code: 'ENOENT' });
    await second.clear();
  });

  it('takes the path the configuration names, if its directory is private', async () => {
    const configured = join(data, 'elsewhere', 'a.sock');
    const place = await prepareSocketPlace(data, { configured });
    assert.equal(place.path, configured);
    assert.equal(await socketPathOf(data), configured);
    await listenAt(configured);
    await place.secure();
    await assert.rejects(prepareSocketPlace(data, { configured }), refusedWith(/another server/));
    await place.clear();
    assert.notEqual(await socketPathOf(data), configured);
    await chmod(join(data, 'elsewhere'), 0o770);
    await assert.rejects(prepareSocketPlace(data, { configured }), refusedWith(/mode 770/));
  });
});
