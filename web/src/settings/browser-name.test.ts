import assert from 'node:assert/strict';
import { it } from 'node:test';
import { browserName } from './browser-name.ts';

it('names browsers that claim to be others', () => {
  const chrome =
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36';
  assert.equal(browserName(chrome), 'Chrome, Linux');
  assert.equal(
    browserName(`${chrome.replace('X11; Linux x86_64', 'Windows NT 10.0')} Edg/130.0`),
    'Edge, Windows',
  );
  assert.equal(
    browserName(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1',
    ),
    'Safari, iOS',
  );
  assert.equal(
    browserName('Mozilla/5.0 (Android 15; Mobile; rv:132.0) Gecko/132.0 Firefox/132.0'),
    'Firefox, Android',
  );
  assert.equal(browserName('curl/8.0'), undefined);
});
