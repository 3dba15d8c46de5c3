import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { errorText } from '../../src/base/errors.ts';
import { flat } from '../../src/app/cli/settings-words.ts';
import { parseLine } from '../../src/app/cli/parse.ts';
import { commandTable } from '../../src/app/cli/table.ts';
import { backupSettingsSchema } from '../../src/data/backup/settings.ts';
import { acmeSettingsSchema } from '../../src/data/certificates/settings.ts';
import { journalSettingsSchema } from '../../src/data/journal/privacy.ts';
import { alertSettingsSchema } from '../../src/flow/alerts/settings.ts';
import { doctorSettingsSchema } from '../../src/flow/doctor/settings.ts';
import { housekeepingSettingsSchema } from '../../src/flow/housekeeping/settings.ts';
import { lookupSettingsSchema } from '../../src/flow/lookup/settings.ts';
import { filterSettingsSchema } from '../../src/flow/spam/settings.ts';
import { startAws } from '../support/aws/emulator.ts';
import type { AwsEmulator } from '../support/aws/types.ts';
import { runCommand } from '../support/cli.ts';
import { guideCommands, pageNames } from '../support/guide-commands.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** Commands of the program itself, not of the table. */
const OTHERS = new Set(['try', 'serve', 'init', 'relay', 'set-password', 'spam-model', '--help', 'upgrade']);
/** Labels of keys, which look like commands. */
const NO_COMMANDS = new Set(['backup key file', 'backup seal', 'backup name']);
/** `postern --version` prints its own name. */
const PRINTED = /^\d/;
/** Guides whose commands make one story that can be lived through. */
const STORIES = [
  'ses-out-only.md',
  'ses-in-and-out.md',
  'ses-safety-net.md',
  'ses-intake.md',
  'routes.md',
  'blocked-port-25.md',
];
/** Commands about things that the story has happen elsewhere: what they say then, when nothing is found. */
const ABOUT_EXAMPLES: readonly (readonly [RegExp, RegExp])[] = [
  [/^suppression (?:show|remove) /, /gone@example\.net/],
  [/^intake retry KEY$/, /KEY|no source/],
  [/^intake sweep$/, /No source runs|in the bucket/],
  [/^trace /, /./],
];

/** What `postern AREA set` takes. */
const SETTINGS: Readonly<Record<string, ReadonlySet<string>>> = Object.fromEntries(
  Object.entries({
    alert: alertSettingsSchema.parse({}),
    backup: backupSettingsSchema.parse({}),
    certificate: acmeSettingsSchema.parse({}),
    doctor: doctorSettingsSchema.parse({}),
    filter: filterSettingsSchema.parse({}),
    housekeeping: housekeepingSettingsSchema.parse({}),
    journal: journalSettingsSchema.parse({}),
    lookup: lookupSettingsSchema.parse({}),
  }).map(([area, settings]) => [
    area,
    // Entries of an object are named by what they are for: domain_hosts.example.org.
    new Set([...Object.keys(settings), ...flat(settings).map(([name]) => name), 'domain_hosts.example.org']),
  ]),
);

/** Values that stand for others: "…", "...", "sqs....". */
function isSketch(words: readonly string[]): boolean {
  return words.some((word) => word.includes('...') || word.includes('…'));
}

describe('commands of the guides', () => {
  it('are commands with arguments and options that exist', () => {
    let count = 0;
    const wrong: string[] = [];
    for (const { place, words } of pageNames().flatMap(guideCommands)) {
      if (words.length === 0 || OTHERS.has(words[0] ?? '') || NO_COMMANDS.has(words.join(' '))) continue;
      if (PRINTED.test(words[0] ?? '')) continue;
      const row = commandTable.find((one) => one.words.every((word, i) => words[i] === word));
      if (row === undefined) {
        // "postern suppression …": a group is meant; "postern domain, account": several are.
        const given = words.filter((word) => word !== '…');
        const groups = given.map((word) => word.replace(/,$/, ''));
        const isGroup =
          commandTable.some((one) => given.every((word, i) => one.words[i] === word)) ||
          groups.every((word) => commandTable.some((one) => one.words[0] === word));
        if (!isGroup) wrong.push(`${place}: postern ${words.join(' ')}`);
        continue;
      }
      count++;
      // A name alone speaks of the command.
      if (words.length === row.words.length || isSketch(words)) continue;
      try {
        parseLine(row, words.slice(row.words.length));
      } catch (error) {
        wrong.push(`${place}: postern ${words.join(' ')}: ${errorText(error)}`);
      }
    }
    assert.deepEqual(wrong, []);
    assert.ok(count > 400, `only ${count} commands were found`);
  });

  it('set settings that exist', () => {
    const wrong: string[] = [];
    let count = 0;
    for (const { place, words } of pageNames().flatMap(guideCommands)) {
      const [area = '', verb, name = ''] = words;
      const known = SETTINGS[area];
      if (known === undefined || verb !== 'set' || name === '' || /^(?:[A-Z.…]|-)/.test(name)) continue;
      count++;
      if (!known.has(name)) wrong.push(`${place}: postern ${area} set ${name}`);
    }
    assert.deepEqual(wrong, []);
    assert.ok(count > 40, `only ${count} were found`);
  });
});

describe('the stories of the guides', () => {
  let aws: AwsEmulator;
  let directory = '';
  let key = '';
  before(async () => {
    aws = await startAws();
    directory = await mkdtemp(join(tmpdir(), 'postern-guides-'));
    key = join(directory, 'aws-key');
    await writeFile(key, `${aws.accessKeyId}:${aws.secretAccessKey}\n`);
  });
  after(async () => {
    await aws.close();
    await rm(directory, { recursive: true, force: true });
  });

  /** The same command, for the emulator. */
  function here(words: readonly string[]): string[] {
    const toAws = words[0] === 'intake' && words[1] === 'add';
    const toSes = words[0] === 'transport' && words[3]?.startsWith('ses-') === true;
    if (!toAws && !toSes) return [...words];
    const others = words.filter((word) => !word.startsWith('credentials_file=') && !word.endsWith('...'));
    return [...others, `credentials_file=${key}`, `endpoint=${aws.endpoint}`];
  }

  async function live(server: TestServer, place: string, words: readonly string[]): Promise<void> {
    const line = words.join(' ');
    const { status, out, err } = await runCommand(here(words), { data: server.directory, cwd: directory });
    if (status === 0) return;
    const [, says] = ABOUT_EXAMPLES.find(([about]) => about.test(line)) ?? [];
    assert.ok(says?.test(out + err) === true && status === 1, `${place}: postern ${line}\n${err}`);
  }

  for (const name of STORIES) {
    it(name, async () => {
      await using server = await startTestServer({ accounts: ['ann@example.org'], certificate: false });
      for (const { place, words, typed } of guideCommands(`docs/guides/${name}`)) {
        // It asks Amazon and the DNS; its own tests have both.
        if (!typed || (words[0] === 'ses' && words[1] === 'status')) continue;
        const isSketchOfSource = words[0] === 'intake' && words.includes('...');
        await live(server, place, isSketchOfSource ? [...words, 'region=eu-west-1'] : words);
      }
    });
  }
});
