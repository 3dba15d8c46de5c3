import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mergeResults } from '../authentication-results/build.ts';
import { createBodyHasher } from '../dkim/body-hash.ts';
import { canonicalField, splitFields } from '../dkim/fields.ts';
import { parseTags } from '../dkim/tags.ts';
import type { Dns } from '../dns.ts';
import { seal } from './seal.ts';
import { type ArcResult, createArcVerifier } from './verify.ts';

/** The ARC suite of ValiMail, which stands outside the project. */
const shared = process.env.POSTERN_CORPUS ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const folder = `${shared}/suites/arc`;
const skip = existsSync(folder) ? false : `${folder} is not there`;

type Yaml = string | { [key: string]: Yaml };

/** As much of YAML as the suite uses: maps, one-line values, "|" and ">-" blocks. */
function readYaml(
  lines: readonly string[],
  from: number,
  indent: number,
): { map: { [key: string]: Yaml }; next: number } {
  const map: { [key: string]: Yaml } = {};
  let at = from;
  while (at < lines.length) {
    const line = lines[at] ?? '';
    if (line.trim() === '' || line.trim().startsWith('#')) {
      at++;
      continue;
    }
    const own = line.search(/\S/);
    if (own < indent) break;
    const match = /^([^:]+):\s*(.*?)\s*$/.exec(line.slice(own));
    assert.ok(match, `unreadable YAML: ${line}`);
    const [, key = '', value = ''] = match;
    at++;
    if (value === '|' || value === '>-') {
      const block: string[] = [];
      while (at < lines.length && ((lines[at] ?? '').trim() === '' || (lines[at] ?? '').search(/\S/) > own)) {
        block.push(lines[at++] ?? '');
      }
      const margin = Math.min(...block.filter((l) => l.trim() !== '').map((l) => l.search(/\S/)), 1000);
      const text = block.map((l) => l.slice(margin)).join('\n');
      map[key] = value === '|' ? `${text.replace(/\n+$/, '')}\n` : text.trim().replaceAll('\n', ' ');
    } else if (value === '' && (lines[at] ?? '').search(/\S/) > own) {
      const inner = readYaml(lines, at, own + 1);
      map[key] = inner.map;
      at = inner.next;
    } else map[key] = value;
  }
  return { map, next: at };
}

interface Scenario {
  readonly tests: Record<string, Record<string, string>>;
  readonly 'txt-records': Record<string, string>;
  readonly privatekey: string;
  readonly domain: string;
  readonly sel: string;
}

function scenarios(name: string): Scenario[] {
  return readFileSync(`${folder}/${name}`, 'latin1')
    .split(/^---.*$/m)
    .map((text) => readYaml(text.split('\n'), 0, 0).map as unknown as Scenario)
    .filter((each) => 'tests' in each);
}

function zone(records: Record<string, string>): Dns {
  return {
    async query(name) {
      const text = records[name]?.replaceAll('\n', ' ');
      if (text === undefined) return { status: 'nxdomain' };
      return { status: 'ok', records: [{ text, chunks: [] }], ttl: 60, authenticated: false } as never;
    },
  };
}

function cut(message: string): { header: Buffer; body: Buffer } {
  const wire = message.replace(/\n/g, '\r\n');
  const end = wire.startsWith('\r\n') ? 0 : wire.indexOf('\r\n\r\n') + 2;
  const header = end === 1 ? wire : wire.slice(0, end);
  return {
    header: Buffer.from(header, 'latin1'),
    body: Buffer.from(wire.slice(header.length + 2), 'latin1'),
  };
}

async function validate(message: string, dns: Dns): Promise<ArcResult> {
  const { header, body } = cut(message);
  const verifier = createArcVerifier({ dns, nowMs: 1_500_000_000_000 });
  verifier.start(header);
  verifier.push(body);
  return verifier.finish();
}

describe('the ARC suite', { skip }, () => {
  test('validation', async (t) => {
    const wrong: string[] = [];
    let count = 0;
    for (const scenario of scenarios('arc-draft-validation-tests.yml')) {
      const dns = zone(scenario['txt-records']);
      for (const [name, { message = '', cv = '' }] of Object.entries(scenario.tests)) {
        count++;
        const { status, reason } = await validate(message, dns);
        // '' where the draft left it open; RFC 8617 section 5.2 says fail
        const expected = cv.trim() === '' ? 'fail' : cv.toLowerCase();
        if (status !== expected) wrong.push(`${name}: wanted ${expected}, got ${status}: ${reason}`);
      }
    }
    t.diagnostic(`report: ARC: ${count - wrong.length} of ${count} validation cases of the suite`);
    assert.deepEqual(wrong, []);
    assert.equal(count, 171);
  });

  test('signing', async (t) => {
    const wrong: string[] = [];
    let count = 0;
    for (const scenario of scenarios('arc-draft-sign-tests.yml')) {
      const dns = zone(scenario['txt-records']);
      const key = createPrivateKey(scenario.privatekey);
      for (const [name, each] of Object.entries(scenario.tests)) {
        count++;
        const { header, body } = cut(each['message'] ?? '');
        const hasher = createBodyHasher('relaxed');
        hasher.update(body);
        const { status } = await validate(each['message'] ?? '', dns);
        assert.notEqual(status, 'temperror');
        const made = await seal({
          header,
          bodyHash: hasher.digest(),
          domain: scenario.domain,
          selector: scenario.sel,
          key,
          algorithm: 'rsa-sha256',
          nowMs: Number(each['t']) * 1000,
          cv: status === 'temperror' ? 'fail' : status,
          authResults: mergeResults(header, each['srv-id'] ?? '') ?? '',
          signedNames: (each['sig-headers'] ?? '').split(':'),
        });
        const got = splitFields(made ?? Buffer.alloc(0)).map((field) =>
          canonicalField(field, 'relaxed').toString(),
        );
        const want = ['AS', 'AMS', 'AAR'].map((kind) => (each[kind] ?? '').trim().replace(/\s+/g, ' '));
        const same = want.every((text, i) => {
          if (text === '') return made === undefined;
          const value = got[i]?.slice(got[i].indexOf(':') + 1) ?? '';
          if (i === 2) return value === text;
          const [a, b] = [parseTags(value), parseTags(text)];
          if ('error' in a || 'error' in b) return false;
          return [...b].every(
            ([tag, { value: v }]) => a.get(tag)?.value.replace(/\s/g, '') === v.replace(/\s/g, ''),
          );
        });
        if (!same) wrong.push(`${name}:\n${want.join('\n')}\n-- ${got.join('\n')}`);
      }
    }
    t.diagnostic(`report: ARC: ${count - wrong.length} of ${count} signing cases of the suite`);
    assert.deepEqual(wrong, []);
    assert.equal(count, 17);
  });
});
