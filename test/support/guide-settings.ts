import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const GUIDE = join(import.meta.dirname, '../../docs/guides/clients.md');

/**
 * The settings that the guide to mail programs prints under a heading, with what a test must have otherwise put in.
 * Throws when the guide has no such heading, or does not say what is to be replaced.
 */
export function guideSettings(heading: string, changes: Readonly<Record<string, string>>): string {
  const guide = readFileSync(GUIDE, 'utf8');
  const from = guide.indexOf(`\n### ${heading}\n`);
  const open = guide.indexOf('\n```', from);
  const begin = guide.indexOf('\n', open + 1) + 1;
  const end = guide.indexOf('\n```', begin);
  if (from === -1 || open === -1 || end === -1) throw new Error(`the guide has no settings for ${heading}`);
  let settings = guide.slice(begin, end + 1);
  for (const [is, becomes] of Object.entries(changes)) {
    if (!settings.includes(is)) throw new Error(`the settings for ${heading} do not have ${is}`);
    settings = settings.replaceAll(is, becomes);
  }
  return settings;
}
