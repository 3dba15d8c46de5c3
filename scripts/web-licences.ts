import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Rolldown } from 'vite';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly homepage?: string;
  readonly repository?: string | { readonly url?: string };
}

/** Octets of a licence that is kept whole. */
const LONGEST = 60_000;

/** What the web app has of others, with their licences: a text that is served with it. */
export async function licencesOf(outputs: readonly Rolldown.RolldownOutput[]): Promise<string> {
  const directories = new Set<string>();
  for (const { output } of outputs)
    for (const each of output)
      for (const id of each.type === 'chunk' ? each.moduleIds : []) {
        // The last one: packages lie within packages.
        const match = /^\0?(.*[/\\]node_modules[/\\](?:@[^/\\]+[/\\])?[^/\\]+)/.exec(id);
        if (match?.[1] !== undefined) directories.add(match[1]);
      }
  const parts = [
    'The web app contains work of others. Each package is used as its authors published it (npm), in files of its own or\n' +
      "bundled with ours; Postern's own source, with what builds the app from it, is published with it.\n" +
      'The GNU GPL that the LGPL adds to: https://www.gnu.org/licenses/gpl-3.0.txt',
  ];
  const seen = new Set<string>();
  for (const directory of [...directories].toSorted()) {
    const about = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as Package;
    const title = `${about.name} ${about.version}`;
    if (seen.has(title)) continue;
    seen.add(title);
    const source = typeof about.repository === 'string' ? about.repository : about.repository?.url;
    const [file] = globSync('{LICENSE,LICENCE,License}{,.md,.txt}', { cwd: directory }).toSorted();
    const text = file === undefined ? '' : await readFile(join(directory, file), 'utf8');
    parts.push(
      `${title} (${about.license ?? 'see below'})\n${source ?? about.homepage ?? ''}\n\n${text.slice(0, LONGEST).trim()}`,
    );
  }
  return `${parts.join(`\n\n${'-'.repeat(78)}\n\n`)}\n`;
}
