import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { getSystemErrorName } from 'node:util';
import { errnoCode, Refusal } from '../base/errors.ts';
import type { ListenTarget } from '../net/listener/bind.ts';
import type { Config } from './config.ts';
import { bindKey, SERVICES, type ServiceName } from './service-names.ts';
import { listenTarget } from './addresses.ts';

/**
 * Started as root: bind the ports, then become an ordinary user for good, before any file or thread is made. (Under
 * systemd none of this is needed: the unit starts us as that user with CAP_NET_BIND_SERVICE.)
 */

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Look a user up as the system does (passwd, LDAP, ...); undefined when there is none. */
export function findUser(name: string): SystemUser | undefined {
  const ask = (flag: string): number | undefined => {
    const { status, stdout } = spawnSync('id', [flag, '--', name], { encoding: 'utf8' });
    return status === 0 && /^\d+$/.test(stdout.trim()) ? Number(stdout.trim()) : undefined;
  };
  const uid = ask('-u');
  const gid = ask('-g');
  return uid === undefined || gid === undefined ? undefined : { name, uid, gid };
}

/** The command that makes a user for the server. */
export function userCommand(name: string, data: string): string[] {
  return ['useradd', '--system', '--home-dir', data, '--shell', '/usr/sbin/nologin', name];
}

/** net's own way to a socket that is bound but does not listen, so that nothing connects before we can answer. */
type BindHandle = (address: string, port: number, family: 4 | 6, fd?: number) => BoundHandle | number;
interface BoundHandle {
  readonly fd: number;
  /** Fills in where the socket is bound; returns the errno of a bind that failed without saying so. */
  getsockname(place: { port?: number }): number;
  close(): void;
}
const bindHandle = (net as unknown as { readonly _createServerHandle: BindHandle })._createServerHandle;

/** Sockets already bound, by `bindKey`, for startServer. Kept referenced: a collected one would close its port. */
export interface BoundSockets {
  readonly targets: ReadonlyMap<string, ListenTarget>;
  readonly handles: readonly unknown[];
}

/** Bind every TCP port of the configuration. Throws a `Refusal` that names the one that cannot be had. */
export function bindPorts(config: Config): BoundSockets {
  const targets = new Map<string, ListenTarget>();
  const handles: unknown[] = [];
  for (const service of SERVICES) {
    for (const spec of config.listen[service]) {
      const target = listenTarget(spec);
      if (!('address' in target)) continue;
      const handle = bindOne(service, target.address, target.port);
      handles.push(handle);
      targets.set(bindKey(service, spec), { fd: handle.fd });
    }
  }
  return { targets, handles };
}

function bindOne(service: ServiceName, address: string, port: number): BoundHandle {
  const handle = bindHandle(address, port, address.includes(':') ? 6 : 4);
  if (typeof handle === 'number') throw bindRefusal(service, address, port, getSystemErrorName(handle));
  // libuv keeps EADDRINUSE to itself until listen(), and an unbound socket that listens gets a port at random.
  const place: { port?: number } = {};
  const errno = handle.getsockname(place);
  if (errno === 0 && (port === 0 || place.port === port)) return handle;
  handle.close();
  throw bindRefusal(service, address, port, errno === 0 ? 'EADDRINUSE' : getSystemErrorName(errno));
}

function bindRefusal(service: ServiceName, address: string, port: number, errno: string): Refusal {
  const where = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const key = `listen.${service}`;
  switch (errno) {
    case 'EADDRINUSE':
      return new Refusal(
        'conflict',
        `${service}: cannot bind ${where}: another program has the port, on this address or one of its parts; stop it ("ss -ltnp sport = :${port}" names it), or change ${key}`,
      );
    case 'EADDRNOTAVAIL':
      return new Refusal(
        'bad-input',
        `${service}: cannot bind ${where}: this machine does not have that address; change ${key}`,
      );
    default:
      return new Refusal('unavailable', `${service}: cannot bind ${where}: ${errno}`);
  }
}

/** The type definitions of Node leave initgroups out. */
type UserCalls = Partial<Pick<NodeJS.Process, 'setgid' | 'setuid' | 'getuid' | 'getgid'>> & {
  readonly initgroups?: (user: string, group: number) => void;
};

/** Become `user`, with its groups and no way back. Throws when the system does not let us. */
export function becomeUser(user: SystemUser): void {
  const { initgroups, setgid, setuid, getuid, getgid } = process as UserCalls;
  if (!initgroups || !setgid || !setuid || !getuid || !getgid) {
    throw new Refusal('unavailable', 'this system has no users to change to');
  }
  initgroups(user.name, user.gid);
  setgid(user.gid);
  setuid(user.uid);
  let back = true;
  try {
    setuid(0);
  } catch {
    back = false;
  }
  if (back || getuid() !== user.uid || getgid() !== user.gid) {
    throw new Refusal('not-permitted', `could not become user ${user.name} for good`);
  }
}

/** As whoever we are now. */
export function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** As whoever we are now: can the program's files be read, and the data be written? Throws a `Refusal` that says what. */
export function checkAccess(directory: string, who: string): void {
  const code = dirname(dirname(fileURLToPath(import.meta.url)));
  for (const path of [code, join(code, 'base'), join(code, 'data', 'db'), ...packages(code)]) {
    need(
      path,
      constants.R_OK | constants.X_OK,
      `user ${who} cannot read the program at ${path}: install it where all may read, such as /opt/postern`,
    );
  }
  need(
    directory,
    constants.R_OK | constants.W_OK | constants.X_OK,
    `user ${who} cannot write in ${directory}: "chown -R ${who} ${directory}" mends it`,
  );
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    need(
      path,
      constants.R_OK | constants.W_OK,
      `user ${who} cannot write ${path}: "chown -R ${who} ${directory}" mends it`,
    );
  }
}

/** The folder of installed packages nearest above the code. */
function packages(code: string): string[] {
  for (let at = code; at !== dirname(at); at = dirname(at)) {
    const path = join(at, 'node_modules');
    if (existsSync(path)) return [path];
  }
  return [];
}

function need(path: string, mode: number, otherwise: string): void {
  try {
    accessSync(path, mode);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') throw new Refusal('bad-input', `${path} does not exist`);
    throw new Refusal('not-permitted', otherwise);
  }
}
