import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CliAnswer, runCommand } from '../../../../test/support/cli.ts';

let directory: string;

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pst-ses-cli-'));
  await writeFile(join(directory, 'key'), 'AKIAIOSFODNN7EXAMPLE:some+secret+key\n');
  await writeFile(join(directory, 'bad'), 'nothing of use\n');
});
after(() => rm(directory, { recursive: true }));

function cli(words: readonly string[], env: Record<string, string> = {}): Promise<CliAnswer> {
  return runCommand(words, { env, cwd: directory });
}

describe('postern ses smtp-credentials', () => {
  const words = ['ses', 'smtp-credentials', '--region', 'eu-central-1'];

  it('prints user and password, from a file, without any server', async () => {
    const { status, out } = await cli([...words, '--credentials-file', 'key']);
    assert.equal(status, 0);
    assert.match(out, /user +AKIAIOSFODNN7EXAMPLE\n/);
    assert.match(out, /password +BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2\n/);
    assert.match(out, /email-smtp\.eu-central-1\.amazonaws\.com/);
    assert.doesNotMatch(out, /some\+secret\+key/);
  });

  it('from the environment, as JSON', async () => {
    const env = {
      AWS_ACCESS_KEY_ID: 'AKIAX',
      AWS_SECRET_ACCESS_KEY: 'some+secret+key',
      AWS_REGION: 'us-west-1',
    };
    const { out } = await cli(['ses', 'smtp-credentials', '--json'], env);
    assert.deepEqual(JSON.parse(out), {
      region: 'us-west-1',
      host: 'email-smtp.us-west-1.amazonaws.com',
      user: 'AKIAX',
      password: 'BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj',
    });
  });

  it('says what is missing, and what cannot be', async () => {
    assert.match((await cli(words)).err, /--credentials-file.*AWS_ACCESS_KEY_ID/);
    assert.match((await cli(['ses', 'smtp-credentials'])).err, /--region is missing/);
    assert.match((await cli(['ses', 'smtp-credentials', '--region', 'Ireland'])).err, /such as eu-west-1/);
    assert.match((await cli([...words, '--credentials-file', 'bad'])).err, /"key:secret"/);
    assert.match((await cli([...words, '--credentials-file', 'gone'])).err, /no such file/);
    const temporary = { AWS_ACCESS_KEY_ID: 'ASIAX', AWS_SECRET_ACCESS_KEY: 'x', AWS_SESSION_TOKEN: 'y' };
    const { status, err } = await cli(words, temporary);
    assert.equal(status, 1);
    assert.match(err, /temporary/);
  });
});
