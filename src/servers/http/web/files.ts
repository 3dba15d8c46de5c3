import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';

/**
 * The files of the web app, as `node scripts/web.ts` builds them. Only what was found by looking through the directory is
 * ever opened, so that no path of a request leads anywhere else.
 */

/** Milliseconds between two looks whether the app was built anew. */
const LOOK_MS = 1000;
const FILES_MAX = 4000;
const DEPTH_MAX = 8;
/** Octets of one file; larger ones are none of an app's. */
const FILE_BYTES = 16 * 1024 * 1024;
/** Octets that are kept in memory, all files together. */
const MEMORY_BYTES = 48 * 1024 * 1024;
/** Names that builds give to files; dots in front hide what is not for others. */
const NAME = /^[A-Za-z0-9_@+-][A-Za-z0-9._@+-]{0,199}$/;

/** How a file may be compressed beforehand, best first: its sibling's ending, and what HTTP calls it. */
const ENCODINGS = [
  { ending: '.br', name: 'br' },
  { ending: '.gz', name: 'gzip' },
] as const;
type Encoding = (typeof ENCODINGS)[number]['name'] | 'identity';

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  map: 'application/json',
  webmanifest: 'application/manifest+json',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  jpg: 'image/jpeg',
  webp: 'image/webp',
  avif: 'image/avif',
  woff2: 'font/woff2',
  wasm: 'application/wasm',
  txt: 'text/plain; charset=utf-8',
};

export interface WebFile {
  readonly octets: Buffer;
  readonly type: string;
  readonly encoding: Encoding;
  /** Whether it comes in other encodings too. */
  readonly varies: boolean;
  /** Of these octets, in quotes (RFC 9110 section 8.8.3). */
  readonly etag: string;
}

export interface WebFiles {
  /** The file at a path of the site ("/assets/app.js"), as the client takes it; undefined: there is none. */
  find(path: string, acceptEncoding: string | undefined): Promise<WebFile | undefined>;
}

interface Entry {
  readonly file: string;
  readonly type: string;
  /** Files beside it with the same content, by encoding. */
  readonly encoded: Map<Encoding, string>;
}

interface Built {
  /** Changes when the app is built anew. */
  readonly mark: string;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly kept: Map<string, WebFile>;
  keptBytes: number;
}

/** `directory` need not be there yet. */
export function createWebFiles(directory: string, clock: Clock): WebFiles {
  let built: Built | undefined;
  let looked = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const mark = await markOf(directory);
    if (mark === undefined) built = undefined;
    else if (built?.mark !== mark)
      built = { mark, entries: await entriesOf(directory), kept: new Map(), keptBytes: 0 };
    looked = clock.monotonic();
  }

  return {
    async find(path, acceptEncoding) {
      if (clock.monotonic() - looked >= LOOK_MS) {
        looking ??= look().finally(() => (looking = undefined));
        await looking;
      }
      const entry = built?.entries.get(path);
      if (built === undefined || entry === undefined) return undefined;
      return load(built, entry, acceptEncoding ?? '');
    },
  };
}

async function markOf(directory: string): Promise<string | undefined> {
  try {
    const { ino, mtimeMs, size } = await stat(join(directory, 'index.html'));
    return `${ino} ${mtimeMs} ${size}`;
  } catch {
    return undefined;
  }
}

/** Every file by its path, without those that are another one's compressed form. Links are not followed. */
async function entriesOf(directory: string): Promise<Map<string, Entry>> {
  const files = new Map<string, string>();
  const walk = async (folder: string, path: string, depth: number): Promise<void> => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      if (files.size >= FILES_MAX || !NAME.test(entry.name)) continue;
      const file = join(folder, entry.name);
      if (entry.isFile()) files.set(`${path}/${entry.name}`, file);
      else if (entry.isDirectory() && depth < DEPTH_MAX) await walk(file, `${path}/${entry.name}`, depth + 1);
    }
  };
  await walk(directory, '', 0);
  const entries = new Map<string, Entry>();
  for (const [path, file] of files) {
    if (ENCODINGS.some(({ ending }) => path.endsWith(ending) && files.has(path.slice(0, -ending.length))))
      continue;
    const encoded = new Map<Encoding, string>();
    for (const { ending, name } of ENCODINGS) {
      const sibling = files.get(`${path}${ending}`);
      if (sibling !== undefined) encoded.set(name, sibling);
    }
    const type = TYPES[path.slice(path.lastIndexOf('.') + 1).toLowerCase()] ?? 'application/octet-stream';
    entries.set(path, { file, type, encoded });
  }
  return entries;
}

async function load(built: Built, entry: Entry, acceptEncoding: string): Promise<WebFile | undefined> {
  const taken = acceptedEncodings(acceptEncoding);
  const choice = ENCODINGS.find(({ name }) => entry.encoded.has(name) && taken.has(name))?.name;
  const encoding: Encoding = choice ?? 'identity';
  const file = (choice && entry.encoded.get(choice)) ?? entry.file;
  const known = built.kept.get(file);
  if (known !== undefined) return known;
  const octets = await readWhole(file);
  if (octets === undefined) return undefined;
  const digest = createHash('sha256').update(octets).digest('base64url').slice(0, 22);
  const found: WebFile = {
    octets,
    type: entry.type,
    encoding,
    varies: entry.encoded.size > 0,
    etag: `"${digest}"`,
  };
  if (!built.kept.has(file) && built.keptBytes + octets.length <= MEMORY_BYTES) {
    built.kept.set(file, found);
    built.keptBytes += octets.length;
  }
  return found;
}

/** Undefined when it is gone, or no longer a plain file. */
async function readWhole(file: string): Promise<Buffer | undefined> {
  try {
    const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const facts = await handle.stat();
      if (!facts.isFile() || facts.size > FILE_BYTES) return undefined;
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

/** Encodings that an Accept-Encoding field takes (RFC 9110 section 12.5.3); weights beside 0 do not matter to us. */
export function acceptedEncodings(field: string): ReadonlySet<string> {
  const taken = new Set<string>();
  for (const part of field.slice(0, 500).split(',')) {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter));
    if (!refused) taken.add(name);
  }
  return taken;
}
