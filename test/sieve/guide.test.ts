/** The examples of docs/guides/sieve.md are scripts, and its list of extensions is complete. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { compile, SIEVE_EXTENSIONS, SIEVE_LIMITS } from '../../src/mail/sieve/index.ts';

const guide = readFileSync(new URL('../../docs/guides/sieve.md', import.meta.url), 'utf8');

it('every example of the guide is a script without errors or warnings', () => {
  const examples = [...guide.matchAll(/^```sieve\n(.*?)^```/gms)].map(([, text = '']) => text);
  assert.ok(examples.length >= 4);
  for (const text of examples) {
    const compiled = compile(text, { limits: SIEVE_LIMITS });
    assert.deepEqual(compiled.ok ? compiled.script.warnings : compiled.errors, [], text);
  }
});

it('the guide names every extension and no other', () => {
  const section = /^## All extensions\n(.*?)^What the RFCs/ms.exec(guide)?.[1] ?? '';
  const named = [...section.matchAll(/`([a-z0-9;-]+)`/g)].map(([, name]) => name);
  assert.deepEqual(named.toSorted(), SIEVE_EXTENSIONS.toSorted());
});
