import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { rules } from '../../../src/flow/spam/rules/index.ts';
import { AREAS as SENTENCES } from './said-areas.ts';
import { ADVICE_WORDS } from '../../../src/mail/dsn/advice.ts';

/** Every catalogue says the same things in every language. Types hold the keys; this holds what stands in them. */

type Catalogue = Readonly<Record<string, string>>;
const HERE = import.meta.dirname;
const LANGUAGES = ['de', 'fr', 'es', 'zh'];
const AREAS = globSync('en/*.ts', { cwd: HERE }).map((file) => basename(file, '.ts'));

async function catalogue(language: string, area: string): Promise<Catalogue> {
  const found = (await import(resolve(HERE, language, `${area}.ts`))) as { default: Catalogue };
  return found.default;
}

/** Names of what is filled in; what is said twice in English need not be elsewhere. */
function placeholders(text: string): string[] {
  // Of a plural its branches are words, not names.
  const name = text.includes(', plural,')
    ? /(?<!(?:=\d+|zero|one|two|few|many|other) )\{(\w+)[,}]/g
    : /\{(\w+)\}/g;
  const names = [...text.matchAll(name)].flatMap(([, found]) => found ?? []);
  return [...new Set(names)].filter((each) => each !== 'same').toSorted();
}

describe('catalogues', () => {
  for (const area of AREAS) {
    it(`${area}: every language has every text, with what is filled in`, async () => {
      const english = await catalogue('en', area);
      for (const language of LANGUAGES) {
        const other = await catalogue(language, area);
        assert.deepEqual(Object.keys(other).toSorted(), Object.keys(english).toSorted(), language);
        for (const [key, text] of Object.entries(english)) {
          const said = other[key] ?? '';
          assert.notEqual(said.trim(), '', `${language} ${area}.${key} is empty`);
          assert.deepEqual(placeholders(said), placeholders(text), `${language} ${area}.${key}: ${said}`);
        }
      }
    });
  }

  // Long enough that the same text in two languages is a text that was forgotten.
  for (const area of SENTENCES) {
    it(`${area}: no sentence was left in English`, async () => {
      const english = await catalogue('en', area);
      for (const language of LANGUAGES) {
        const other = await catalogue(language, area);
        const same = Object.entries(english).filter(
          ([key, text]) => /[a-z]{3,} [a-z]{3,} [a-z]{3,}/i.test(text) && other[key] === text,
        );
        assert.deepEqual(same, [], language);
      }
    });
  }

  it('the rules of the filter are in it, in their own words', async () => {
    const english = await catalogue('en', 'rules');
    for (const { name, explain } of rules) assert.equal(english[name], explain);
    const names = new Set(rules.map(({ name }) => name));
    const gone = Object.keys(english).filter((key) => /^[A-Z0-9_]+$/.test(key) && !names.has(key));
    assert.deepEqual(gone, []);
  });

  it('the advice to senders is in it, in its own words', async () => {
    assert.deepEqual({ ...(await catalogue('en', 'advice')) }, { ...ADVICE_WORDS });
  });
});
