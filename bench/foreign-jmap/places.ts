import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** How to start a program that lies under a directory where packages of another Debian were unpacked, or undefined. */
export function programUnder(root: string, name: string): string | undefined {
  const [program, loader] = [join(root, 'usr/bin', name), join(root, 'lib64/ld-linux-x86-64.so.2')];
  if (!existsSync(program) || !existsSync(loader)) return undefined;
  // Its own C library goes with it, for ours may be older. No chroot, so nobody needs to be root.
  return `${loader} --library-path ${join(root, 'usr/lib/x86_64-linux-gnu')} ${program}`;
}
