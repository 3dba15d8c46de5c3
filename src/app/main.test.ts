import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { it } from 'node:test';

interface Said {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

function postern(...words: readonly string[]): Promise<Said> {
  return new Promise((tell) => {
    const main = join(import.meta.dirname, 'main.ts');
    const child = execFile(process.execPath, [main, ...words], (_error, out, err) =>
      tell({ status: child.exitCode ?? -1, out, err }),
    );
  });
}

it('answers what people try first: help on a word, the words of services, a folder that is not there', async () => {
  const [help, same, restart, upgrade, check] = await Promise.all([
    postern('help', 'account'),
    postern('account', '--help'),
    postern('restart'),
    postern('upgrade', '--check', '--data', '/nowhere/at all'),
    postern('serve', '--check', '--config', '/nowhere/postern.toml'),
  ]);
  assert.deepEqual(help, same);
  assert.match(help.out, /^Usage: postern account COMMAND/);
  assert.match(restart.err, /^postern: .*"systemctl restart postern"/);
  assert.equal(upgrade.err, 'postern: /nowhere/at all: there is no such file or folder\n');
  assert.match(check.err, /^postern: \/nowhere\/postern\.toml: there is no such file; .*\n$/);
  assert.deepEqual([restart.status, upgrade.status, check.status], [1, 1, 1]);
});
