import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Actor } from '../../../data/directory/types.ts';
import { requireOwnFiles } from './own-files.ts';

const admin: Actor = { name: 'alice@example.test', role: 'admin', domainId: undefined };
const system: Actor = { name: 'cli:root', role: 'system', domainId: undefined };
const DATA = '/var/lib/postern';

it('lets nobody have files of the machine read over the network', () => {
  for (const value of [
    '/etc/shadow',
    ' /etc/shadow',
    'hash:/etc/aliases',
    'texthash:/root/.ssh/id_ed25519',
    `${DATA}/secrets/../postern.db`,
    `${DATA}/secretsx`,
    '//etc/shadow',
  ]) {
    for (const input of [
      { value },
      { settings: { kind: 'relay', password_file: value } },
      { value: { tables: [value] } },
    ])
      assert.throws(() => requireOwnFiles(admin, DATA, input), { kind: 'not-permitted' }, value);
    requireOwnFiles(system, DATA, { value });
  }
});

it('takes what names no file, and secrets that were put there', () => {
  for (const value of [
    `${DATA}/secrets/relay`,
    'https://example.org/hook',
    's3://bucket/prefix',
    'smtp.example.org:587',
    'a sentence with / in it',
    5,
    null,
    { deep: [true] },
  ])
    requireOwnFiles(admin, DATA, { value });
});
