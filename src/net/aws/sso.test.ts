import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { createAws } from './client.ts';

it('a profile of SSO: the token of the last login is changed for keys', async (t) => {
  const home = await mkdtemp(join(tmpdir(), 'postern-sso-'));
  const asked: string[] = [];
  const portal = createServer((request, response) => {
    asked.push(`${request.url} ${String(request.headers['x-amz-sso_bearer_token'])}`);
    response.setHeader('Content-Type', 'application/json');
    const keys = { accessKeyId: 'AKIASSO', secretAccessKey: 'secret', sessionToken: 'session' };
    response.end(JSON.stringify({ roleCredentials: { ...keys, expiration: Date.now() + 3_600_000 } }));
  });
  await new Promise<void>((resolve) => portal.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    portal.close();
    await rm(home, { recursive: true });
  });
  // This file is a process of its own: its environment is nobody else's.
  for (const name of Object.keys(process.env))
    if (name.startsWith('AWS_')) Reflect.deleteProperty(process.env, name);
  process.env.HOME = home;
  process.env.AWS_ENDPOINT_URL_SSO = `http://127.0.0.1:${(portal.address() as AddressInfo).port}`;
  await mkdir(join(home, '.aws/sso/cache'), { recursive: true });
  const startUrl = 'https://club.awsapps.example/start';
  await writeFile(
    join(home, '.aws/config'),
    [
      '[profile club]',
      'sso_session = club',
      'sso_account_id = 123456789012',
      'sso_role_name = mail',
      'region = eu-west-1',
      '[sso-session club]',
      `sso_start_url = ${startUrl}`,
      'sso_region = eu-west-1',
      '',
    ].join('\n'),
  );
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  const token = { accessToken: 'the-token', expiresAt, startUrl, region: 'eu-west-1' };
  const file = `${createHash('sha1').update('club').digest('hex')}.json`;
  await writeFile(join(home, '.aws/sso/cache', file), JSON.stringify(token));
  const aws = createAws({ region: 'eu-west-1', profile: 'club' }, { clock: systemClock });
  const keys = await aws.keys();
  aws.close();
  assert.deepEqual([keys.accessKeyId, keys.sessionToken], ['AKIASSO', 'session']);
  assert.deepEqual(asked, ['/federation/credentials?account_id=123456789012&role_name=mail the-token']);
});
