/**
 * JMAP programs of other people against a real server, as somebody would use them in a terminal:
 * `node bench/foreign-jmap/run.ts --root DIRECTORY [--only aerc,meli,go-jmap] [--messages N] [--keep]`. Prints a line for
 * each thing that was tried, and at the end what the server answered with an error; ends with 1 when something failed.
 *
 * DIRECTORY is where packages of a newer Debian lie unpacked (aerc, meli and the m4 that it wants, golang-go,
 * golang-sourcehut-rockorager-go-jmap-dev, with all they depend on); nothing of them is installed, and no root is needed to
 * run them. To make one beside a Debian 12, with an apt of its own that touches nothing of the system:
 *
 *     mkdir -p apt/{state/lists/partial,cache/archives/partial,etc/preferences.d} root/usr/{bin,sbin,lib,lib64}
 *     : > apt/status; for d in bin sbin lib lib64; do ln -s usr/$d root/$d; done
 *     echo 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main' \
 *       > apt/etc/sources.list
 *     printf 'Dir::State "%s/apt/state"; Dir::State::status "%s/apt/status"; Dir::Cache "%s/apt/cache";
 *       Dir::Etc "%s/apt/etc"; APT::Install-Recommends "false";' $PWD $PWD $PWD $PWD > apt.conf
 *     export APT_CONFIG=$PWD/apt.conf
 *     apt-get update
 *     apt-get install --download-only aerc meli m4 golang-1.24-go golang-sourcehut-rockorager-go-jmap-dev
 *     for f in apt/cache/archives/*.deb; do dpkg-deb --fsys-tarfile $f | tar -x --keep-directory-symlink -C root; done
 *
 * tmux must be installed. Without a corpus ($POSTERN_CORPUS) made-up messages are used.
 */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { tryAerc } from './aerc.ts';
import { tryGoJmap } from './go-jmap.ts';
import { tryMeli } from './meli.ts';
import { programUnder } from './places.ts';
import { openSite, type Site } from './site.ts';
import { steps, type Steps } from './steps.ts';

const { values } = parseArgs({
  options: {
    root: { type: 'string' },
    only: { type: 'string', default: 'aerc,meli,go-jmap' },
    messages: { type: 'string', default: '300' },
  },
});
const { root } = values;
if (root === undefined || !existsSync(root)) {
  console.log(
    'Nothing was run: --root names no directory with unpacked packages (see the head of this file).',
  );
  process.exit(0);
}

const programs: Record<string, (site: Site, steps: Steps) => Promise<string | undefined>> = {
  aerc: (site, told) => withProgram('aerc', (command) => tryAerc(command, site, told)),
  meli: (site, told) => withProgram('meli', (command) => tryMeli(command, root, site, told)),
  'go-jmap': (site, told) => tryGoJmap(root, site, told),
};

async function withProgram(
  name: string,
  run: (command: string) => Promise<void>,
): Promise<string | undefined> {
  const command = programUnder(root ?? '', name);
  if (command === undefined) return `there is no ${name} under ${root}`;
  await run(command);
  return undefined;
}

for (const name of values.only.split(',')) {
  const tried = programs[name];
  if (tried === undefined) throw new Error(`There is no ${name}: ${Object.keys(programs).join(', ')}.`);
  await using site = await openSite(Number(values.messages));
  const told = steps(name, ({ what, failed }) => console.log(`${name}: ${what}: ${failed ?? 'works'}`));
  const skipped = await tried(site, told);
  if (skipped !== undefined) console.log(`${name}: skipped: ${skipped}`);
  for (const fault of site.recorder.faults()) console.log(`${name}: the server answered: ${fault}`);
  if (told.results.some(({ failed }) => failed !== undefined)) process.exitCode = 1;
}
