import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { skipWithout } from '../support/programs.ts';

/** The script that installs: what it would do on each system. It is never run in earnest here. */

const SCRIPT = resolve(import.meta.dirname, '../../deploy/install.sh');

describe('deploy/install.sh', () => {
  let directory = '';
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'postern-install-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  async function on(system: string, ...args: string[]): Promise<Output> {
    const file = join(directory, 'os-release');
    await writeFile(file, system);
    const env = { PATH: process.env.PATH, POSTERN_OS_RELEASE: file };
    return run('sh', [SCRIPT, ...args], { env, allowFailure: true });
  }
  const steps = ({ stdout }: Output): string[] =>
    stdout.split('\n').flatMap((line) => /^would (?:run|write): (.*)$/.exec(line)?.[1] ?? []);

  it('is plain sh', async () => {
    assert.equal((await run('sh', ['-n', SCRIPT])).code, 0);
  });

  it('pleases shellcheck', { skip: skipWithout('shellcheck') }, async () => {
    const found = await run('shellcheck', ['-s', 'sh', SCRIPT], { allowFailure: true });
    assert.equal(found.code, 0, found.stdout);
  });

  it('installs, sets up and starts, in that order, on Debian, Ubuntu and Fedora', async () => {
    for (const system of [
      'ID=debian\n',
      'ID=ubuntu\nID_LIKE=debian\n',
      'ID=fedora\n',
      'ID="rocky"\nID_LIKE="rhel centos fedora"\n',
    ]) {
      const told = await on(system, '--domain', 'example.org', '--dry-run');
      assert.equal(told.code, 0, told.stderr);
      const order = [
        /^cp -R \S+\/web \/opt\/postern\.new\/$/,
        /^npm run --prefix \/opt\/postern\.new web$/,
        /^npm prune --prefix \/opt\/postern\.new --omit=dev$/,
        /^mv \S+\.new \/opt\/postern$/,
        /^postern init .*--domain example\.org --hostname mail\.example\.org --admin admin@example\.org --yes$/,
        /postern\.service/,
        /^systemctl daemon-reload/,
        /^systemctl restart postern/,
      ];
      let from = 0;
      for (const pattern of order) {
        const index = steps(told).findIndex((step, i) => i >= from && pattern.test(step));
        assert.ok(index >= from, `${String(pattern)} in\n${told.stdout}`);
        from = index + 1;
      }
    }
  });

  it('leaves the setup to you without a domain', async () => {
    const told = await on('ID=debian\n', '--dry-run');
    assert.ok(!steps(told).some((step) => /init|systemctl/.test(step)), told.stdout);
    assert.match(told.stdout, /Next: postern init/);
  });

  it('refuses what it does not know before it does anything', async () => {
    for (const [system, args, said] of [
      ['ID=arch\n', ['--dry-run'], /Debian, Ubuntu and Fedora/],
      ['ID=debian\n', ['--domain'], /--domain needs a value/],
      ['ID=debian\n', ['--domain', '--dry-run'], /--domain needs a value/],
      ['ID=debian\n', ['--admin', 'a@example.org', '--dry-run'], /need --domain/],
      ['ID=debian\n', ['--what'], /no option --what/],
      ['ID=debian\n', ['--package', '/nonexistent.tgz', '--dry-run'], /no file \/nonexistent\.tgz/],
    ] as const) {
      const told = await on(system, ...args);
      assert.equal(told.code, 1, told.stdout);
      assert.match(told.stderr, said);
      assert.deepEqual(steps(told), []);
    }
  });
});
