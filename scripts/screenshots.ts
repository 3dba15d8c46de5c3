/**
 * The pictures of docs/guides/first-day-*.md, made anew: the walk through the first days (test/web/walk.test.ts) takes
 * them on its way. Needs Chromium. `node scripts/screenshots.ts [DIRECTORY]`; docs/images unless said.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, renameSync, rmSync, statSync, mkdirSync, copyFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { tmpdir } from 'node:os';

/** Octets that one picture may have, and all together: they are in the repository for good. */
const MOST_EACH = 60_000;
const MOST_ALL = 1_200_000;

const root = resolve(import.meta.dirname, '..');
const target = resolve(process.argv[2] ?? join(root, 'docs/images'));
const fresh = mkdtempSync(join(tmpdir(), 'postern-pictures-'));
try {
  process.exitCode = make();
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** The old ones stay when the walk fails or a picture is too large. */
function make(): number {
  const walk = spawnSync(process.execPath, ['--test', join(root, 'test/web/walk.test.ts')], {
    cwd: root,
    env: { ...process.env, POSTERN_LONG: 'true', POSTERN_WALK_SHOTS: fresh },
    stdio: 'inherit',
  });
  if (walk.status !== 0) return 1;
  const sizes = readdirSync(fresh).map((name) => ({ name, size: statSync(join(fresh, name)).size }));
  const all = sizes.reduce((sum, { size }) => sum + size, 0);
  const large = sizes.filter(({ size }) => size > MOST_EACH);
  for (const { name, size } of large)
    process.stderr.write(`${name} has ${size} octets, ${MOST_EACH} at most\n`);
  if (all > MOST_ALL) process.stderr.write(`all have ${all} octets, ${MOST_ALL} at most\n`);
  if (sizes.length === 0) process.stderr.write('no pictures were made: is there a Chromium?\n');
  if (large.length > 0 || all > MOST_ALL || sizes.length === 0) return 1;
  mkdirSync(target, { recursive: true });
  for (const { name } of sizes) {
    // By way of a new name: a guide that is read meanwhile has the old one or the new one.
    copyFileSync(join(fresh, name), join(target, `${name}.new`));
    renameSync(join(target, `${name}.new`), join(target, name));
  }
  process.stdout.write(`${sizes.length} pictures, ${all} octets, in ${target}\n`);
  return 0;
}
