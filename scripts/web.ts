// Builds the web app (web/ -> web/dist) when its sources have changed since: `node scripts/web.ts`. With --force always.
import { createHash } from 'node:crypto';
import { globSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build, type Rolldown } from 'vite';
import { replaceFolder } from './replace-folder.ts';
import { licencesOf } from './web-licences.ts';

const root = join(import.meta.dirname, '..');
const web = join(root, 'web');
const dist = join(web, 'dist');
/** Says which sources made what is in `dist`. */
const stamp = join(dist, '.sources');

/** Kinds of files that get smaller. */
const COMPRESSED = /\.(?:js|css|html|svg|json|webmanifest|txt)$/;
/** Octets below which compressing saves no packet. */
const WORTH_COMPRESSING = 1000;

const started = process.hrtime.bigint();
const sources = await hashOf();
if (process.argv.includes('--force') || (await readFile(stamp, 'utf8').catch(() => '')) !== sources)
  await make();

async function make(): Promise<void> {
  await removeLeftovers();
  // Beside the old one, so that a server that runs meanwhile never sees half of it, and another build has its own.
  const next = join(web, `.dist-${process.pid}`);
  try {
    const made = await build({
      configFile: join(web, 'vite.config.ts'),
      logLevel: 'warn',
      build: { outDir: next },
    });
    await preloadMail(join(next, 'index.html'), made);
    const outputs = [made].flat() as Rolldown.RolldownOutput[];
    await writeFile(join(next, 'licences.txt'), await licencesOf(outputs));
    const files = list(next);
    await build({
      configFile: false,
      root: web,
      logLevel: 'warn',
      publicDir: false,
      define: {
        // What the service worker keeps for when there is no network, and the name of this build.
        __FILES__: JSON.stringify(
          files.filter((name) => !/\.(?:map|webmanifest)$/.test(name)).map((name) => `/${name}`),
        ),
        __BUILD__: JSON.stringify(sources.slice(0, 12)),
      },
      build: {
        outDir: next,
        emptyOutDir: false,
        target: 'es2023',
        rolldownOptions: {
          input: join(web, 'src', 'service-worker', 'main.ts'),
          output: { entryFileNames: 'sw.js', format: 'iife' },
        },
      },
    });
    for (const name of list(next)) await compress(join(next, name));
    await writeFile(join(next, '.sources'), sources);
    await replaceFolder(next, dist);
  } finally {
    await rm(next, { recursive: true, force: true });
  }
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  console.error(`built the web app in ${seconds.toFixed(1)} s`);
}

/** Of builds that were ended by Ctrl-C. */
async function removeLeftovers(): Promise<void> {
  for (const name of globSync('.dist-*', { cwd: web })) {
    try {
      process.kill(Number.parseInt(name.slice('.dist-'.length), 10), 0);
    } catch {
      await rm(join(web, name), { recursive: true, force: true });
    }
  }
}

/** What nearly everybody opens is fetched with the page, not when its scripts have found out that it is wanted. */
async function preloadMail(page: string, made: Awaited<ReturnType<typeof build>>): Promise<void> {
  const chunks = new Map<string, Rolldown.OutputChunk>();
  for (const { output } of [made].flat() as Rolldown.RolldownOutput[])
    for (const each of output) if (each.type === 'chunk') chunks.set(each.fileName, each);
  const entry = [...chunks.values()].find(({ facadeModuleId }) =>
    facadeModuleId?.endsWith('/web/src/mail/main.tsx'),
  );
  if (entry === undefined) throw new Error('there is no chunk of the mail pages');
  const scripts = new Set<string>();
  const styles = new Set<string>();
  const add = (name: string): void => {
    const chunk = chunks.get(name);
    if (chunk === undefined || scripts.has(name)) return;
    scripts.add(name);
    for (const each of chunk.viteMetadata?.importedCss ?? []) styles.add(each);
    chunk.imports.forEach(add);
  };
  add(entry.fileName);
  const html = await readFile(page, 'utf8');
  const links = [
    ...[...scripts].map((name) => `<link rel="modulepreload" crossorigin href="/${name}">`),
    ...[...styles].map((name) => `<link rel="stylesheet" crossorigin href="/${name}">`),
  ].filter((link) => !html.includes(link));
  await writeFile(page, html.replace('</head>', `${links.map((link) => `  ${link}\n  `).join('')}</head>`));
}

function list(directory: string): string[] {
  const found = globSync('**/*', { cwd: directory, withFileTypes: true });
  return found
    .filter((each) => each.isFile())
    .map((each) => relative(directory, join(each.parentPath, each.name)));
}

async function compress(path: string): Promise<void> {
  if (!COMPRESSED.test(path)) return;
  const octets = await readFile(path);
  if (octets.length < WORTH_COMPRESSING) return;
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: octets.length };
  await writeFile(`${path}.br`, await promisify(brotliCompress)(octets, { params }));
  await writeFile(`${path}.gz`, await promisify(gzip)(octets, { level: 9 }));
}

async function hashOf(): Promise<string> {
  const hash = createHash('sha256');
  const names = [...globSync('{src,public}/**/*.*', { cwd: web }), 'index.html', 'vite.config.ts'].toSorted();
  for (const name of names) hash.update(`${name}\0`).update(await readFile(join(web, name)));
  // English is the server's own for its sentences (ADR 23).
  for (const name of globSync('src/{base/*,flow/explain/words/*,servers/http/*-texts}.ts', {
    cwd: root,
  }).toSorted())
    if (!name.endsWith('.test.ts')) hash.update(`${name}\0`).update(await readFile(join(root, name)));
  hash.update(await readFile(join(root, 'package-lock.json')));
  hash.update(await readFile(join(import.meta.dirname, 'web.ts')));
  await mkdir(web, { recursive: true });
  return hash.digest('hex');
}
