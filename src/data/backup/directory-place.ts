import {
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errnoCode, errorText, Refusal } from '../../base/errors.ts';
import { randomToken } from '../../base/ids.ts';
import type { Place, PlacedObject } from './place.ts';

/** Where files are while they are written, below the root. */
const INCOMING = 'incoming';

/** A backup in a directory; `make`: it may be made, but not the directories above it. */
export async function openDirectoryPlace(root: string, make: boolean): Promise<Place> {
  try {
    if (make) await mkdir(root, { mode: 0o700 }).catch(unless('EEXIST'));
    if (!(await stat(root)).isDirectory()) throw new Error('it is no directory');
  } catch (error) {
    throw failed(`cannot use ${root}`, error);
  }
  const names = createNames(root);
  return {
    shown: root,
    put: (name, octets) =>
      told(`cannot write ${name} in ${root}`, async () => {
        const path = await names.ready(name);
        await rename(await names.incoming(octets), path);
      }),
    putNew: (name, octets) =>
      told(`cannot write ${name} in ${root}`, async () => {
        const path = await names.ready(name);
        const from = await names.incoming(octets);
        return linkNew(from, path, octets).finally(() => unlink(from).catch(() => undefined));
      }),
    get: (name) =>
      told(`cannot read ${name} in ${root}`, () => readFile(join(root, name)).catch(unless('ENOENT'))),
    list: (prefix) => filesBelow(root, prefix.replace(/\/$/, '')),
    remove: (name) =>
      told(`cannot remove ${name} in ${root}`, () => unlink(join(root, name)).catch(unless('ENOENT'))),
    settle: () => told(`cannot sync ${root}`, names.settle),
    tidy: () =>
      told(`cannot tidy ${root}`, async () => {
        const left = await readdir(join(root, INCOMING)).catch(unless('ENOENT'));
        for (const name of left ?? []) await unlink(join(root, INCOMING, name)).catch(unless('ENOENT'));
      }),
    close: () => undefined,
  };
}

/** What file systems without hard links say (FAT, some network shares). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'ENOSYS', 'EOPNOTSUPP']);

/** A link fails where a rename would replace. False: there is something of that name. */
async function linkNew(from: string, path: string, octets: Uint8Array): Promise<boolean> {
  try {
    await link(from, path).catch((error: unknown) => {
      if (!NO_LINKS.has(errnoCode(error) ?? '')) throw error;
      return writeFile(path, octets, { flag: 'wx', mode: 0o600, flush: true });
    });
    await syncDirectory(dirname(path));
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw error;
  }
}

interface Names {
  /** The path of a name, its directory there. */
  ready(name: string): Promise<string>;
  /** Durable octets under a name of their own, to be given their right one. */
  incoming(octets: Uint8Array): Promise<string>;
  settle(): Promise<void>;
}

function createNames(root: string): Names {
  /** Directories with names that are not durable yet. */
  const touched = new Set<string>();
  /** Directories that are there. */
  const made = new Set<string>();

  async function ensure(directory: string): Promise<void> {
    if (made.has(directory) || directory === root) return;
    await ensure(dirname(directory));
    await mkdir(directory, { mode: 0o700 }).then(() => touched.add(dirname(directory)), unless('EEXIST'));
    made.add(directory);
  }

  return {
    async ready(name) {
      const path = join(root, name);
      await ensure(dirname(path));
      touched.add(dirname(path));
      return path;
    },
    async incoming(octets) {
      await ensure(join(root, INCOMING));
      const path = join(root, INCOMING, randomToken(20));
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(octets);
        await file.datasync();
      } catch (error) {
        await unlink(path).catch(() => undefined);
        throw error;
      } finally {
        await file.close();
      }
      return path;
    },
    async settle() {
      for (const directory of touched) await syncDirectory(directory);
      touched.clear();
    },
  };
}

async function* filesBelow(root: string, directory: string): AsyncGenerator<PlacedObject> {
  const entries = await told(`cannot list ${join(root, directory)}`, () =>
    readdir(join(root, directory), { withFileTypes: true }).catch(unless('ENOENT')),
  );
  for (const entry of entries ?? []) {
    const name = `${directory}/${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(root, name);
    else if (entry.isFile()) {
      const found = await stat(join(root, name)).catch(unless('ENOENT'));
      if (found !== undefined) yield { name, size: found.size };
    }
  }
}

async function syncDirectory(path: string): Promise<void> {
  let directory: FileHandle | undefined;
  try {
    directory = await open(path, 'r');
    await directory.sync();
  } catch (error) {
    // Some network file systems sync no directories; what is on them is as good as they are.
    if (errnoCode(error) !== 'EINVAL' && errnoCode(error) !== 'ENOTSUP') throw error;
  } finally {
    await directory?.close();
  }
}

function unless(code: string): (error: unknown) => undefined {
  return (error) => {
    if (errnoCode(error) !== code) throw error;
    return undefined;
  };
}

async function told<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw error instanceof Refusal ? error : failed(what, error);
  }
}

function failed(what: string, error: unknown): Refusal {
  switch (errnoCode(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new Refusal('storage-full', `${what}: the disk is full`);
    case 'EACCES':
    case 'EPERM':
      return new Refusal('not-permitted', `${what}: permission denied`);
    case 'ENOENT':
      return new Refusal('not-found', `${what}: it is not there (is its disk mounted?)`);
    default:
      return new Refusal('unavailable', `${what}: ${errorText(error)}`);
  }
}
