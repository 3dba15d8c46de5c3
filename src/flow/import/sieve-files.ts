import { readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { SCRIPT_BYTES, SCRIPTS_PER_ACCOUNT } from '../../data/sieve/types.ts';
import { entriesOf, smallFile } from './files.ts';

/** Sieve scripts of an account as Dovecot's Pigeonhole keeps them: `sieve/NAME.sieve`, `.dovecot.sieve` the one that runs. */

export interface FoundScript {
  readonly name: string;
  readonly text: string;
  readonly active: boolean;
}

const END = '.sieve';

/** The scripts beside a Maildir or in it; none where nobody wrote any. */
export async function scriptsBeside(maildir: string): Promise<FoundScript[]> {
  for (const home of [maildir, dirname(maildir)]) {
    const found = await scriptsIn(home);
    if (found.length > 0) return found;
  }
  return [];
}

async function scriptsIn(home: string): Promise<FoundScript[]> {
  const active = await activeName(home);
  const found: FoundScript[] = [];
  for (const entry of await entriesOf(join(home, 'sieve'))) {
    const file = entry.name.toString('utf8');
    if (!entry.isFile() || !file.endsWith(END) || found.length >= SCRIPTS_PER_ACCOUNT) continue;
    const name = file.slice(0, -END.length);
    if (name === '' || name.startsWith('.')) continue;
    found.push({ name, text: await textOf(join(home, 'sieve', file)), active: name === active });
  }
  if (found.some((script) => script.active)) return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  // No link but a file of its own, as people write it by hand.
  const text = await textOf(join(home, `.dovecot${END}`));
  if (text === '') return found;
  const same = found.find((script) => script.text === text);
  const others = found.filter((script) => script !== same);
  return [...others, { name: same?.name ?? '.dovecot', text, active: true }];
}

/** Where the link leads, by its name alone: it is not followed. */
async function activeName(home: string): Promise<string | undefined> {
  try {
    const target = basename(await readlink(join(home, `.dovecot${END}`)));
    return target.endsWith(END) ? target.slice(0, -END.length) : undefined;
  } catch {
    return undefined;
  }
}

async function textOf(path: string): Promise<string> {
  return Buffer.from(await smallFile(path, SCRIPT_BYTES + 1), 'latin1').toString('utf8');
}
