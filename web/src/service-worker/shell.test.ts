import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addressesOf, sourceOf } from './shell.ts';

describe('what the service worker keeps', () => {
  it('is never an answer with mail or settings', () => {
    for (const path of [
      '/jmap/session',
      '/jmap/download/a/b/c',
      '/account/v1/image',
      '/auth/me',
      '/admin/v1/overview',
      '/oauth/authorize',
      '/.well-known/jmap',
      '/sw.js',
      '/manifest.webmanifest',
    ])
      for (const navigation of [true, false]) assert.equal(sourceOf(path, navigation), 'network', path);
  });
  it('is the one page for all of its addresses', () => {
    for (const path of [
      '/',
      '/mail',
      '/mail/inbox/T1',
      '/settings/general',
      '/admin',
      '/admin/queue',
      '/sign-in',
      '/setup',
    ])
      assert.equal(sourceOf(path, true), 'page', path);
    assert.equal(sourceOf('/mail', false), 'network');
    assert.equal(sourceOf('/about', true), 'network');
  });
  it('is fetched by addresses that the server has', () => {
    assert.deepEqual(addressesOf(['/index.html', '/assets/a.js', '/icon-192.png', '/robots.txt']), [
      '/mail',
      '/frame/message',
      '/assets/a.js',
      '/icon-192.png',
    ]);
  });
});
