import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../base/clock.ts';
import { acmeSettingsSchema } from '../../data/certificates/settings.ts';
import { storageFull } from '../../data/db/sqlite.ts';
import { openInlineStore } from '../../data/inline.ts';
import { issue, type IssueParts, openAuthority } from './issue.ts';

function parts(store: IssueParts['store']): IssueParts {
  return { store, clock: systemClock, userAgent: 'test', signal: new AbortController().signal };
}

test('nothing is ordered while what comes of it could not be kept', async (t) => {
  const kept = await openInlineStore({ path: ':memory:', clock: systemClock });
  t.after(() => kept.close());
  // Nobody listens there: whoever asks the authority fails otherwise than by the disk.
  const settings = acmeSettingsSchema.parse({ directory: 'https://127.0.0.1:1/directory' });
  const { directory } = await openAuthority(parts(kept), settings);
  await kept.write.run('certificates.setAccount', { directory, url: 'https://127.0.0.1:1/me', contact: [] });
  // What a full disk is like: what changes no row is done, all else is refused.
  const full: IssueParts['store'] = {
    read: kept.read,
    write: {
      run: (name, args) =>
        name === 'certificates.ensureAccount' ? kept.write.run(name, args) : Promise.reject(storageFull()),
    },
  };
  const authority = await openAuthority(parts(full), settings);
  t.after(() => authority.close());
  const wanted = { name: 'mx', names: ['mx.example.test'] };
  const solver = { type: 'http-01', present: async () => undefined, remove: async () => undefined } as const;
  await assert.rejects(issue(parts(full), authority, settings, wanted, solver, undefined), {
    kind: 'storage-full',
  });
});
