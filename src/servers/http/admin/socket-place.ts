import { lstat, readFile } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { errnoCode } from '../../../base/errors.ts';

/** Where the admin socket of a data directory is: a rule that the server and the command line share. */

/** Octets of a Unix socket's path: sun_path of sockaddr_un has 108 with the final NUL. */
export const SOCKET_PATH_BYTES = 107;
/** In a directory of its own, which only its owner may enter: the socket is protected before it has its own mode. */
const SOCKET_DIRECTORY = 'run';
export const SOCKET_NAME = 'admin.sock';
/** Holds the path of a socket that lies elsewhere because its regular path would be too long. */
const POINTER_NAME = 'admin.sock.path';

export function regularSocketDirectory(dataDirectory: string): string {
  return join(resolve(dataDirectory), SOCKET_DIRECTORY);
}

export function pointerPath(dataDirectory: string): string {
  return join(resolve(dataDirectory), POINTER_NAME);
}

export function fitsSocketPath(path: string): boolean {
  return Buffer.byteLength(path) <= SOCKET_PATH_BYTES;
}

/** The path of the socket that belongs to a data directory, whether or not anything listens there. */
export async function socketPathOf(dataDirectory: string): Promise<string> {
  return (await readPointer(dataDirectory)) ?? join(regularSocketDirectory(dataDirectory), SOCKET_NAME);
}

/** Where the pointer leads; undefined when there is none or it makes no sense. */
export async function readPointer(dataDirectory: string): Promise<string | undefined> {
  const text = await readFile(pointerPath(dataDirectory), 'utf8').catch((error: unknown) => {
    if (errnoCode(error) === 'ENOENT') return '';
    throw error;
  });
  const path = text.trim();
  return isAbsolute(path) && fitsSocketPath(path) && !path.includes('\0') ? path : undefined;
}

/**
 * Why a directory must not be trusted to hold the socket: one sentence without a full stop, or undefined when only
 * `owner` can have put anything there. Throws ENOENT.
 */
export async function distrust(directory: string, owner: number | undefined): Promise<string | undefined> {
  const found = await lstat(directory);
  if (!found.isDirectory()) return `${directory} is not a directory`;
  if (owner !== undefined && found.uid !== owner) {
    return `${directory} belongs to the user ${found.uid}, not to ${owner}`;
  }
  const mode = found.mode & 0o777;
  if (mode === 0o700) return undefined;
  return `${directory} has the mode ${mode.toString(8)}, which must be 700 (chmod 700 ${directory})`;
}
