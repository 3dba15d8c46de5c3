import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Programs of other people that tests talk to, with the Debian package that has each. */
const packages = {
  swaks: 'swaks',
  curl: 'curl',
  gsasl: 'gsasl',
  fetchmail: 'fetchmail',
  getmail: 'getmail6',
  offlineimap: 'offlineimap3',
  alpine: 'alpine',
  thunderbird: 'thunderbird',
  Xvfb: 'xvfb',
  'sieve-connect': 'sieve-connect',
  mbsync: 'isync',
  neomutt: 'neomutt',
  mutt: 'mutt',
  tmux: 'tmux',
  strace: 'strace',
  postfix: 'postfix',
  dovecot: 'dovecot-imapd',
  clamd: 'clamav-daemon',
  opendkim: 'opendkim',
  rspamd: 'rspamd',
  knotd: 'knot',
  unbound: 'unbound',
  openssl: 'openssl',
  pebble: 'pebble',
  haproxy: 'haproxy',
  shellcheck: 'shellcheck',
} as const;

export type Program = keyof typeof packages;

const PATHS = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/bin'];

/** For the `skip` option of a test: why it cannot run here, or false. */
export function skipWithout(...programs: readonly Program[]): string | false {
  const missing = programs.filter((name) => !PATHS.some((path) => existsSync(join(path, name))));
  if (missing.length === 0) return false;
  return missing.map((name) => `${name} (Debian package ${packages[name]}) is not installed`).join(', ');
}

/** Why a test that takes long cannot run here, or false: CI runs it, and whoever asks for it. */
export function skipUnlessLong(): string | false {
  const wanted = process.env.CI === 'true' || process.env.POSTERN_LONG === 'true';
  return wanted ? false : 'it takes long: CI=true or POSTERN_LONG=true runs it';
}

/** Why a test that needs root cannot run here, or false. */
export function skipUnlessRoot(): string | false {
  return process.getuid?.() === 0 ? false : 'only root can do this';
}

/** Environment for programs of other people: no configuration of the person who runs the tests. */
export function cleanEnvironment(home: string): NodeJS.ProcessEnv {
  // SHELL: tmux runs commands by it, and the login shell of a service's user runs none.
  return { PATH: PATHS.join(':'), HOME: home, LANG: 'C.UTF-8', TERM: 'xterm', SHELL: '/bin/sh' };
}
