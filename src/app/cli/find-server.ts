import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { errnoCode, Refusal } from '../../base/errors.ts';
import { distrust, socketPathOf } from '../../servers/http/admin/socket-place.ts';
import { type AdminClient, createAdminClient } from './client.ts';
import type { CliIo } from './command.ts';

/** Where the try-out keeps its data, in the directory it is started in. */
const TRY_DIRECTORY = '.postern';

interface Place {
  readonly directory: string;
  /** How the directory was found: "--data", "POSTERN_DATA", ... */
  readonly by: string;
}

/** The data directory a command is about: the first of those that apply, without trying the next when nobody answers. */
export async function findPlace(io: CliIo, data: string | undefined): Promise<Place> {
  if (data !== undefined) return { directory: resolve(io.cwd, data), by: '--data' };
  const named = io.env['POSTERN_DATA'];
  if (named !== undefined && named !== '') return { directory: resolve(io.cwd, named), by: 'POSTERN_DATA' };
  const local = join(io.cwd, TRY_DIRECTORY);
  const here = await stat(local).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (here) return { directory: local, by: `./${TRY_DIRECTORY}` };
  return { directory: io.systemDataDirectory, by: "the system's default" };
}

/** The client for the server of a data directory. A Refusal says where was looked and how to start one. */
export async function findServer(io: CliIo, data: string | undefined): Promise<AdminClient> {
  const place = await findPlace(io, data);
  const refuse = (errno: string | undefined): Refusal => nobody(io, place, errno);
  let socketPath: string;
  try {
    const owner = (await stat(place.directory)).uid;
    socketPath = await socketPathOf(place.directory);
    // Passwords go through this socket: only the owner of the data may have put it there.
    const problem = await distrust(dirname(socketPath), owner);
    if (problem !== undefined)
      throw new Refusal('not-permitted', `The admin socket is not safe to use: ${problem}.`);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw refuse(errnoCode(error));
  }
  return createAdminClient({ socketPath, refuse });
}

function nobody(io: CliIo, { directory, by }: Place, errno: string | undefined): Refusal {
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new Refusal(
      'not-permitted',
      `You may not use the server at ${directory} (found by ${by}). Run this as the user it runs as, or as root: sudo postern ...`,
    );
  }
  return new Refusal(
    'unavailable',
    `No server answers at ${directory} (found by ${by}).\n` +
      `Looked for, in this order: --data DIR, POSTERN_DATA, ${join(io.cwd, TRY_DIRECTORY)}, ${io.systemDataDirectory}.\n` +
      'Start one with "systemctl start postern", "postern serve" or "npm start" (try-out), or name its data directory with --data DIR.',
  );
}
