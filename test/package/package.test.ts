import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Output, run } from '../../bench/support/processes.ts';
import { fetchBodies, openMailbox } from '../support/imap-mailbox.ts';
import { lineClient } from '../support/smtp-client.ts';
import { startTryServer } from '../support/try-server.ts';

/**
 * What is published works without its sources: built, packed, installed in an empty folder, started from there. The
 * build runs in a copy, so that nothing is left in the checkout.
 */

const ROOT = resolve(import.meta.dirname, '../..');
const COPIED = [
  'bin',
  'docs',
  'scripts',
  'src',
  'web',
  'README.md',
  'LICENSE',
  'ARCHITECTURE.md',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
];
const skip =
  process.env.CI === 'true' || process.env.POSTERN_TEST_PACK === '1'
    ? false
    : 'installs packages from the registry; runs with CI=true or POSTERN_TEST_PACK=1';

describe('the package', { skip }, () => {
  let place: string;
  let installed: string;

  before(async () => {
    place = mkdtempSync(join(tmpdir(), 'postern-package-'));
    const copy = join(place, 'copy');
    for (const name of COPIED) cpSync(join(ROOT, name), join(copy, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    installed = join(place, 'installed');
    mkdirSync(installed);
    await inFolder(copy, process.execPath, 'scripts/build.ts');
    await inFolder(copy, 'npm', 'pack', '--ignore-scripts', '--pack-destination', place);
    const tarball = readdirSync(place).find((name) => name.endsWith('.tgz'));
    assert.ok(tarball, 'npm pack makes a tarball');
    writeFileSync(join(installed, 'package.json'), '{ "private": true }\n');
    const quiet = ['--ignore-scripts', '--no-fund', '--no-audit'];
    await inFolder(installed, 'npm', 'install', ...quiet, join(place, tarball));
  });
  after(() => rmSync(place, { recursive: true, force: true }));

  function inFolder(folder: string, command: string, ...args: string[]): Promise<Output> {
    const path = [dirname(process.execPath), process.env.PATH].join(':');
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')));
    return run('env', ['-C', folder, command, ...args], { env: { ...env, PATH: path } });
  }

  const postern = (...args: string[]) =>
    inFolder(installed, join(installed, 'node_modules/.bin/postern'), ...args);

  it('carries what runs and nothing else', () => {
    const root = join(installed, 'node_modules/postern');
    assert.ok(existsSync(join(root, 'dist/app/main.js')));
    assert.ok(existsSync(join(root, 'web/dist/index.html')), 'the web app');
    for (const name of ['src', 'test', 'bench', 'scripts'])
      assert.ok(!existsSync(join(root, name)), `${name} is in it`);
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      files.filter((name) => /\.ts$|\.(test|contract|bench)\.js$/.test(name)),
      [],
    );
    const imported = files
      .filter((name) => name.endsWith('.js'))
      .filter((name) => /from '\.[^']*\.ts'/.test(readFileSync(join(root, name), 'utf8')));
    assert.deepEqual(imported, [], 'no import names a source file');
  });

  it('says its version and what it can do', async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    assert.match(
      (await postern('--version')).stdout,
      new RegExp(`^postern ${version.replaceAll('.', '\\.')} `),
    );
    const help = (await postern('--help')).stdout;
    for (const command of ['try', 'init', 'serve', 'status', 'queue', 'trace'])
      assert.match(help, new RegExp(`^ {2}${command} `, 'm'));
  });

  it('starts the try-out, takes a message and gives it back', async () => {
    const program = [process.execPath, join(installed, 'node_modules/.bin/postern')];
    const server = await startTryServer({ directory: join(place, 'data'), program, cwd: installed });
    try {
      const client = await lineClient(server.ports.smtp);
      await client.talk(
        ['', '220'],
        ['EHLO remote.test\r\n', '250'],
        ['MAIL FROM:<a@remote.test>\r\n', '250'],
        ['RCPT TO:<bob@example.test>\r\n', '250'],
        ['DATA\r\n', '354'],
        ['Subject: packed\r\n\r\nfrom a tarball\r\n.\r\n', '250'],
      );
      client.close();
      const mailbox = await openMailbox(server.ports.imaps, {
        user: 'bob@example.test',
        password: 'postern',
      });
      const [body] = (await fetchBodies(mailbox)).values();
      mailbox.close();
      assert.match(body?.toString('latin1') ?? '', /Subject: packed\r\n\r\nfrom a tarball\r\n$/);
    } finally {
      assert.equal(await server.end('SIGTERM'), 0);
    }
  });
});
