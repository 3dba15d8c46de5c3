import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, type Rolldown } from 'vite';

/**
 * The program and its threads as few files, for a whole run of the tests: they start hundreds of servers, and what a start
 * costs is nearly all loading a thousand modules. Where a process or a thread begins with one of these modules, it gets the
 * same code as one file; what runs inside of a test's own process are the sources, as they are everywhere else.
 */

/** What a process or a thread begins with. */
const ENTRIES = ['src/app/main.ts', ...globSync('src/**/*.{thread,process}.ts').toSorted()];
/** Packages of many small files. All others stay outside: they load parts of themselves by name, or are loaded seldom. */
const INSIDE = [
  'zod',
  'prom-client',
  '@opentelemetry/api',
  'hono',
  '@hono/node-server',
  'bintrees',
  'tdigest',
];
/** Milliseconds that what was made of older sources is kept, for a run that may still use it. */
const KEEP_MS = 24 * 3_600_000;

/** Make it in `place`; returns the module that every process of the run is to load first (NODE_OPTIONS --import). */
export async function makeTestProgram(place: string): Promise<string> {
  const sources = join(resolve('.'), 'src');
  const made = await build({
    configFile: false,
    logLevel: 'warn',
    publicDir: false,
    ssr: { noExternal: INSIDE },
    build: {
      ssr: true,
      write: false,
      minify: false,
      target: 'node24',
      rolldownOptions: {
        input: Object.fromEntries(ENTRIES.map((path) => [nameOf(path), resolve(path)])),
        output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
      },
    },
    plugins: [
      {
        // Files and threads are looked for beside the source that names them.
        name: 'places-of-the-sources',
        enforce: 'pre',
        transform(code, id) {
          if (!id.startsWith(sources) || !code.includes('import.meta.url')) return null;
          return { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href)) };
        },
      },
    ],
  });
  const { output } = [made].flat()[0] as Rolldown.RolldownOutput;
  const files = output.map(
    (each) => [each.fileName, each.type === 'chunk' ? each.code : each.source] as const,
  );
  const hash = createHash('sha256');
  for (const [name, text] of files) hash.update(name).update(text);
  const directory = join(place, hash.digest('hex').slice(0, 16));
  if (!existsSync(directory)) write(directory, [...files, ['first.mjs', first(directory)]]);
  forget(place, directory);
  return join(directory, 'first.mjs');
}

function nameOf(path: string): string {
  return path.slice('src/'.length, -'.ts'.length).replaceAll('/', '-');
}

/** Sends whoever begins with one of the modules to its file. Other processes are left as they are. */
function first(directory: string): string {
  const places = ENTRIES.map((path) => [
    pathToFileURL(resolve(path)).href,
    pathToFileURL(join(directory, `${nameOf(path)}.mjs`)).href,
  ]);
  const processes = ENTRIES.filter((path) => !path.endsWith('.thread.ts')).map((path) => resolve(path));
  return `import { registerHooks } from 'node:module';
import { isMainThread } from 'node:worker_threads';
const places = new Map(${JSON.stringify(places)});
if (!isMainThread || ${JSON.stringify(processes)}.includes(process.argv[1]))
  registerHooks({
    resolve(specifier, context, next) {
      const found = next(specifier, context);
      const place = places.get(found.url);
      return place === undefined ? found : { ...found, url: place, format: 'module' };
    },
  });
`;
}

/** Whole or not at all: another run may make the same. */
function write(directory: string, files: readonly (readonly [string, string | Uint8Array])[]): void {
  const next = `${directory}.${process.pid}`;
  mkdirSync(next, { recursive: true });
  for (const [name, text] of files) writeFileSync(join(next, name), text);
  try {
    renameSync(next, directory);
  } catch {
    rmSync(next, { recursive: true, force: true });
  }
}

function forget(place: string, directory: string): void {
  for (const name of readdirSync(place)) {
    const path = join(place, name);
    if (path !== directory && Date.now() - statSync(path).mtimeMs > KEEP_MS)
      rmSync(path, { recursive: true, force: true });
  }
}
