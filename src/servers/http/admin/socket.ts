import { chmod, lstat, mkdir, mkdtemp, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { errnoCode, errorText, Refusal } from '../../../base/errors.ts';
import { makeDirectory } from '../../../base/files.ts';
import {
  distrust,
  fitsSocketPath,
  pointerPath,
  readPointer,
  regularSocketDirectory,
  SOCKET_NAME,
  SOCKET_PATH_BYTES,
} from './socket-place.ts';

/** A place for the admin socket, checked and free. */
export interface SocketPlace {
  readonly path: string;
  /** After listening: set the socket's own mode and see that it stuck. */
  secure(): Promise<void>;
  /** After closing: leave nothing behind. Never throws. */
  clear(): Promise<void>;
}

export interface SocketOptions {
  /** A path the configuration asks for; its directory has to be private as well. */
  readonly configured?: string | undefined;
  readonly env?: { readonly XDG_RUNTIME_DIR?: string | undefined };
}

/**
 * Prepare the place of the admin socket: a directory of our own that nobody else may enter, without the socket of a
 * process that died. A Refusal says what is in the way: another server that answers, a foreign owner, a wide mode.
 */
export async function prepareSocketPlace(
  dataDirectory: string,
  options: SocketOptions = {},
): Promise<SocketPlace> {
  const { configured, env = process.env } = options;
  const regular = join(regularSocketDirectory(dataDirectory), SOCKET_NAME);
  const before = await readPointer(dataDirectory);
  if (before !== undefined) await removeOld(dataDirectory, before);
  if (configured !== undefined && resolve(configured) !== regular)
    return configuredPlace(dataDirectory, configured);
  if (fitsSocketPath(regular)) {
    makeDirectory(dirname(regular));
    await requireTrust(dirname(regular));
    await removeStale(regular);
    return place(regular, async () => {});
  }
  const directory = await shortDirectory(env.XDG_RUNTIME_DIR);
  await requireTrust(directory);
  const path = join(directory, SOCKET_NAME);
  await writeFile(pointerPath(dataDirectory), `${path}\n`, { mode: 0o600 });
  return place(path, async () => {
    await rm(pointerPath(dataDirectory), { force: true });
    await rmdir(directory);
  });
}

/** Where the administrator wants it; the file in the data directory leads the command line there. */
async function configuredPlace(dataDirectory: string, configured: string): Promise<SocketPlace> {
  const path = resolve(configured);
  if (!fitsSocketPath(path)) {
    throw new Refusal(
      'bad-input',
      `the path of the admin socket has more than ${SOCKET_PATH_BYTES} octets: ${path}`,
    );
  }
  await mkdir(dirname(path), { mode: 0o700 }).catch((error: unknown) => {
    if (errnoCode(error) !== 'EEXIST') {
      throw new Refusal('bad-input', `cannot make the directory of the admin socket: ${errorText(error)}`);
    }
  });
  await requireTrust(dirname(path));
  await removeStale(path);
  await writeFile(pointerPath(dataDirectory), `${path}\n`, { mode: 0o600 });
  return place(path, () => rm(pointerPath(dataDirectory), { force: true }));
}

function place(path: string, clear: () => Promise<void>): SocketPlace {
  return {
    path,
    async secure() {
      await chmod(path, 0o600);
      const found = await lstat(path);
      if (found.isSocket() && (found.mode & 0o777) === 0o600 && found.uid === process.getuid?.()) return;
      throw new Refusal(
        'not-permitted',
        `the admin socket ${path} could not be made private: is its file system a real one?`,
      );
    },
    async clear() {
      await rm(path, { force: true }).catch(() => undefined);
      await clear().catch(() => undefined);
    },
  };
}

async function requireTrust(directory: string): Promise<void> {
  const problem = await distrust(directory, process.getuid?.());
  if (problem !== undefined)
    throw new Refusal('not-permitted', `the admin socket would not be safe: ${problem}`);
}

/** A socket elsewhere, left by the last run. Only what is certainly ours is touched. */
async function removeOld(dataDirectory: string, path: string): Promise<void> {
  const directory = dirname(path);
  const problem = await distrust(directory, process.getuid?.()).catch(() => 'it is gone');
  if (problem === undefined) {
    await removeStale(path);
    await rmdir(directory).catch(() => undefined);
  }
  await unlink(pointerPath(dataDirectory)).catch(() => undefined);
}

/** Remove a socket nobody listens on. Refusal 'conflict' when somebody answers. */
async function removeStale(path: string): Promise<void> {
  switch (await probe(path)) {
    case 'ECONNREFUSED':
      // A plain file answers so as well, and that is nothing of ours.
      if (!(await lstat(path)).isSocket()) break;
      await unlink(path);
      return;
    case 'ENOENT':
      return;
    case undefined:
      throw new Refusal(
        'conflict',
        `another server is running with this data directory (it answers at ${path}): stop it first`,
      );
    default:
      break;
  }
  throw new Refusal('conflict', `${path} is in the way of the admin socket: remove it`);
}

/** Connect and go away again: undefined when somebody answered, else the error's name. */
function probe(path: string): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = connect(path, () => {
      socket.destroy();
      done(undefined);
    });
    socket.on('error', (error) => done(errnoCode(error) ?? errorText(error)));
  });
}

/** A directory with a short path and a name nobody can know beforehand: others may write beside it. */
async function shortDirectory(runtimeDirectory: string | undefined): Promise<string> {
  const parents = [runtimeDirectory, tmpdir(), '/tmp'];
  for (const parent of parents) {
    if (parent === undefined || parent === '') continue;
    const prefix = join(parent, 'postern-');
    if (!fitsSocketPath(join(`${prefix}XXXXXX`, SOCKET_NAME))) continue;
    const made = await mkdtemp(prefix).catch(() => undefined);
    if (made !== undefined) return made;
  }
  throw new Refusal(
    'bad-input',
    'no place for the admin socket: the data directory has a long path, and the temporary directory is of no use (set TMPDIR)',
  );
}
